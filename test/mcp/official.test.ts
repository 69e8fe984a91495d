// The proxy with what the protocol's makers publish: their conformance suite, their servers, and the Inspector's command
// line as a client. All of it stands in test/mcp/package.json, and is installed here when it is not.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const HERE = import.meta.dirname;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const OFFICIAL = join(HERE, 'node_modules', '@modelcontextprotocol');
const CONFORMANCE = join(OFFICIAL, 'conformance/dist/index.js');
const INSPECTOR = join(OFFICIAL, 'inspector/clients/launcher/build/index.js');
const EVERYTHING = [process.execPath, join(OFFICIAL, 'server-everything/dist/index.js')];
const FILESYSTEM = [process.execPath, join(OFFICIAL, 'server-filesystem/dist/index.js')];

const work = mkdtempSync(join(tmpdir(), 'interlock-official-'));
const started: ChildProcess[] = [];
after(async () => {
  for (const child of started) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(work, { recursive: true, force: true });
});

before(async () => {
  const modified = (path: string) => statSync(join(HERE, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const installed = modified('node_modules/.package-lock.json');
  if (installed > 0 && modified('package-lock.json') <= installed + 2_000) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, err } = await run('npm', args, HERE);
  assert.equal(code, 0, `npm ci in test/mcp failed: ${err}`);
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: string, args: readonly string[], cwd = work): Promise<Outcome> {
  const env = { ...process.env, HOME: work, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    text.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.err += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...text };
}

/** Starts a program that says its address on one of its first lines. */
async function address(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  return new Promise((resolve, reject) => {
    let said = '';
    const onData = (chunk: Buffer) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+\/mcp\S*/.exec(said);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', () => reject(new Error(`it ended: ${said}`)));
  });
}

function spec(name: string, text: string): string {
  const file = join(work, `${name}.yaml`);
  writeFileSync(file, `interlock: 1\nname: ${name}\n${text}`);
  return file;
}

/** Scenarios by name, as `passed/failed`. */
function scenarios(out: string): Map<string, string> {
  const summary = out.slice(out.indexOf('=== SUMMARY ==='));
  const found = summary.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm);
  return new Map([...found].map(([, name, passed, failed]) => [name!, `${passed}/${failed}`]));
}

/** Extensions are not asked of a server, and the one here has no tasks. */
const EXTENSION = 'tasks-';

test('the conformance suite says of the proxied server what it says of the server', {
  timeout: 120_000,
}, async (t) => {
  const direct = await address([join(HERE, 'conformance-server.mjs')]);
  const upstream = ['--upstream', `suite=${direct}`, '--pins', join(work, 'pins')];
  const proxied = await address([
    ...[MAIN, 'mcp', '--listen', '0', '--spec', spec('open', 'default: allow\n')],
    ...upstream,
  ]);
  for (const asked of [
    ['--requirements', '2026-07-28'],
    ['--spec-version', '2025-11-25', '--suite', 'all'],
    ['--spec-version', '2025-06-18', '--suite', 'all'],
  ])
    await t.test(asked.join(' '), async () => {
      const suite = (url: string) => run(process.execPath, [CONFORMANCE, 'server', '--url', url, ...asked]);
      const without = scenarios((await suite(direct)).out);
      const through = scenarios((await suite(proxied)).out);
      assert.ok(without.size >= 25, `${without.size} scenarios`);
      for (const [name, outcome] of through)
        if (!name.startsWith(EXTENSION)) assert.match(outcome, /^\d+\/0$/, name);
      assert.deepEqual(through, without);
    });
});

const inspect = (command: readonly string[], ...asked: string[]) =>
  run(process.execPath, [INSPECTOR, '--cli', ...command, ...asked]);
const guarded = (specFile: string, command: readonly string[], ...options: string[]) => [
  ...[process.execPath, MAIN, 'mcp', '--spec', specFile, ...options],
  ...command,
];
const callTool = (name: string, ...args: string[]) => [
  ...['--method', 'tools/call', '--tool-name', name],
  ...args.flatMap((arg) => ['--tool-arg', arg]),
];

test('the everything server through the Inspector: the same lists and results, but for what the spec leaves out', {
  timeout: 120_000,
}, async () => {
  const file = spec(
    'everything',
    `default: allow
rules:
  - { id: small, on: call get-sum, require: args.a + args.b <= 10, because: Small sums., repair: Add less. }
  - { id: env, on: call get-env, deny: "true", because: Nobody reads the environment. }
`,
  );
  const through = guarded(file, EVERYTHING);
  const same = [
    ...['resources/list', 'resources/templates/list', 'prompts/list'].map((method) => ['--method', method]),
    callTool('get-sum', 'a=2', 'b=3'),
    callTool('get-structured-content', 'location=Chicago'),
    ['--method', 'resources/read', '--uri', 'demo://resource/static/document/features.md'],
  ];
  await Promise.all(
    same.map(async (asked) => {
      const [direct, proxied] = await Promise.all([
        inspect(EVERYTHING, ...asked),
        inspect(through, ...asked),
      ]);
      assert.equal(proxied.code, 0, proxied.err);
      assert.equal(proxied.out, direct.out, asked.join(' '));
    }),
  );
  const list = ['--method', 'tools/list'];
  const [direct, proxied] = await Promise.all([inspect(EVERYTHING, ...list), inspect(through, ...list)]);
  const tools = (JSON.parse(direct.out) as { tools: { name: string }[] }).tools;
  const shown = tools.filter(({ name }) => name !== 'get-env');
  assert.equal(shown.length, tools.length - 1);
  assert.deepEqual(JSON.parse(proxied.out), { tools: shown });
  const denied = await inspect(through, ...callTool('get-sum', 'a=20', 'b=3'));
  assert.match(denied.out, /Denied by policy \(small\): Small sums\. What to do instead: Add less\./);
});

test('the filesystem server as docs/mcp.md says it', { timeout: 60_000 }, async () => {
  const page = readFileSync(join(HERE, '../../docs/mcp.md'), 'utf8');
  const block = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
  const folder = mkdtempSync(join(work, 'files-'));
  writeFileSync(join(folder, 'note.txt'), 'hello\n');
  writeFileSync(join(folder, 'key.pem'), 'secret\n');
  writeFileSync(join(folder, 'files.yaml'), block('yaml'));
  // As it is written there, but with what is installed here.
  const config = JSON.parse(block('json')) as { mcpServers: { files: { command: string; args: string[] } } };
  const { files } = config.mcpServers;
  const at = files.args.indexOf('npx');
  assert.deepEqual([files.command, files.args[0]], ['npx', 'interlock']);
  assert.deepEqual(files.args.slice(at, at + 3), ['npx', '-y', '@modelcontextprotocol/server-filesystem']);
  files.command = process.execPath;
  files.args = [MAIN, ...files.args.slice(1, at), ...FILESYSTEM, ...files.args.slice(at + 3)];
  writeFileSync(join(folder, 'mcp.json'), JSON.stringify(config));
  const ask = (...asked: string[]) =>
    run(
      process.execPath,
      [INSPECTOR, '--cli', '--config', 'mcp.json', '--server', 'files', ...asked],
      folder,
    );
  const [list, note, key, write] = await Promise.all([
    ask('--method', 'tools/list'),
    ask(...callTool('read_text_file', 'path=note.txt')),
    ask(...callTool('read_text_file', 'path=key.pem')),
    ask(...callTool('write_file', 'path=note.txt', 'content=gone')),
  ]);
  const { tools } = JSON.parse(list.out) as { tools: { name: string }[] };
  assert.deepEqual(tools.map(({ name }) => name).sort(), ['list_directory', 'read_text_file']);
  assert.match(note.out, /hello/);
  assert.match(
    key.out,
    /Denied by policy \(no-keys\): Keys are not read\. What to do instead: Ask the person/,
  );
  assert.doesNotMatch(key.out, /secret/);
  assert.notEqual(write.code, 0);
  assert.equal(readFileSync(join(folder, 'note.txt'), 'utf8'), 'hello\n');
});
