// What must be true of a data directory after a crash, whatever the moment.
import assert from 'node:assert/strict';
import { createEngine } from '../../src/engine/index.ts';
import {
  PAYMENTS_MAX,
  PRINCIPAL_PAYMENTS_MAX,
  paymentsSpec,
} from '../../src/engine/testing/payments-spec.ts';
import type { Engine, Hold, StepRow } from '../../src/engine/types.ts';
import { chainState, stateStart, stepDigest } from '../../src/step/digest.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { type Acknowledged, LIMITS, principalOf } from './load.ts';

export interface Verified {
  readonly steps: number;
  readonly holds: number;
}

/** Opens the directory again and checks the sessions and everything acknowledged of them. */
export async function verify(
  directory: string,
  sessions: readonly string[],
  acknowledged: readonly Acknowledged[],
): Promise<Verified> {
  const store = await openSqliteStore({ directory });
  const engine = await createEngine({ store, specs: [paymentsSpec()], noSpec: 'deny', limits: LIMITS });
  try {
    const verified = { steps: 0, holds: 0 };
    const holds = new Map<string, Hold>();
    const principals = new Map<string, { taken: number; open: string | null }>();
    for (const session of sessions) {
      const rows = await readAll(engine, session);
      if (rows.length === 0) continue;
      checkReplay(rows);
      const taken = checkPayments(rows);
      const shared = principals.get(principalOf(session)) ?? { taken: 0, open: null };
      shared.taken += taken;
      if (rows.at(-1)!.step.kind !== 'session.end') shared.open = session;
      principals.set(principalOf(session), shared);
      const summary = await engine.session(session);
      assert.equal(summary?.steps, rows.length);
      const held = await engine.holds({ session, limit: 1_000 });
      checkHolds(rows, held);
      for (const hold of held) holds.set(hold.id, hold);
      await checkGoesOn(engine, session, rows, taken);
      checkSteps(session, rows, acknowledged);
      verified.steps += rows.length;
      verified.holds += held.length;
    }
    checkAnswers(holds, acknowledged);
    for (const { taken, open } of principals.values()) {
      assert.ok(taken <= PRINCIPAL_PAYMENTS_MAX, `${taken} payments are taken by one principal`);
      if (open !== null) await checkShared(engine, open, taken);
    }
    return verified;
  } finally {
    await engine.close();
  }
}

async function readAll(engine: Engine, session: string): Promise<StepRow[]> {
  const all: StepRow[] = [];
  for (;;) {
    const { steps } = await engine.steps(session, { from: all.length, limit: 1_000 });
    all.push(...steps);
    if (steps.length < 1_000) return all;
  }
}

/** No gaps, and a fresh monitor over the recorded steps says and becomes what was recorded. */
function checkReplay(rows: readonly StepRow[]): void {
  const spec = paymentsSpec();
  const monitor = spec.createMonitor();
  const state = monitor.start();
  let digest = stateStart(spec.digest);
  rows.forEach((row, index) => {
    assert.equal(row.step.seq, index);
    const { decision, changes } = monitor.step(state, row.step);
    digest = chainState(digest, changes);
    assert.equal(row.stateDigest, digest);
    assert.equal(row.stepDigest, stepDigest(row.step));
    assert.deepEqual(row.decision, JSON.parse(JSON.stringify(decision)));
  });
}

/** Slots are exact: never more than the limit, and never refused by it while one was free. Those taken at the end. */
function checkPayments(rows: readonly StepRow[]): number {
  const taken = new Set<string>();
  for (const { step, decision } of rows) {
    if (step.name !== 'pay') continue;
    if (step.kind === 'tool.result' && step.error !== undefined) taken.delete(step.callId!);
    if (step.kind !== 'tool.call') continue;
    if (decision?.verdict === 'allow') taken.add(step.callId!);
    assert.ok(taken.size <= PAYMENTS_MAX);
    const limited = decision?.rules.some((rule) => rule.rule === 'three-payments');
    if (limited) assert.equal(taken.size, PAYMENTS_MAX);
  }
  return taken.size;
}

