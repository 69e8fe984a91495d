// Live sessions: owns their state, decides each step in memory, and answers when the decision is durable.
import { holdAt, StoreError } from '../store/store.ts';
import { createChecks } from './checks.ts';
import { createDeadlines } from './deadlines.ts';
import { createEscalations } from './escalations.ts';
import { createEvents } from './events.ts';
import { createHolds } from './holds.ts';
import { loadSession } from './load.ts';
import { createMemory } from './memory.ts';
import { createObserver } from './observe.ts';
import { ENGINE_LIMITS, type EngineOptions } from './options.ts';
import { EngineError, refuse } from './problem.ts';
import { createRecorder, storeFailed } from './record.ts';
import { createSessions } from './sessions.ts';
import { createShared } from './shared.ts';
import { createSpecs, storedSpecs } from './specs.ts';
import { createStops } from './stops.ts';
import { createTimer } from './timer.ts';
import type { Engine, Finding } from './types.ts';

const LIST_DEFAULT = 200;
const LIST_MAX = 1_000;

/**
 * Opens an engine on a store, which it owns from then on: `close` closes it. All methods reject with `EngineError` for
 * what a caller can understand. Rejects when a spec is not what its digest says, or the store cannot be written.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { store, clock = Date.now, log = () => {} } = options;
  const limits = { ...ENGINE_LIMITS, ...options.limits };
  const { emit, subscribe } = createEvents(log);
  const specs = createSpecs(options, store);
  await store.append(storedSpecs(options.specs).map((row) => ({ t: 'spec', row }))).catch(failStore);

  const memory = createMemory(limits, store, (id) =>
    loadSession(id, store, specs, shared.join, recordFinding),
  );
  const expiry = createTimer(
    'expired holds were not closed',
    clock,
    () => holds.closeExpired(),
    store.nextExpiry,
    log,
  );
  const due = createTimer(
    'passed deadlines were not recorded',
    clock,
    () => deadlines.noticeAll(),
    () => store.nextDeadline(clock()),
    log,
  );
  const escalations = createEscalations(store, clock, emit, log);
  const stops = createStops(store, clock, emit);
  await stops.load().catch(failStore);
  const shared = createShared(store);
  await shared.join(options.specs.map(specs.monitorOf)).catch(failStore);
  const recorder = createRecorder({
    store,
    shared,
    stops,
    memory,
    limits,
    clock,
    emit,
    onHold(hold) {
      expiry.expect(hold.expiresAt);
      escalations.expect(hold);
    },
    onDeadline: due.expect,
  });
  const sessions = createSessions({ options, store, memory, specs, recorder, shared, clock });
  const holds = createHolds(store, memory, recorder, clock, emit);
  const checks = createChecks(memory, recorder, options.getEvidence);
  const deadlines = createDeadlines(store, memory, recorder, clock, log);
  const observer = createObserver(
    store,
    limits,
    emit,
    log,
    options.stopUnguarded ? stopUnguarded : undefined,
  );

  /** A tool ran past its guard: the agent does nothing more until a person has looked. */
  async function stopUnguarded(agent: string, finding: Finding): Promise<void> {
    if (stops.isStopped(agent)) return;
    const reason = `the tool ${finding.name} ran without a decision in the session ${finding.session}`;
    const request = {
      agent,
      version: null,
      tool: null,
      tenant: null,
      reason: reason.slice(0, 200),
      by: 'interlock',
    };
    // In force in this process whatever the store says; the spans are on record either way.
    await stops.stop(request).catch((error: unknown) => log({ level: 'error', message: String(error) }));
    log({ level: 'error', message: `the agent ${agent} is stopped: ${reason}` });
  }

  async function recordFinding(finding: Finding): Promise<void> {
    await store.append([{ t: 'finding', row: { finding, observed: false } }]);
    log({ level: 'error', message: `the session ${finding.session}: ${finding.detail}` });
    emit({ type: 'finding', session: finding.session, finding: finding.id });
  }

  const nextExpiry = await store.nextExpiry().catch(failStore);
  if (nextExpiry !== null) expiry.expect(nextExpiry);
  const nextDeadline = await store.nextDeadline(0).catch(failStore);
  if (nextDeadline !== null) due.expect(nextDeadline);
  await escalations.load().catch(failStore);
  let closing: Promise<void> | null = null;

  return {
    openSession: (init) => sessions.open(init).catch(failStore),
    newSession(init) {
      const { id, opened } = sessions.create(init);
      return { id, opened: opened.catch(failStore) };
    },
    decide: (session, proposal, early) => sessions.decide(session, proposal, { early }).catch(failStore),
    note: (session, proposal) => sessions.decide(session, proposal, { patient: true }).catch(failStore),
    foresee: (session, proposal) => sessions.foresee(session, proposal).catch(failStore),
    check: (session, request) => checks.check(session, request).catch(failStore),
    stop: (request) => stops.stop(request).catch(failStore),
    liftStop: (id, by) => stops.lift(id, by).catch(failStore),
    adoptStops: (given) => stops.adopt(given).catch(failStore),
    stops: ({ inForce = false, limit = LIST_DEFAULT }) =>
      store.stops({ inForce, limit: bounded(limit) }).catch(failStore),
    endSession: (session) => sessions.decide(session, { kind: 'session.end', name: '' }).catch(failStore),
    observe: (spans, observations) => observer.observe(spans, observations).catch(failStore),
    answerHold: (hold, answer) => holds.answer(hold, answer).catch(failStore),
    async hold(id) {
      const stored = await store.hold(id).catch(failStore);
      return stored === null ? null : holdAt(stored.hold, clock());
    },
    holds: ({ limit = LIST_DEFAULT, ...filter }) =>
      store.holds({ ...filter, limit: bounded(limit) }, clock()).catch(failStore),
    session: (id) => store.session(id, clock()).catch(failStore),
    sessions: ({ limit, ...query }) =>
      store.sessions({ ...query, limit: bounded(limit) }, clock()).catch(failStore),
    steps: (session, { from, limit }) =>
      store.steps(session, { from, limit: bounded(limit) }, clock()).catch(failStore),
    findings: ({ limit = LIST_DEFAULT, ...filter }) =>
      store.findings({ ...filter, limit: bounded(limit) }).catch(failStore),
    coverage: (since) => store.coverage(since).catch(failStore),
    spec: (digest) => store.spec(digest).catch(failStore),
    subscribe,
    close() {
      closing ??= Promise.all([expiry.stop(), due.stop(), escalations.stop()]).then(() => store.close());
      return closing;
    },
  };
}

function bounded(limit: number): number {
  return Math.min(LIST_MAX, Math.max(1, Math.trunc(limit)));
}

/** A store's failure as the engine's problem; anything else is passed on. */
function failStore(error: unknown): never {
  if (error instanceof EngineError || !(error instanceof StoreError)) throw error;
  if (error.code === 'invalid-cursor') throw refuse('invalid', error.message, 'Start from the first page.');
  throw storeFailed(error);
}
