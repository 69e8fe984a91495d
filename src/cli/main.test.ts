// The command line as its users meet it: a process with arguments, output and an exit code.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { interlock as run } from './testing/run.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-cli-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const interlock = (...args: string[]) => run(args, dir);

const mistakes: [name: string, args: string[], message: RegExp][] = [
  ['an unknown command', ['srve'], /unknown command "srve"\. Did you mean "serve"\?/],
  ['an unknown option', ['serve', '--prot', '1'], /unknown option --prot\. Did you mean --port\?/],
  ['a port that is none', ['serve', '--port', '70000'], /--port is a port from 0 to 65535/],
  ['a host that is not loopback', ['serve', '--host', '0.0.0.0'], /not loopback.*no accounts/],
  ['a stray argument', ['serve', 'spec.yaml'], /--spec FILE/],
  [
    'a missing spec',
    ['serve', '--spec', 'nope.yaml', '--port', '0', '--no-otlp'],
    /nope\.yaml: cannot be read \(ENOENT\)/,
  ],
  ['a verb that is none', ['holds', 'aprove', 'x'], /unknown verb "aprove"/],
  ['a hold without id', ['holds', 'approve', '--url', 'http://127.0.0.1:1'], /needs the ID/],
  ['a server that is away', ['holds', 'list', '--url', 'http://127.0.0.1:1'], /cannot be reached/],
];
for (const [name, args, message] of mistakes) {
  test(`${name} is one clear line and exit code 2`, async () => {
    const { code, out, err } = await interlock(...args);
    assert.equal(code, 2, err);
    assert.match(err, message);
    assert.doesNotMatch(err, /\n\s+at /, 'no stack trace for a mistake of the user');
    assert.equal(out, '');
  });
}

test('help lists the commands, and each command has its own', async () => {
  const all = await interlock('help');
  assert.equal(all.code, 0);
  for (const command of ['serve', 'spec', 'replay', 'sessions', 'holds'])
    assert.match(all.out, new RegExp(`^  ${command} `, 'm'));
  const serve = await interlock('help', 'serve');
  assert.equal(serve.code, 0);
  assert.match(serve.out, /--otlp-port/);
  assert.match((await interlock('--version')).out, /^\d+\.\d+/);
});

test('a port in use is named', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, err } = await interlock(
    'serve',
    '--port',
    String(port),
    '--no-otlp',
    '--no-example',
    '--data',
    'taken',
  );
  other.close();
  assert.equal(code, 2);
  assert.match(err, new RegExp(`port ${port} is in use`));
});

test('a spec that does not check is shown with its place and not loaded', async () => {
  await writeFile(join(dir, 'bad.yaml'), 'interlock: 1\nname: bad\nruels: []\n');
  const { code, err } = await interlock(
    'serve',
    '--spec',
    'bad.yaml',
    '--port',
    '0',
    '--no-otlp',
    '--data',
    'bad',
  );
  assert.equal(code, 2);
  assert.match(err, /bad\.yaml:3:1.*ruels/);
  assert.match(err, /rules/);
});
