// Opens, steps and ends sessions: everything between a door's call and the recorder, above all safe retries.
import { randomUUID } from 'node:crypto';
import type { Foresight } from '../monitor/monitor.ts';
import { canonicalize } from '../step/canonical.ts';
import { stateStart } from '../step/digest.ts';
import type { Proposal, Step } from '../step/types.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { OWN_ID_PREFIX, stepOf } from './build-step.ts';
import { hash53 } from './ids.ts';
import type { Memory } from './memory.ts';
import type { EngineOptions } from './options.ts';
import { refuse } from './problem.ts';
import type { Recorder, RecordOptions } from './record.ts';
import { type LiveSession, newSession } from './session.ts';
import type { Shared } from './shared.ts';
import type { Specs } from './specs.ts';
import type { Opening, Recorded, SessionSummary } from './types.ts';

export interface Sessions {
  open(init: Opening): Promise<SessionSummary>;
  create(init: Omit<Opening, 'id'>): { readonly id: string; readonly opened: Promise<unknown> };
  decide(session: string, proposal: Proposal, options?: DecideOptions): Promise<Recorded>;
  foresee(session: string, proposal: Proposal): Promise<Foresight>;
}

type DecideOptions = Pick<RecordOptions, 'early' | 'patient'>;

export interface SessionsParts {
  readonly options: EngineOptions;
  readonly store: Store;
  readonly memory: Memory;
  readonly specs: Specs;
  readonly recorder: Recorder;
  readonly shared: Shared;
  readonly clock: () => number;
}

/** What to do in place of proposing what Interlock records itself. */
const INSTEAD = {
  approval: 'Answer the hold.',
  check: 'Ask for the check to be made.',
  'session.start': 'Open a session.',
} as const;

