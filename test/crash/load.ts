// The process that is killed: `node load.ts DIRECTORY SEED ROUND`. Runs agents against an engine until it dies, and
// prints each decision and each answer once it was acknowledged, one JSON object a line.
import { writeSync } from 'node:fs';
import { createEngine, EngineError } from '../../src/engine/index.ts';
import { paymentsSpec } from '../../src/engine/testing/payments-spec.ts';
import type { Engine, Proposal, Recorded } from '../../src/engine/types.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { type Random, seeded } from './random.ts';

/** What was acknowledged. */
export type Acknowledged =
  | {
      readonly t: 'step';
      readonly session: string;
      readonly seq: number;
      readonly id: string;
      readonly verdict: string;
      readonly stateDigest: string;
      readonly hold: string | null;
    }
  | { readonly t: 'answer'; readonly hold: string; readonly state: string; readonly answers: number };

export const SESSIONS = 8;
export function principalOf(session: string): string {
  return `user:${session.split('-', 1)[0]}`;
}

export const LIMITS = { sessionsInMemory: 5, stepsPerSnapshot: 15 };

function acknowledge(line: Acknowledged): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function main(directory: string, seed: number, round: number): Promise<void> {
  const store = await openSqliteStore({ directory });
  const engine = await createEngine({ store, specs: [paymentsSpec()], noSpec: 'deny', limits: LIMITS });
  const agents: Promise<void>[] = [];
  // New sessions, and those of the round that was killed before.
  for (const of of round === 0 ? [round] : [round - 1, round]) {
    for (let i = 0; i < SESSIONS; i++) agents.push(runAgent(engine, `r${of}-s${i}`, seeded(seed + i), round));
  }
  await Promise.all(agents);
}

async function runAgent(engine: Engine, session: string, random: Random, round: number): Promise<void> {
  try {
    // The sessions of a round are one principal's.
    const principal = principalOf(session);
    await engine.openSession({ id: session, agent: { name: `payer-${session}` }, principal });
  } catch (error) {
    if (error instanceof EngineError && error.problem.code === 'session-ended') return;
    throw error;
  }
  const loops = [0, 1].map((lane) => runLane(engine, session, random, `${round}-${lane}`));
  await Promise.all(loops);
}

async function runLane(engine: Engine, session: string, random: Random, lane: string): Promise<void> {
  for (let n = 0; ; n++) {
    const callId = `${lane}-${n}`;
    const account = random.below(3);
    const choice = random.below(10);
    if (choice < 4) await look(engine, session, callId, account);
    else if (choice < 8) await pay(engine, session, callId, account, random);
    else
      await send(
        engine,
        session,
        callId,
        { to: random.below(4), text: 'x'.repeat(random.below(2_000)) },
        random,
      );
    if (n > 40 && random.chance(0.02)) {
      await propose(engine, session, { id: `${callId}-end`, kind: 'session.end', name: '' });
    }
  }
}

async function propose(
  engine: Engine,
  session: string,
  proposal: Proposal & { readonly id: string },
): Promise<Recorded> {
  try {
    const recorded = await engine.decide(session, proposal);
    const { step, decision, stateDigest, holdId: hold = null } = recorded;
    acknowledge({
      t: 'step',
      session,
      seq: step.seq,
      id: step.id,
      verdict: decision.verdict,
      stateDigest,
      hold,
    });
    return recorded;
  } catch (error) {
    // An ended session ends its lanes; they wait to be killed with the rest.
    if (error instanceof EngineError && error.problem.code === 'session-ended') await new Promise(() => {});
    throw error;
  }
}

function call(name: string, callId: string, args: Proposal['args']): Proposal & { readonly id: string } {
  return { id: `${callId}-call`, kind: 'tool.call', name, callId, args: args! };
}

async function look(engine: Engine, session: string, callId: string, account: number): Promise<void> {
  await propose(engine, session, call('look', callId, { account }));
  const result = {
    id: `${callId}-result`,
    kind: 'tool.result',
    name: 'look',
    callId,
    result: { n: 1 },
  } as const;
  await propose(engine, session, result);
}

async function pay(engine: Engine, session: string, callId: string, account: number, random: Random) {
  const { decision } = await propose(engine, session, call('pay', callId, { account }));
  if (decision.verdict !== 'allow') return;
  const result = { id: `${callId}-result`, kind: 'tool.result', name: 'pay', callId } as const;
  if (random.chance(0.7)) await propose(engine, session, { ...result, error: { message: 'declined' } });
  else if (random.chance(0.5)) await propose(engine, session, { ...result, result: { ok: true } });
}

async function send(engine: Engine, session: string, callId: string, args: Proposal['args'], random: Random) {
  const { decision, holdId } = await propose(engine, session, call('send', callId, args));
  if (decision.verdict !== 'hold' || holdId === undefined) return;
  const approve = random.chance(0.8);
  for (const by of ['ann', 'bob']) {
    if (random.chance(0.2)) return;
    try {
      const hold = await engine.answerHold(holdId, { approve, by, role: 'reviewer' });
      acknowledge({ t: 'answer', hold: holdId, state: hold.state, answers: hold.answers.length });
    } catch (error) {
      // The other lane answered the same hold.
      if (!(error instanceof EngineError)) throw error;
    }
  }
  await propose(engine, session, { ...call('send', callId, args), id: `${callId}-again` });
}

if (import.meta.main) {
  const [directory, seed, round] = process.argv.slice(2);
  await main(directory!, Number(seed), Number(round));
}
