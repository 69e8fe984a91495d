// Sessions decided by a running server, read out of its data directory beside it, exported, and replayed to the same bits.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningServer, startServer } from '../server/server.ts';
import { refusal } from './replay/refusal.ts';
import { run } from './sessions.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SPEC = `
interlock: 1
name: payments
applies: { agents: ["payer"] }
tools:
  check: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }
  pay: { effect: write }
rules:
  - id: check-first
    on: call pay
    require: past.exists("result check", e, e.result.ok && e.args.to == args.to)
    because: A payment needs a check of its receiver.
  - id: large
    on: call pay
    hold: args.amount > 100
    approve: { by: [lead], expires: 1h }
    because: Large payments need a lead.
  - id: receiver-is-named
    on: call pay
    require: origin(args.to).within(["user"])
    because: The user names the receiver.
`;

let dir: string;
let server: RunningServer;
const guarded = 'guarded';
const unspecified = 'unspecified';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-sessions-'));
  await writeFile(join(dir, 'spec.yaml'), SPEC);
  server = await startServer({
    port: 0,
    otlpPort: null,
    dataDir: join(dir, 'data'),
    specFiles: [join(dir, 'spec.yaml')],
  });
  const { engine } = server;
  const pay = { kind: 'tool.call', name: 'pay', args: { to: 'ada', amount: 500, note: 'naïve 😀' } } as const;
  await engine.openSession({ id: guarded, agent: { name: 'payer' }, principal: 'user:1' });
  await engine.decide(guarded, { kind: 'input', name: 'user', content: 'Pay ada 500' });
  await engine.decide(guarded, { ...pay, callId: 'p1' });
  await engine.decide(guarded, { kind: 'tool.call', name: 'check', callId: 'k', args: { to: 'ada' } });
  await engine.decide(guarded, { kind: 'tool.result', name: 'check', callId: 'k', result: { ok: true } });
  const held = await engine.decide(guarded, { ...pay, callId: 'p2' });
  assert.equal(held.decision.verdict, 'hold');
  await engine.answerHold(held.holdId!, { approve: true, by: 'lin', role: 'lead' });
  const paid = await engine.decide(guarded, { ...pay, callId: 'p3' });
  assert.equal(paid.decision.verdict, 'allow');
  await engine.endSession(guarded);
  await engine.openSession({ id: unspecified, agent: { name: 'stranger' } });
  await engine.decide(unspecified, { kind: 'tool.call', name: 'pay', callId: 'x', args: {} });
});
after(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

function sessions(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'sessions', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
const data = () => ['--data', join(dir, 'data')];

test('list and show, while the server runs', async () => {
  const listed = await sessions('list', ...data());
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /guarded +payer +ended +\d+ +1 hold, 1 deny/);
  assert.match(listed.stdout, /unspecified +stranger +open/);
  const shown = await sessions('show', guarded, ...data());
  assert.match(shown.stdout, /tool\.call pay +deny +check-first/);
  assert.match(shown.stdout, /approval/);
});

test('a live session replays to the same verdicts and state digests, from the record and from an export', async () => {
  const live = await sessions('replay', '--compare', ...data());
  assert.equal(live.code, 0, live.stdout + live.stderr);
  assert.match(live.stdout, /ok +guarded: \d+ steps/);
  assert.match(live.stdout, /ok +unspecified: \d+ steps/);
  const file = join(dir, 'all.jsonl');
  const exported = await sessions('export', '--all', '-o', file, ...data());
  assert.equal(exported.code, 0, exported.stderr);
  assert.equal((await stat(file)).mode & 0o077, 0, 'only its owner can read an export');
  const replayed = await sessions('replay', '--compare', file);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  assert.match(replayed.stdout, /2 identical, 0 different/);
});

test('an export that was changed is different, and says where', async () => {
  const { stdout } = await sessions('export', '--session', guarded, ...data());
  const recording = JSON.parse(stdout);
  assert.equal(recording.interlock, 1);
  assert.match(recording.spec.digest, /^sha256:/);
  recording.decisions[2].verdict = 'allow';
  await writeFile(join(dir, 'changed.jsonl'), `${JSON.stringify(recording)}\n`);
  const changed = await sessions('replay', '--compare', join(dir, 'changed.jsonl'));
  assert.equal(changed.code, 1);
  assert.match(
    changed.stdout,
    /different +guarded: step 2, tool\.call pay: verdict: recorded allow, replayed deny/,
  );

  const other = {
    ...JSON.parse(stdout),
    spec: {
      ...recording.spec,
      canonical: recording.spec.canonical.replace('500', '5').replace('100', '900'),
    },
  };
  await writeFile(join(dir, 'other-spec.jsonl'), `${JSON.stringify(other)}\n{broken\n`);
  const swapped = await sessions('replay', '--compare', join(dir, 'other-spec.jsonl'));
  assert.equal(swapped.code, 1);
  assert.match(swapped.stdout, /the recorded spec payments has the digest sha256:\w+, not sha256:/);
  assert.match(swapped.stdout, /other-spec\.jsonl:2: not JSON/);
  assert.match(swapped.stdout, /0 identical, 2 different/);
});

test('an export can be replayed under another spec', async () => {
  const file = join(dir, 'for-replay.jsonl');
  await writeFile(file, (await sessions('export', '--session', guarded, ...data())).stdout);
  assert.ok((await readFile(file, 'utf8')).endsWith('\n'));
  const run = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'replay', '--spec', join(dir, 'spec.yaml'), '--json', file],
      (_error, stdout) => resolve(stdout),
    );
  });
  assert.equal(JSON.parse(run).sessions, 1);
  assert.deepEqual(JSON.parse(run).verdicts, { allow: 2, transform: 0, hold: 1, deny: 1, halt: 0 });
});

test('what keeps it from running has exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['list', '--data', join(dir, 'nowhere')], /there is no record in/],
    [['show', 'ghost', ...data()], /no decided session ghost/],
    [['export', '--session', 'ghost', ...data()], /no decided session ghost/],
    [['export', ...data()], /either --session ID or --all/],
    [['replay', ...data()], /--compare/],
    [['dance'], /unknown verb "dance"/],
  ];
  for (const [args, expected] of cases) {
    const { code, message } = await refusal(run, args);
    assert.equal(code, 2, args.join(' '));
    assert.match(message, expected);
  }
});