export function createSessions({
  options,
  store,
  memory,
  specs,
  recorder,
  shared,
  clock,
}: SessionsParts): Sessions {
  const warned = new Set<string>();

  async function open(init: Opening): Promise<SessionSummary> {
    const id = init.id ?? randomUUID();
    // An id made here is new; one that was given may exist.
    const known =
      init.id === undefined ? null : (memory.get(id) ?? (await memory.load(id)) ?? memory.get(id));
    if (known === null) {
      await start(id, init);
      return opened(id);
    }
    checkResume(known.row, init);
    await known.tail;
    return opened(id);
  }

  async function opened(id: string): Promise<SessionSummary> {
    const summary = (await store.session(id, clock()))!;
    const failOpen = specs.failOpen(summary.spec);
    return failOpen === undefined ? summary : { ...summary, failOpen };
  }

  /** Nobody waits between the look at memory and this, so that what is not there is new. */
  async function start(id: string, init: Opening): Promise<void> {
    for (let reading = shared.reading(); reading !== null; reading = shared.reading()) await reading;
    if (memory.get(id) !== null) {
      await open({ ...init, id });
      return;
    }
    const spec = specs.choose(init.agent.name);
    if (spec === null) warnNoSpec(init.agent.name);
    const now = clock();
    const row: SessionRow = {
      id,
      agent: init.agent,
      principal: init.principal ?? null,
      tenant: init.tenant ?? null,
      ...(init.door === undefined ? {} : { door: init.door }),
      state: 'open',
      guarded: true,
      startedAt: now,
      lastAt: now,
      steps: 0,
      verdicts: { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 },
      title: null,
      spec: spec?.digest ?? null,
      specName: spec?.name ?? null,
      noSpec: spec === null ? options.noSpec : null,
      deadline: null,
    };
    const monitor = spec === null ? specs.noSpec(options.noSpec) : specs.monitorOf(spec);
    const session = newSession(row, monitor, stateStart(row.spec));
    memory.put(session);
    try {
      await recorder.record(session, {
        id: `${OWN_ID_PREFIX}start`,
        kind: 'session.start',
        name: init.agent.name,
      });
    } catch (error) {
      memory.drop(session);
      throw error;
    }
  }

  function create(init: Omit<Opening, 'id'>) {
    const id = randomUUID();
    return { id, opened: start(id, init) };
  }

  function warnNoSpec(agent: string): void {
    if (warned.has(agent) || warned.size >= 1_000) return;
    warned.add(agent);
    const what = options.noSpec === 'deny' ? 'Its steps are denied' : 'Its steps are NOT guarded';
    options.log?.({
      level: 'warn',
      message: `no spec applies to the agent ${JSON.stringify(agent)}. ${what}.`,
    });
  }

  async function decide(id: string, proposal: Proposal, options?: DecideOptions): Promise<Recorded> {
    if (proposal.kind === 'approval' || proposal.kind === 'check' || proposal.kind === 'session.start') {
      const message = `a step of kind ${proposal.kind} is recorded by Interlock itself and cannot be proposed`;
      throw refuse('invalid', message, INSTEAD[proposal.kind]);
    }
    const given = { ...proposal, id: proposal.id ?? randomUUID() };
    if (given.id.startsWith(OWN_ID_PREFIX)) {
      throw refuse('invalid', `ids that begin with ${OWN_ID_PREFIX} are Interlock's own`, 'Give another id.');
    }
    // Ids made here are new, and so are most that are given: only a hit in the set is looked up.
    let looked = -1;
    for (;;) {
      const reading = shared.reading();
      if (reading !== null) await reading;
      const session = memory.get(id) ?? (await memory.load(id));
      if (session === null) throw refuse('unknown-session', `there is no session ${id}`, 'Open it first.');
      if (!memory.owns(session)) continue;
      const pending = session.pending.get(given.id);
      if (pending !== undefined) {
        checkSame(session, given, pending.step);
        return pending.recorded;
      }
      const hits = session.ids.find(hash53(given.id));
      const last = hits.reduce((a, b) => Math.max(a, b), -1);
      if (last > looked) {
        const recorded = await find(session, given.id, hits);
        if (recorded !== null) {
          checkSame(session, given, recorded.step);
          return recorded;
        }
        looked = last;
        continue;
      }
      if (session.row.state === 'ended') {
        throw refuse(
          'session-ended',
          `the session ${id} has ended and takes no more steps`,
          'Open a new one.',
        );
      }
      return recorder.record(session, given, options);
    }
  }

  async function foresee(id: string, proposal: Proposal): Promise<Foresight> {
    const reading = shared.reading();
    if (reading !== null) await reading;
    const session = memory.get(id) ?? (await memory.load(id));
    if (session === null) throw refuse('unknown-session', `there is no session ${id}`, 'Open it first.');
    return recorder.foresee(session, { ...proposal, id: proposal.id ?? randomUUID() });
  }

  /** The recorded step with this id among the candidates. */
  async function find(session: LiveSession, id: string, seqs: readonly number[]): Promise<Recorded | null> {
    for (const seq of seqs) {
      const [row] = await store.recorded(session.row.id, seq, 1);
      if (row === undefined || row.seq !== seq) continue;
      const step = JSON.parse(row.step) as Step;
      if (step.id !== id) continue;
      return {
        step,
        decision: JSON.parse(row.decision),
        stepDigest: row.stepDigest,
        stateDigest: row.stateDigest,
        ...(row.hold === null ? {} : { holdId: row.hold }),
      };
    }
    return null;
  }

  return { open, create, decide, foresee };
}

/** A retry is a retry only when it proposes the same. */
function checkSame(session: LiveSession, given: Proposal & { readonly id: string }, recorded: Step): void {
  const again = stepOf(session.row, given, recorded.seq, recorded.time);
  const { facts: _, ...proposed } = recorded;
  if (canonicalize(again) === canonicalize(proposed)) return;
  throw refuse(
    'duplicate-id',
    `the session ${session.row.id} has another step with the id ${given.id} (step ${recorded.seq})`,
    'Give every step an id of its own, and a retry the same content.',
  );
}

function checkResume(row: SessionRow, init: Opening): void {
  if (row.state === 'ended') {
    throw refuse('session-ended', `the session ${row.id} has ended`, 'Open one with another id.');
  }
  const { agent, principal = null, tenant = null } = init;
  const differs =
    agent.name !== row.agent.name
      ? 'agent'
      : principal !== row.principal
        ? 'principal'
        : tenant !== row.tenant
          ? 'tenant'
          : null;
  if (differs === null) return;
  throw refuse(
    'duplicate-id',
    `the session ${row.id} exists with another ${differs}`,
    `Open it with the ${differs} it began with, or give another id.`,
  );
}
