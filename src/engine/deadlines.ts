// Records in each session whose deadline has passed that it has, so that what is owed and was not done is noticed in
// time, live and in replay alike: from then on it is a step like any other.
import type { Decision } from '../monitor/types.ts';
import type { Step } from '../step/types.ts';
import type { Store } from '../store/store.ts';
import { OWN_ID_PREFIX } from './build-step.ts';
import type { Memory } from './memory.ts';
import type { EngineLogLine } from './options.ts';
import type { Recorder } from './record.ts';
import { nextSeq, stateOf } from './session.ts';
import type { Finding } from './types.ts';

/** Name of the `check` step. */
const DEADLINE = 'deadline';
const SESSIONS_PER_ROUND = 200;

export interface Deadlines {
  /** Records a `check` step in every session in which something fell due before now. */
  noticeAll(): Promise<void>;
}

export function createDeadlines(
  store: Store,
  memory: Memory,
  recorder: Recorder,
  clock: () => number,
  log: (line: EngineLogLine) => void,
): Deadlines {
  /** Sessions that could not be loaded or written: said once, and left until they are opened again. */
  const failed = new Set<string>();

  async function notice(id: string): Promise<void> {
    let session = memory.get(id) ?? (await memory.load(id));
    while (session !== null && !memory.owns(session)) session = await memory.load(id);
    if (session === null || session.row.state === 'ended') return;
    const deadline = session.monitor.deadline(stateOf(session));
    // The session may be ahead of the store: what was owed may be done by now.
    if (deadline === null || deadline >= clock()) return void (await session.tail);
    await recorder.record(session, {
      id: `${OWN_ID_PREFIX}deadline:${nextSeq(session)}`,
      kind: 'check',
      name: DEADLINE,
    });
  }

  async function noticeAll(): Promise<void> {
    for (;;) {
      const ids = await store.overdueSessions(clock(), SESSIONS_PER_ROUND + failed.size);
      const waiting = ids.filter((id) => !failed.has(id));
      const results = await Promise.allSettled(waiting.map(notice));
      results.forEach((result, index) => {
        if (result.status === 'fulfilled') return;
        failed.add(waiting[index]!);
        const reason = (result.reason as Error).message;
        log({
          level: 'error',
          message: `a deadline of the session ${waiting[index]} was not recorded: ${reason}`,
        });
      });
      if (ids.length < SESSIONS_PER_ROUND + failed.size || waiting.length === 0) return;
    }
  }

  return { noticeAll };
}

/** What a reader must know when a deadline has passed and something is still owed. */
export function overdueFinding(step: Step, decision: Decision): Finding | null {
  const owed = decision.rules[0];
  if (step.kind !== 'check' || step.name !== DEADLINE || owed === undefined) return null;
  return {
    id: `overdue:${step.session}:${step.seq}`,
    kind: 'overdue-obligation',
    session: step.session,
    seq: step.seq,
    name: owed.rule,
    detail: owed.because,
    at: step.time,
  };
}
