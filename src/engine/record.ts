// The one place where a step is decided and written: synchronous up to the append, so that steps of a session have one
// order, and answered only when the append is durable.
import type { SharedHistory } from '../monitor/history.ts';
import type { Foresight } from '../monitor/monitor.ts';
import type { Decision } from '../monitor/types.ts';
import { canonicalize } from '../step/canonical.ts';
import { chainState, digestText } from '../step/digest.ts';
import type { Proposal, Step } from '../step/types.ts';
import type { Store, StoredHold, Write } from '../store/store.ts';
import { actOf } from './act.ts';
import { canonicalStep, ends, rowAfter, stepOf } from './build-step.ts';
import { overdueFinding } from './deadlines.ts';
import type { Emit } from './events.ts';
import { answeredBy, closeAll, consumedBy, holdOf, isExpired } from './hold-terms.ts';
import { hash53 } from './ids.ts';
import type { Memory } from './memory.ts';
import { nativeSha256 } from './native-sha256.ts';
import type { EngineLimits } from './options.ts';
import { refuse } from './problem.ts';
import { type LiveSession, nextSeq, stateOf } from './session.ts';
import type { Shared } from './shared.ts';
import { snapshotIsDue, snapshotOf } from './snapshot.ts';
import type { Stops } from './stops.ts';
import type { EngineEvent, Hold, Recorded } from './types.ts';
import { undecidedFinding } from './undecided.ts';

export interface Recorder {
  /**
   * Decides the step now and resolves when it is durable. `given` has its id. Throws an `EngineError`, with nothing
   * changed, when a limit is exceeded or the queue is full; rejects with `store-failed` when the write failed.
   */
  record(
    session: LiveSession,
    given: Proposal & { readonly id: string },
    options?: RecordOptions,
  ): Promise<Recorded>;
  /** What would be said of the step now; nothing changes. */
  foresee(session: LiveSession, given: Proposal & { readonly id: string }): Foresight;
}

export interface RecordOptions {
  /** The hold that the step answers. */
  readonly answered?: StoredHold;
  /** Told of the verdict before it is durable. */
  readonly early?: ((recorded: Recorded) => void) | undefined;
  /** Nobody waits for it: it may become durable a moment later, with others. */
  readonly patient?: boolean;
}

export interface RecorderParts {
  readonly store: Store;
  readonly memory: Memory;
  readonly limits: EngineLimits;
  readonly clock: () => number;
  readonly emit: Emit;
  readonly shared: Shared;
  readonly stops: Pick<Stops, 'on'>;
  /** Told of a new hold. */
  readonly onHold: (hold: Hold) => void;
  /** Told when something owed falls due. */
  readonly onDeadline: (dueAt: number) => void;
}

const SETTLED = Promise.resolve();

