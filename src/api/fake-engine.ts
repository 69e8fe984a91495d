// For tests of the doors alone: an engine in memory whose verdict is the tool's name, so that a test says what it wants.
// `allow`, `deny`, `hold`, `halt`, `transform`; a hold whose answer was an approval allows the same call once.
import { randomUUID } from 'node:crypto';
import { refuse } from '../engine/problem.ts';
import type {
  Answer,
  Engine,
  EngineEvent,
  Hold,
  Proposal,
  Recorded,
  SessionSummary,
} from '../engine/types.ts';
import type { Decision, RuleOutcome, Verdict } from '../monitor/types.ts';
import { VERDICTS } from '../monitor/types.ts';
import type { Step } from '../step/types.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

export interface FakeEngine extends Engine {
  /** Every step that was decided, in order. */
  readonly recorded: Recorded[];
  /** Set to make the next calls fail with it. */
  fail: Error | null;
  holdMs: number;
  emit(event: EngineEvent): void;
}

export function fakeEngine(): FakeEngine {
  const sessions = new Map<string, SessionSummary>();
  const holds = new Map<string, Hold>();
  const listeners = new Set<(event: EngineEvent) => void>();
  const recorded: Recorded[] = [];

  function known(id: string): SessionSummary {
    if (engine.fail !== null) throw engine.fail;
    const session = sessions.get(id);
    if (session === undefined) throw refuse('unknown-session', `no session ${id}`);
    if (session.state === 'ended') throw refuse('session-ended', `${id} has ended`);
    return session;
  }

  function verdictOf(proposal: Proposal): Verdict {
    if (proposal.kind !== 'tool.call') return 'allow';
    const wanted = VERDICTS.find((verdict) => proposal.name.startsWith(verdict)) ?? 'allow';
    if (wanted !== 'hold') return wanted;
    const answered = [...holds.values()].find(
      (hold) => hold.callId === proposal.callId && hold.state === 'approved',
    );
    if (answered === undefined) return 'hold';
    set({ ...answered, state: 'used' });
    return 'allow';
  }

  function set(hold: Hold): Hold {
    holds.set(hold.id, hold);
    engine.emit({ type: 'hold', session: hold.session, hold: hold.id, state: hold.state });
    return hold;
  }

  function decide(id: string, proposal: Proposal): Recorded {
    const session = known(id);
    const verdict = verdictOf(proposal);
    const step: Step = {
      ...proposal,
      id: proposal.id ?? randomUUID(),
      session: id,
      seq: session.steps,
      time: Date.now(),
    };
    const decision = decisionOf(step, verdict);
    sessions.set(id, { ...session, steps: session.steps + 1 });
    const record: Recorded = { step, decision, stepDigest: DIGEST, stateDigest: DIGEST };
    recorded.push(record);
    engine.emit({ type: 'step', session: id, seq: step.seq });
    if (verdict !== 'hold') return record;
    const hold = set(holdOf(step, engine.holdMs));
    return { ...record, holdId: hold.id };
  }

  const engine: FakeEngine = {
    recorded,
    fail: null,
    holdMs: 60_000,
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    async openSession(init) {
      if (engine.fail !== null) throw engine.fail;
      const opened = sessions.get(init.id ?? '') ?? summaryOf(init.id ?? randomUUID(), init.agent.name);
      sessions.set(opened.id, opened);
      return opened;
    },
    newSession(init) {
      const id = randomUUID();
      return { id, opened: this.openSession({ ...init, id }) };
    },
    async decide(id, proposal, early) {
      const made = decide(id, proposal);
      early?.(made);
      return made;
    },
    note: async (id, proposal) => decide(id, proposal),
    foresee: async (_id, proposal) => ({ verdict: verdictOf(proposal), rules: [], watch: { t: 'free' } }),
    async check(session, { name, subject }) {
      return this.decide(session, { kind: 'check', name, args: { subject }, result: { passed: true } });
    },
    async stop(request) {
      return { ...request, id: randomUUID(), at: Date.now(), lifted: null };
    },
    async liftStop(id) {
      throw refuse('unknown-stop', `no stop ${id}`);
    },
    adoptStops: async () => {},
    stops: async () => [],
    coverage: async () => [],
    async endSession(id) {
      const ended = decide(id, { kind: 'session.end', name: '' });
      sessions.set(id, { ...known(id), state: 'ended' });
      return ended;
    },
    async answerHold(id, answer: Answer) {
      const hold = holds.get(id);
      if (hold === undefined) throw refuse('unknown-hold', `no hold ${id}`);
      if (hold.state !== 'pending') throw refuse('hold-closed', `${id} is ${hold.state}`);
      const answers = [{ reason: null, ...answer, at: Date.now() }];
      return set({ ...hold, state: answer.approve ? 'approved' : 'refused', answers });
    },
    async hold(id) {
      const hold = holds.get(id) ?? null;
      return hold?.state === 'pending' && Date.now() > hold.expiresAt ? { ...hold, state: 'expired' } : hold;
    },
    holds: async ({ state }) =>
      [...holds.values()].filter((hold) => state === undefined || hold.state === state),
    session: async (id) => sessions.get(id) ?? null,
    sessions: async () => ({ sessions: [...sessions.values()], next: null }),
    async steps(id) {
      const steps = recorded.filter(({ step }) => step.session === id);
      return {
        steps: steps.map((row) => ({ ...row, span: null, finding: null, hold: null })),
        total: steps.length,
      };
    },
    observe: async () => {},
    findings: async () => [],
    spec: async () => null,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
  };
  return engine;
}

function decisionOf(step: Step, verdict: Verdict): Decision {
  const outcome: RuleOutcome = {
    rule: `${verdict}-rule`,
    verdict,
    mode: 'enforce',
    cause: 'violated',
    because: `because ${verdict}`,
    witness: [],
    controls: [],
  };
  return {
    session: step.session,
    seq: step.seq,
    step: step.id,
    verdict,
    wouldBe: verdict,
    mode: 'enforce',
    rules: verdict === 'allow' ? [] : [outcome],
    witness: [],
    ...(verdict === 'deny' ? { repair: 'Call allow first.' } : {}),
    ...(verdict === 'transform' ? { transformed: { changed: true } } : {}),
    ...(verdict === 'hold' ? { binding: DIGEST } : {}),
    spec: DIGEST,
    engine: 'fake',
  };
}

function holdOf(step: Step, lastsMs: number): Hold {
  return {
    id: randomUUID(),
    session: step.session,
    seq: step.seq,
    callId: step.callId ?? null,
    kind: step.kind,
    name: step.name,
    args: step.args ?? {},
    binding: DIGEST,
    rules: ['hold-rule'],
    because: 'because hold',
    by: ['lead'],
    quorum: 1,
    state: 'pending',
    createdAt: step.time,
    expiresAt: step.time + lastsMs,
    answers: [],
  };
}

function summaryOf(id: string, agent: string): SessionSummary {
  return {
    id,
    agent: { name: agent },
    principal: null,
    tenant: null,
    state: 'open',
    guarded: true,
    startedAt: Date.now(),
    lastAt: Date.now(),
    steps: 0,
    verdicts: { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 },
    findings: 0,
    title: null,
    spec: DIGEST,
    specName: 'fake',
  };
}
