// What bench/gateway.ts asks: the upstream itself, and the gateways in front of it, each a process of its own. A peer that
// cannot be had is absent, with the reason.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { installPython } from '../peers/remote.ts';
import type { Address } from './load.ts';

export interface Target extends Address {
  readonly name: string;
  /** What it does besides passing bytes on. */
  readonly does: string;
  /** Null for the upstream itself. */
  readonly pid: number | null;
  /** Whether policies must keep the forbidden call back. */
  readonly guards: boolean;
  stop(): Promise<void>;
}

export type Launch = (upstreamPort: number, dir: string) => Promise<Target | { readonly absent: string }>;

const HERE = import.meta.dirname;
const PATH = '/v1/chat/completions';
const KEY = { authorization: 'Bearer sk-bench' };
const READY_MS = 120_000;

export const direct: Launch = async (port) => ({
  name: 'direct',
  does: 'the upstream itself, no gateway',
  port,
  path: PATH,
  headers: KEY,
  pid: null,
  guards: false,
  stop: async () => {},
});

export const interlock: Launch = async (upstreamPort, dir) => {
  const port = await freePort();
  const gateway = join(dir, 'gateway.yaml');
  await writeFile(
    gateway,
    `gateway: 1\nupstreams:\n  openai: { protocol: openai, url: "http://127.0.0.1:${upstreamPort}" }\n`,
  );
  const options = ['--gateway', gateway, '--spec', join(HERE, 'spec.yaml'), '--data', join(dir, 'data')];
  const child = start(process.execPath, [
    join(HERE, '../../src/cli/main.ts'),
    'serve',
    ...options,
    '--no-otlp',
    '--no-example',
    '--port',
    String(port),
  ]);
  return running(child, {
    name: 'interlock',
    does: 'ten rules on every step, each step durable before its answer is out',
    port,
    path: `/gateway/openai${PATH}`,
    headers: KEY,
    guards: true,
  });
};

export const proxy: Launch = async (upstreamPort) => {
  const port = await freePort();
  const child = start(process.execPath, [join(HERE, 'proxy.ts'), String(upstreamPort), String(port)]);
  return running(child, {
    name: 'bare proxy',
    does: 'node:http and undici, bodies parsed, nothing decided: what Node alone costs',
    port,
    path: PATH,
    headers: KEY,
    guards: false,
  });
};

export const portkey: Launch = async (upstreamPort) => {
  const main = join(HERE, '../node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(main)) return { absent: 'not installed (npm ci in bench/)' };
  const { version } = JSON.parse(await readFile(join(main, '../../package.json'), 'utf8')) as {
    version: string;
  };
  const port = await freePort();
  const child = start(process.execPath, [main, `--port=${port}`, '--headless'], { NODE_ENV: 'production' });
  return running(child, {
    name: `portkey ${version}`,
    does: '@portkey-ai/gateway, no guardrails, nothing recorded; waits 25 ms before the first event of a stream, by its own code',
    port,
    path: PATH,
    headers: {
      ...KEY,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
    guards: false,
  });
};

export const litellm: Launch = async (upstreamPort, dir) => {
  const python = await installPython('litellm', join(HERE, 'requirements.txt'));
  if ('absent' in python) return python;
  const port = await freePort();
  const config = join(dir, 'litellm.yaml');
  await writeFile(
    config,
    `model_list:\n  - model_name: gpt-4o\n    litellm_params:\n      model: openai/gpt-4o\n      api_base: http://127.0.0.1:${upstreamPort}/v1\n      api_key: sk-bench\ngeneral_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n`,
  );
  const child = start(
    join(python.bin, 'litellm'),
    ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
    { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR', DISABLE_ADMIN_UI: 'True' },
  );
  return running(child, {
    name: `litellm ${python.version}`,
    does: 'LiteLLM proxy, one worker, no guardrails, nothing recorded',
    port,
    path: PATH,
    headers: KEY,
    guards: false,
  });
};

function start(command: string, args: string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
}

/** Waits until the port answers; absent with the last words of the process when it ends before. */
async function running(
  child: ChildProcess,
  target: Omit<Target, 'pid' | 'stop'>,
): Promise<Target | { readonly absent: string }> {
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2_000);
  });
  const until = performance.now() + READY_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
    const answered = await fetch(`http://127.0.0.1:${target.port}/`).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    );
    if (answered) return { ...target, pid: child.pid!, stop: () => end(child) };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await end(child);
  return { absent: `${target.name} did not start: ${errors.trim().split('\n').at(-1)}` };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 8_000);
  await once(child, 'exit');
  clearTimeout(force);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
