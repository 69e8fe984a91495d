// What a hook costs a coding agent at each step, the whole way as it sees it: the decision by pack `coding` durable, from the
// event to the answer. By HTTP, and by the program that it starts through a shell; beside an empty program in the same Node.
//   node bench/hooks.ts
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { machine, median, quantile } from './measure/measure.ts';

const BIN = fileURLToPath(new URL('../bin/interlock.js', import.meta.url));
const ROUNDS = 5;
const PER_ROUND = { http: 300, process: 60 };

const home = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
mkdirSync(join(home, '.codex'));
const env = { ...process.env, HOME: home };
const run = promisify(execFile);
const port = await freePort();
const interlock = (...args: string[]) => run(process.execPath, [BIN, ...args], { env });

let calls = 0;
function event(name: 'PreToolUse' | 'PostToolUse'): string {
  const command = `cd src && grep -rn 'word ${calls}' . | head -${1 + (calls % 50)} > /tmp/found`;
  return JSON.stringify({
    session_id: 'bench',
    cwd: '/work/shop',
    hook_event_name: name,
    permission_mode: 'default',
    tool_name: 'Bash',
    tool_input: { command, description: 'Look for it' },
    tool_use_id: `toolu_${calls}`,
    ...(name === 'PostToolUse'
      ? { tool_response: { stdout: 'src/a.ts:1: word\n'.repeat(40), stderr: '' } }
      : {}),
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1_000_000;
}

async function byHttp(body: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/hooks/claude-code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  allowed(await response.text());
}

function byProcess(command: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    child.once('error', reject);
    child.once('close', () => {
      if (body !== '') allowed(said);
      resolve();
    });
    child.stdin.end(body);
  });
}

function allowed(said: string): void {
  if (said !== '{}') throw new Error(`not allowed: ${said}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

await interlock('hook', 'install', 'codex', '--port', String(port));
const { hooks } = JSON.parse(readFileSync(join(home, '.codex/hooks.json'), 'utf8'));
const command: string = hooks.PreToolUse[0].hooks[0].command;
const empty = `'${process.execPath}' -e ''`;

const found = new Map<string, { p50: number[]; p99: number[] }>();
async function round(name: string, count: number, one: () => Promise<void>, kept: boolean): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    calls += 1;
    times.push(await timed(one));
  }
  if (!kept) return;
  const row = found.get(name) ?? { p50: [], p99: [] };
  row.p50.push(quantile(times, 0.5));
  row.p99.push(quantile(times, 0.99));
  found.set(name, row);
}

try {
  await byProcess(command, event('PreToolUse').replace('"bench"', '"bench-process"'));
  for (let n = -1; n < ROUNDS; n++) {
    const kept = n >= 0;
    await round('HTTP, before a tool', PER_ROUND.http, () => byHttp(event('PreToolUse')), kept);
    await round('HTTP, after it', PER_ROUND.http, () => byHttp(event('PostToolUse')), kept);
    const other = (name: 'PreToolUse' | 'PostToolUse') => event(name).replace('"bench"', '"bench-process"');
    await round(
      'program, before a tool',
      PER_ROUND.process,
      () => byProcess(command, other('PreToolUse')),
      kept,
    );
    await round('program, after it', PER_ROUND.process, () => byProcess(command, other('PostToolUse')), kept);
    await round('an empty program', PER_ROUND.process, () => byProcess(empty, ''), kept);
  }
  console.log(machine());
  console.table(
    Object.fromEntries(
      [...found].map(([name, { p50, p99 }]) => [
        name,
        { 'p50 ms': median(p50).toFixed(1), 'p99 ms': median(p99).toFixed(1) },
      ]),
    ),
  );
} finally {
  await interlock('hook', 'uninstall');
  rmSync(home, { recursive: true, force: true });
}
