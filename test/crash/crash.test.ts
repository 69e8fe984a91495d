// Kills a process under load with SIGKILL at random moments, opens its data again, and checks that what it acknowledged
// is there and exact. INTERLOCK_CRASH_ROUNDS and INTERLOCK_CRASH_SEED run more of it, or the same again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Acknowledged, SESSIONS } from './load.ts';
import { seeded } from './random.ts';
import { verify } from './verify.ts';

const ROUNDS = Number(process.env.INTERLOCK_CRASH_ROUNDS ?? 10);
const SEED = Number(process.env.INTERLOCK_CRASH_SEED ?? Date.now() % 1_000_000);
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));
const DELAY_MS_MAX = 250;

test(`what was acknowledged survives SIGKILL, ${ROUNDS} times`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const directory = mkdtempSync(join(tmpdir(), 'interlock-crash-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const random = seeded(SEED);
  const acknowledged: Acknowledged[] = [];
  let steps = 0;
  let holds = 0;
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(
      ...(await runAndKill(directory, SEED + round * SESSIONS, round, random.below(DELAY_MS_MAX))),
    );
    const rounds = round === 0 ? [round] : [round - 1, round];
    const sessions = rounds.flatMap((of) => Array.from({ length: SESSIONS }, (_, i) => `r${of}-s${i}`));
    const verified = await verify(directory, sessions, acknowledged);
    steps += verified.steps;
    holds += verified.holds;
  }
  t.diagnostic(`${acknowledged.length} acknowledged, ${steps} steps and ${holds} holds verified`);
  assert.ok(acknowledged.length > ROUNDS && holds > 0);
});

/** Runs the load until `delayMs` after its first acknowledgement; what it had acknowledged when it was killed. */
async function runAndKill(
  directory: string,
  seed: number,
  round: number,
  delayMs: number,
): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [LOAD, directory, String(seed), String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const acknowledged: Acknowledged[] = [];
  const drained = (async () => {
    // A line that the kill cut short was not acknowledged.
    for await (const line of lines) if (line.endsWith('}')) acknowledged.push(JSON.parse(line));
  })();
  await Promise.race([once(lines, 'line'), exited]);
  await sleep(delayMs);
  child.kill('SIGKILL');
  const [code, signal] = await exited;
  assert.deepEqual([code, signal], [null, 'SIGKILL'], 'the load ended by itself');
  await drained;
  return acknowledged;
}
