// The launcher and the task runner: exit codes and signals pass through.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function run(...args: string[]) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  const add = (chunk: Buffer) => {
    out += chunk;
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const closed = once(child, 'close').then(([code]) => ({ code: code as number | null, out }));
  return {
    child,
    closed,
    shows: async (text: string) => {
      while (!out.includes(text)) await Promise.race([once(child.stdout, 'data'), closed]);
    },
  };
}

test('the launcher passes exit codes', async () => {
  assert.equal((await run('bin/interlock.js', 'version').closed).code, 0);
  assert.equal((await run('bin/interlock.js', 'nonsense').closed).code, 2);
});

test('a stop signal to the task runner stops the server in order', async () => {
  const data = await mkdtemp(join(tmpdir(), 'interlock-run-'));
  const options = ['--port', '0', '--no-otlp', '--no-example', '--data', data];
  const server = run('scripts/run.mjs', 'start', ...options);
  await server.shows('NONE LOADED');
  server.child.kill('SIGTERM');
  assert.deepEqual((await server.closed).code, 0);
  await rm(data, { recursive: true, force: true });
});

test('an unknown task is named', async () => {
  const { code, out } = await run('scripts/run.mjs', 'strat').closed;
  assert.equal(code, 2);
  assert.match(out, /unknown task "strat"/);
});
