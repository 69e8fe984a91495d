// `interlock init` as a user runs it: on projects of TypeScript and Python, twice, without anything to find, with servers that answer
// and that do not. What it makes is held to golden files; `node test/init/init.test.ts --write` makes them anew.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLERK, DESK, type Files, projectOf } from './projects.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const GOLDEN = fileURLToPath(new URL('golden', import.meta.url));
const WRITE = process.argv.includes('--write');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function interlock(cwd: string, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

function project(t: TestContext, files: Files): string {
  const root = projectOf(files);
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function golden(name: string, text: string): void {
  const file = join(GOLDEN, name);
  if (WRITE) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'));
}

for (const [name, files] of [
  ['desk', DESK],
  ['clerk', CLERK],
] as const) {
  test(`${name}: a spec, its decisions, and the line to add`, async (t) => {
    const root = project(t, files);
    const made = await interlock(root, 'init');
    assert.equal(made.code, 0, made.stderr);
    golden(`${name}.txt`, made.stdout);
    golden(`${name}.yaml`, readFileSync(join(root, 'interlock.yaml'), 'utf8'));
    assert.equal((await interlock(root, 'spec', 'check', 'interlock.yaml')).code, 0);
    assert.equal((await interlock(root, 'spec', 'test', 'interlock.yaml')).code, 0);
    assert.equal((await interlock(root, 'spec', 'fmt', '--check', 'interlock.yaml')).code, 0);
  });
}

test('it writes over nothing that it is not told to, and nothing else at all', async (t) => {
  const root = project(t, { ...DESK, 'interlock.yaml': 'mine' });
  const before = readdirSync(root, { recursive: true });
  const refused = await interlock(root, 'init');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /interlock\.yaml is there already; --force/);
  const dry = await interlock(root, 'init', '--dry-run');
  assert.equal(dry.stdout, readFileSync(join(GOLDEN, 'desk.yaml'), 'utf8'));
  assert.equal(readFileSync(join(root, 'interlock.yaml'), 'utf8'), 'mine');
  assert.equal((await interlock(root, 'init', '--force')).code, 0);
  assert.notEqual(readFileSync(join(root, 'interlock.yaml'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(root, { recursive: true }), before);
});

test('as JSON, without what settings keep secret', async (t) => {
  const root = project(t, DESK);
  const { code, stdout } = await interlock(root, 'init', '--json', '--dry-run');
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /s3cret/);
  const found = JSON.parse(stdout);
  assert.equal(found.name, 'help-desk');
  assert.equal(found.spec, null);
  assert.equal(found.tools.length, 8);
  assert.ok(found.decisions.some(({ verdict }: { verdict: string }) => verdict === 'hold'));
});

test('a project with nothing to find is told so', async (t) => {
  const root = project(t, { 'README.md': 'x' });
  const { code, stdout } = await interlock(root, 'init');
  assert.equal(code, 1);
  assert.match(stdout, /Nothing was found/);
  assert.deepEqual(readdirSync(root), ['README.md']);
  const nowhere = await interlock(root, 'init', '--dir', 'nowhere');
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /--dir nowhere: cannot be read \(ENOENT\)/);
});

test('links are not followed, and what is too large is told', async (t) => {
  const outside = project(t, { 'secret.ts': "tool({ name: 'outside', description: 'd', parameters: {} });" });
  const root = project(t, {
    'a.ts': "tool({ name: 'get_a', description: 'd', parameters: {} });",
    'big.ts': ' '.repeat(1024 * 1024 + 1),
  });
  symlinkSync(outside, join(root, 'linked'));
  symlinkSync(join(outside, 'secret.ts'), join(root, 'linked.ts'));
  symlinkSync(root, join(root, 'circle'));
  const { stdout } = await interlock(root, 'init', '--json', '--dry-run');
  const found = JSON.parse(stdout);
  assert.deepEqual(
    found.tools.map(({ name }: { name: string }) => name),
    ['get_a'],
  );
  assert.deepEqual(found.cut, ['big.ts, which is larger than 1 MB']);
});

const SERVER = `
import { createInterface } from 'node:readline';
const tools = [
  { name: 'acme_42', description: 'x', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
  { name: 'wipe_all', inputSchema: { type: 'object', properties: { disk: { type: 'string' } }, required: ['disk'] } },
];
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') reply(id, { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: process.env.GREETING, version: '1' } });
  if (method === 'tools/list') reply(id, params.cursor ? { tools: [tools[1]] } : { tools: [tools[0]], nextCursor: '2' });
}
function reply(id, result) { process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n'); }
`;

test('servers are asked for their tools only when told to, and one that fails ends nothing', async (t) => {
  const root = project(t, {
    'server.test.mjs': SERVER,
    '.mcp.json': JSON.stringify({
      mcpServers: {
        here: { command: process.execPath, args: ['server.test.mjs'], env: { GREETING: 'hi' } },
        gone: { command: join(GOLDEN, 'no-such-program') },
        dies: { command: process.execPath, args: ['-e', '0'] },
      },
    }),
  });
  const unasked = JSON.parse((await interlock(root, 'init', '--json')).stdout);
  assert.deepEqual([unasked.tools, unasked.spec], [[], null]);
  const asked = await interlock(root, 'init', '--json', '--ask-servers');
  assert.equal(asked.code, 0, asked.stderr);
  const found = JSON.parse(asked.stdout);
  assert.deepEqual(
    found.tools.map(({ name }: { name: string }) => name),
    ['acme_42', 'wipe_all'],
  );
  assert.deepEqual(
    found.problems.map(({ why }: { why: string }) => why),
    ['gone: it did not start (ENOENT)', 'dies: it ended: exit code 0'],
  );
  assert.match(
    readFileSync(join(root, 'interlock.yaml'), 'utf8'),
    /effect: read # guessed from what its server says/,
  );
});