/** Every hold is in the state its session's steps say; every send that went through used up one approval. */
function checkHolds(rows: readonly StepRow[], holds: readonly Hold[]): void {
  const answers = new Map<string, StepRow>();
  const used = new Set<number>();
  for (const row of rows) {
    const { step, decision } = row;
    if (step.kind === 'approval') {
      const id = String(step.args?.hold);
      assert.ok(!answers.has(id), `the hold ${id} was answered twice`);
      answers.set(id, row);
    }
    if (step.kind !== 'tool.call' || step.name !== 'send' || decision?.verdict !== 'allow') continue;
    const approval = decision.witness.find((witness) => witness.kind === 'approval');
    assert.ok(approval, `step ${step.seq} was sent without an approval`);
    assert.ok(!used.has(approval.seq), `the approval ${approval.seq} was used twice`);
    used.add(approval.seq);
  }
  for (const hold of holds) {
    const answer = answers.get(hold.id);
    const ended = rows.at(-1)?.step.kind === 'session.end';
    if (answer === undefined) assert.equal(hold.state, ended ? 'expired' : 'pending');
    else if (answer.step.args?.approve !== true) assert.equal(hold.state, 'refused');
    else assert.equal(hold.state, used.has(answer.step.seq) ? 'used' : 'approved');
    if (answer === undefined) continue;
    assert.deepEqual(answer.step.args?.binding, hold.binding);
  }
  const ids = new Set(holds.map((hold) => hold.id));
  for (const row of rows) if (row.hold !== null) assert.ok(ids.has(row.hold.id));
}

/** The engine restores the session: a retry is recognised, and the next payment meets the slots as they were. */
async function checkGoesOn(engine: Engine, session: string, rows: readonly StepRow[], taken: number) {
  const row = rows.find(({ step }) => step.kind === 'tool.call');
  if (row === undefined) return;
  const { id, kind, name, callId, args } = row.step;
  const retried = await engine.decide(session, { id, kind, name, callId: callId!, args: args! });
  assert.deepEqual([retried.step, retried.stateDigest], [row.step, row.stateDigest]);
  if (rows.at(-1)?.step.kind === 'session.end') return;

  const call = { name: 'pay', callId: `after-${rows.length}` } as const;
  const { decision } = await engine.decide(session, { ...call, kind: 'tool.call', args: { account: 0 } });
  const limited = decision.rules.some(({ rule }) => rule === 'three-payments');
  assert.equal(limited, taken === PAYMENTS_MAX);
  await engine.decide(session, { ...call, kind: 'tool.result', error: { message: 'only a question' } });
}

/** What the sessions share is exactly what their records add up to. */
async function checkShared(engine: Engine, session: string, takenByAll: number) {
  const call = { name: 'pay', callId: `shared-${takenByAll}` } as const;
  const { step, decision } = await engine.decide(session, {
    ...call,
    kind: 'tool.call',
    args: { account: 0 },
  });
  assert.deepEqual(
    step.facts?.map((fact) => fact.value),
    [takenByAll],
  );
  const limited = decision.rules.some(({ rule }) => rule === 'all-payments');
  assert.equal(limited, takenByAll === PRINCIPAL_PAYMENTS_MAX);
  await engine.decide(session, { ...call, kind: 'tool.result', error: { message: 'only a question' } });
}

function checkSteps(session: string, rows: readonly StepRow[], acknowledged: readonly Acknowledged[]): void {
  for (const line of acknowledged) {
    if (line.t !== 'step' || line.session !== session) continue;
    const row = rows[line.seq];
    assert.ok(row, `step ${line.seq} of ${session} was acknowledged and is gone`);
    assert.deepEqual(
      [row.step.id, row.decision?.verdict, row.stateDigest, row.hold?.id ?? null],
      [line.id, line.verdict, line.stateDigest, line.hold],
    );
  }
}

/** An acknowledged answer may have been followed by others, but is never lost. */
function checkAnswers(holds: ReadonlyMap<string, Hold>, acknowledged: readonly Acknowledged[]): void {
  for (const line of acknowledged) {
    if (line.t !== 'answer') continue;
    const hold = holds.get(line.hold);
    if (hold === undefined) continue;
    assert.ok(hold.answers.length >= line.answers, `an answer to the hold ${line.hold} is gone`);
    if (line.state === 'refused') assert.equal(hold.state, 'refused');
    if (line.state === 'approved') assert.ok(hold.state === 'approved' || hold.state === 'used');
  }
}
