// The main job from a terminal: start, watch the example be denied, repaired and held, restart it while it waits, approve
// it from the command line, stop.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
let dir: string;
const started = new Set<ChildProcessByStdio<null, Readable, null>>();

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-serve-'));
});
after(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

/** A server process whose output can be waited for. */
function serve(...args: string[]) {
  const argv = [MAIN, 'serve', '--port', '0', '--otlp-port', '0', '--data', join(dir, 'data'), ...args];
  const env = { ...process.env, OPENAI_BASE_URL: undefined, OPENAI_MODEL: undefined };
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], env });
  started.add(child);
  child.once('close', () => started.delete(child));
  let out = '';
  let changed = Promise.withResolvers<void>();
  const change = (chunk: Buffer | number | null) => {
    if (Buffer.isBuffer(chunk)) out += chunk;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stdout.on('data', change);
  child.once('close', change);
  return {
    child,
    async until(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const match = pattern.exec(out);
        if (match !== null) return match;
        if (child.exitCode !== null) assert.fail(`ended with ${child.exitCode}: ${out}`);
        await changed.promise;
      }
    },
    async stop(signal: NodeJS.Signals): Promise<number | null> {
      const closed = once(child, 'close');
      child.kill(signal);
      return ((await closed) as [number | null])[0];
    },
  };
}

async function interlock(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  return out;
}

test('the example is denied, held, survives kill -9, is approved and finishes', async () => {
  const first = serve();
  await first.until(/http:\/\/127\.0\.0\.1:\d+/);
  await first.until(/spec +support-example/);
  await first.until(/Call verify_identity with customer_id C-7 first/);
  const [, hold] = await first.until(/holds approve (\S+)/);
  await first.stop('SIGKILL');

  const second = serve();
  const [url] = await second.until(/http:\/\/127\.0\.0\.1:\d+/);
  await second.until(new RegExp(`goes on .*${hold}`));
  assert.match(await interlock('holds', 'list', '--url', url), new RegExp(`${hold} .*support-lead.*refund`));
  assert.match(await interlock('holds', 'approve', hold!, '--url', url), /refund .*approved/);
  await second.until(/Your refund of 240 is on its way/);
  await second.until(/The example is done/);
  assert.match(await interlock('holds', 'list', '--url', url), /Nothing is waiting/);
  assert.equal(await second.stop('SIGTERM'), 0);

  const third = serve();
  await third.until(/data +\//);
  assert.equal(await third.stop('SIGINT'), 0);
});

test('without a spec it says so loudly', async () => {
  const server = serve('--no-example', '--data', join(dir, 'none'));
  await server.until(/NONE LOADED: every step that could be stopped is DENIED/);
  assert.equal(await server.stop('SIGTERM'), 0);
});