export function createRecorder(parts: RecorderParts): Recorder {
  const { store, memory, limits, clock, emit, shared, stops, onHold, onDeadline } = parts;

  function decideAndWrite(
    session: LiveSession,
    given: Step,
    givenText: string,
    history: SharedHistory | undefined,
    { answered, early, patient }: RecordOptions,
  ): Promise<Recorded> {
    const { decision, changes, facts, arrival } = session.monitor.step(stateOf(session), given, history);
    // What was read of other sessions stands in the step: it can be replayed without them.
    const step = facts === undefined ? given : { ...given, facts: [...(given.facts ?? []), ...facts] };
    const text = facts === undefined ? givenText : canonicalize(step);
    const stepDigest = digestText(text, nativeSha256);
    const stateDigest = chainState(session.stateDigest, changes, nativeSha256);
    const before = session.row;
    session.stateDigest = stateDigest;
    session.row = rowAfter(before, step, decision, session.monitor.deadline(stateOf(session)));
    const idHash = hash53(step.id);
    session.ids.add(idHash);
    session.unsavedSteps += 1;
    session.unsavedCharacters += text.length;

    const { hold, changed } = updateHolds(session, step, decision, answered);
    const decisionText = JSON.stringify(decision);
    const writes: Write[] = [
      { t: 'session', row: session.row },
      {
        t: 'step',
        row: {
          session: step.session,
          observed: false,
          seq: step.seq,
          id: step.id,
          idHash,
          time: step.time,
          kind: step.kind,
          name: step.name,
          callId: step.callId ?? null,
          act: actOf({ ...step, args: decision.transformed ?? step.args ?? {} }),
          verdict: decision.verdict,
          step: text,
          decision: decisionText,
          stepDigest,
          stateDigest,
          hold: hold?.hold.id ?? null,
          span: null,
        },
      },
    ];
    for (const row of changed) writes.push({ t: 'hold', row });
    if (history !== undefined) writes.push(...shared.take(arrival));
    const finding = overdueFinding(step, decision) ?? undecidedFinding(step);
    if (finding !== null) writes.push({ t: 'finding', row: { finding, observed: false } });
    if (snapshotIsDue(session, limits.stepsPerSnapshot)) {
      writes.push({ t: 'snapshot', row: snapshotOf(session) });
    }

    const recorded: Recorded = {
      step,
      decision,
      stepDigest,
      stateDigest,
      ...(hold === null ? {} : { holdId: hold.hold.id }),
    };
    const events = eventsOf(recorded, before.state !== session.row.state, changed);
    if (finding !== null) events.push({ type: 'finding', session: step.session, finding: finding.id });
    const { deadline } = session.row;
    session.writing += 1;
    const durable = store.append(writes, patient).then(
      () => {
        session.writing -= 1;
        // What is durable is not kept for the next to wait for.
        if (session.writing === 0) session.tail = SETTLED;
        session.pending.delete(step.id);
        for (const event of events) emit(event);
        if (hold !== null) onHold(hold.hold);
        if (deadline !== null) onDeadline(deadline);
        return recorded;
      },
      (cause: unknown) => {
        session.writing -= 1;
        memory.drop(session);
        shared.distrust();
        throw storeFailed(cause);
      },
    );
    early?.(recorded);
    session.pending.set(step.id, { step, recorded: durable });
    session.tail = durable;
    memory.grew(session, text.length + 100);
    return durable;
  }

  /** The step in its place, with the orders that stop it. */
  function placed(session: LiveSession, given: Proposal & { readonly id: string }): Step {
    const step = stepOf(session.row, given, nextSeq(session), Math.max(session.row.lastAt, clock()));
    const stopped = stops.on(session.row, given);
    return stopped === undefined ? step : { ...step, facts: stopped };
  }

  return {
    foresee: (session, given) =>
      session.monitor.foresee(stateOf(session), placed(session, given), shared.history()),
    record(session, given, options = {}) {
      const proposed = placed(session, given);
      const text = canonicalStep(proposed, limits.bytesPerProposal);
      // What is decided is what is kept, to the order of its fields: a restored session decides the same.
      const step = JSON.parse(text) as Step;
      checkLimits(session, step, limits);
      if (!store.hasRoom()) {
        throw refuse('overloaded', 'too many decisions are waiting to become durable', 'Try again shortly.');
      }

      const history = shared.history();
      // A monitor that throws may have changed half of the state: the session goes back to what is durable.
      try {
        return decideAndWrite(session, step, text, history, options);
      } catch (error) {
        memory.drop(session);
        shared.distrust();
        throw error;
      }
    },
  };
}

export function storeFailed(cause: unknown) {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return refuse(
    'store-failed',
    `the record could not be made durable: ${reason}`,
    'Nothing was released. Try again with the same id: what was recorded after all is answered again.',
  );
}

function checkLimits(session: LiveSession, step: Step, limits: EngineLimits): void {
  if (step.seq >= limits.stepsPerSession && step.kind !== 'session.end') {
    throw refuse(
      'limit-exceeded',
      `the session ${step.session} has ${step.seq} steps, which is the most one may have`,
      'End it and open a new one.',
    );
  }
  if (session.holds.size < limits.openHoldsPerSession) return;
  if (step.kind === 'approval' || step.kind === 'session.end') return;
  const open = [...session.holds.values()].filter((hold) => !isExpired(hold, step.time));
  if (open.length < limits.openHoldsPerSession) return;
  throw refuse(
    'limit-exceeded',
    `the session ${step.session} has ${open.length} steps waiting for people, which is the most one may have`,
    'Answer some of them first.',
  );
}

/** The hold this step waits for, and every hold whose record it changes. */
function updateHolds(
  session: LiveSession,
  step: Step,
  decision: Decision,
  answered: StoredHold | undefined,
): { hold: StoredHold | null; changed: StoredHold[] } {
  const changed: StoredHold[] = [];
  let hold: StoredHold | null = null;
  if (answered !== undefined) {
    const stored = answeredBy(answered, step);
    session.holds.delete(stored.hold.binding);
    if (stored.hold.state === 'approved') session.approved.set(step.seq, stored);
    changed.push(stored);
  }
  if (decision.verdict === 'hold') {
    hold = holdOf(session, step, decision);
    session.holds.set(hold.hold.binding, hold);
    changed.push(hold);
  }
  changed.push(...consumedBy(session, decision));
  if (ends(step, decision.verdict)) changed.push(...closeAll(session));
  return { hold, changed };
}

function eventsOf(recorded: Recorded, stateChanged: boolean, holds: readonly StoredHold[]): EngineEvent[] {
  const { session, seq, kind } = recorded.step;
  const events: EngineEvent[] = [{ type: 'step', session, seq }];
  for (const { hold } of holds) events.push({ type: 'hold', session, hold: hold.id, state: hold.state });
  if (stateChanged || holds.length > 0 || kind === 'session.start') events.push({ type: 'session', session });
  return events;
}
