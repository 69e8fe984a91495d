// The command as scripts use it: exit codes, the decisions file, totals; one thread and several give the same bytes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { refusal } from './replay/refusal.ts';
import { run } from './replay.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SPEC = `
interlock: 1
name: shop
tools:
  get_order: { effect: read, output: { type: object, properties: { total: { type: number } } } }
  refund: { effect: write }
rules:
  - id: look-first
    on: call refund
    require: past.exists("result get_order", e, e.result.total >= args.amount)
    because: A refund needs the order.
    repair: Call get_order first.
  - id: watched
    on: call get_order
    deny: "true"
    mode: shadow
    because: We count these.
`;
const call = (id: string, name: string, args: object) => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
});
const session = (id: string) => ({
  id,
  agent: 'demo',
  messages: [
    { role: 'user', content: 'Refund order 7' },
    { role: 'assistant', content: null, tool_calls: [call('c0', 'refund', { amount: 5 })] },
    { role: 'tool', tool_call_id: 'c0', content: 'ERROR: denied' },
    { role: 'assistant', content: null, tool_calls: [call('c1', 'get_order', { id: 7 })] },
    { role: 'tool', tool_call_id: 'c1', content: 'id: 7\ntotal: 12.5' },
    { role: 'assistant', content: null, tool_calls: [call('c2', 'refund', { amount: 5 })] },
    { role: 'tool', tool_call_id: 'c2', content: 'ok' },
    { role: 'assistant', content: 'Done.' },
  ],
});

let dir: string;
const path = (name: string) => join(dir, name);

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-replay-'));
  await writeFile(path('spec.yaml'), SPEC);
  await writeFile(
    path('chat.jsonl'),
    `${JSON.stringify(session('one'))}\n\n${JSON.stringify(session('two'))}`,
  );
});
after(() => rm(dir, { recursive: true, force: true }));

function interlock(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('interlock replay', () => {
  test('writes a line for each decided step and prints totals', async () => {
    const { code, stdout, stderr } = await interlock(
      'replay',
      '--spec',
      path('spec.yaml'),
      '--decisions',
      path('out.jsonl'),
      '--json',
      path('chat.jsonl'),
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const totals = JSON.parse(stdout);
    assert.deepEqual([totals.sessions, totals.steps, totals.decided, totals.problems], [2, 20, 8, 0]);
    assert.deepEqual(totals.verdicts, { allow: 6, transform: 0, hold: 0, deny: 2, halt: 0 });
    assert.equal(totals.verdicts_by_rule['look-first'].deny, 2);
    assert.equal(totals.verdicts_by_rule.watched.deny, 2);
    assert.equal(typeof totals.steps_per_second, 'number');
    const decisions = (await readFile(path('out.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      decisions.map((line) => [
        line.session,
        line.index,
        line.message,
        line.call_id,
        line.kind,
        line.name,
        line.verdict,
      ]),
      [
        ['one', 2, 1, 'c0', 'tool.call', 'refund', 'deny'],
        ['one', 4, 3, 'c1', 'tool.call', 'get_order', 'allow'],
        ['one', 6, 5, 'c2', 'tool.call', 'refund', 'allow'],
        ['one', 8, 7, null, 'output', '', 'allow'],
        ['two', 2, 1, 'c0', 'tool.call', 'refund', 'deny'],
        ['two', 4, 3, 'c1', 'tool.call', 'get_order', 'allow'],
        ['two', 6, 5, 'c2', 'tool.call', 'refund', 'allow'],
        ['two', 8, 7, null, 'output', '', 'allow'],
      ],
    );
    const [denied, watched] = decisions;
    assert.deepEqual(
      [denied.rules, denied.repair, denied.mode],
      [['look-first'], 'Call get_order first.', 'enforce'],
    );
    assert.deepEqual([watched.rules, watched.would_be, watched.mode], [['watched'], 'deny', 'shadow']);
  });

  test('threads change neither totals nor a byte of the decisions', async () => {
    const line = (i: number) => JSON.stringify({ ...session(`s${i}`), note: 'x'.repeat(2000) });
    await writeFile(path('many.jsonl'), Array.from({ length: 400 }, (_, i) => line(i)).join('\n'));
    const run = (jobs: string) =>
      interlock(
        'replay',
        '--spec',
        path('spec.yaml'),
        '--jobs',
        jobs,
        '--decisions',
        path(`out${jobs}.jsonl`),
        '--json',
        path('many.jsonl'),
      );
    const [one, two] = [await run('1'), await run('2')];
    assert.deepEqual([one.code, two.code], [0, 0], two.stderr);
    assert.equal(await readFile(path('out2.jsonl'), 'utf8'), await readFile(path('out1.jsonl'), 'utf8'));
    const untimed = ({ stdout }: { stdout: string }) => ({
      ...JSON.parse(stdout),
      seconds: 0,
      steps_per_second: 0,
    });
    assert.deepEqual(untimed(two), untimed(one));
    assert.equal(untimed(one).sessions, 400);
  });

  test('a malformed record is a finding with its line; the rest is replayed', async () => {
    await writeFile(path('broken.jsonl'), `{"messages": [\n${JSON.stringify(session('fine'))}\n[1]\n`);
    const { code, stdout, stderr } = await interlock(
      'replay',
      '--spec',
      path('spec.yaml'),
      '--format',
      'chat',
      '--json',
      path('broken.jsonl'),
    );
    assert.equal(code, 1);
    assert.deepEqual([JSON.parse(stdout).sessions, JSON.parse(stdout).problems], [1, 2]);
    assert.match(stderr, /broken\.jsonl:1: not JSON at column 15/);
    assert.match(stderr, /broken\.jsonl:3: not a JSON object/);
  });

  test('bytes that are not UTF-8 are a finding', async () => {
    await writeFile(
      path('latin.jsonl'),
      Buffer.from(`\n{"id": "x", "messages": [{"role": "user", "content": "caf\xe9"}]}\n`, 'latin1'),
    );
    const { code, stderr } = await interlock('replay', '--spec', path('spec.yaml'), path('latin.jsonl'));
    assert.equal(code, 1);
    assert.match(stderr, /latin\.jsonl:2: bytes that are not UTF-8/);
  });

  test('what keeps it from running is said on stderr with exit code 2', async () => {
    await writeFile(path('bad.yaml'), 'interlock: 1\nname: x\ntols: {}\n');
    await writeFile(path('unknown.jsonl'), '{"a": 1}\n');
    const spec = ['--spec', path('spec.yaml')];
    const cases: [string[], RegExp][] = [
      [['replay', path('chat.jsonl')], /--spec FILE is needed/],
      [['replay', ...spec], /no INPUT given/],
      [['replay', ...spec, '--format', 'chta', path('chat.jsonl')], /Did you mean chat/],
      [['replay', ...spec, '--jobs', '0', path('chat.jsonl')], /--jobs is a number/],
      [['replay', ...spec, path('absent.jsonl')], /absent\.jsonl: cannot be read \(ENOENT\)/],
      [['replay', ...spec, dir], /not a file/],
      [['replay', ...spec, path('unknown.jsonl')], /cannot tell its format/],
      [['replay', '--spec', path('absent.yaml'), path('chat.jsonl')], /absent\.yaml: cannot be read/],
      [['replay', '--spec', path('bad.yaml'), path('chat.jsonl')], /tols/],
      [
        ['replay', ...spec, '--decisions', join(dir, 'no', 'out.jsonl'), path('chat.jsonl')],
        /cannot be written \(ENOENT\)/,
      ],
    ];
    for (const [[, ...args], expected] of cases) {
      const { code, message } = await refusal(run, args);
      assert.equal(code, 2, args.join(' '));
      assert.match(message, expected);
      assert.doesNotMatch(message, /\n {4}at /, 'no stack trace for a mistake of the user');
    }
  });
});
