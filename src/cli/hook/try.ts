// Sends one shell command through the program that agents start, as the agent would, and says what comes back.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Json } from '../../step/types.ts';
import { UsageError } from '../args.ts';
import { paint, printable } from '../output.ts';
import type { Agent } from './agents.ts';
import { HOOK_PROGRAM } from './home.ts';

const SHELL_TOOLS = { 'claude-code': 'Bash', codex: 'Bash', 'gemini-cli': 'run_shell_command' } as const;

/** 0 when the command may run, 1 when not. It is recorded in a session of its own. */
export async function tryHook(home: string, agent: Agent | undefined, command: string): Promise<number> {
  if (agent === undefined || command === '')
    throw new UsageError("test needs an agent and a command: interlock hook test claude-code 'rm -rf /'");
  const program = join(home, HOOK_PROGRAM);
  if ((await access(program).catch(() => false)) === false)
    throw new UsageError('no hooks are installed; run: interlock hook install');
  const event = {
    session_id: `test-${randomUUID()}`,
    cwd: process.cwd(),
    hook_event_name: agent.before,
    tool_name: SHELL_TOOLS[agent.name],
    tool_input: { command },
    ...(agent.name === 'gemini-cli' ? {} : { tool_use_id: randomUUID() }),
  };
  const began = performance.now();
  const said = await answerOf(program, agent.name, JSON.stringify(event));
  const ms = Math.round(performance.now() - began);
  const because = refusalIn(said);
  if (because === null) {
    console.log(`${paint('green', 'may run')}  ${printable(command)}  (${ms} ms)`);
    return 0;
  }
  console.log(
    `${paint('red', 'may not run')}  ${printable(command)}  (${ms} ms)\n  ${printable(because, 2_000)}`,
  );
  return 1;
}

function answerOf(program: string, agent: string, event: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', [program, agent, process.execPath], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
    child.stdin.on('error', () => {});
    child.once('error', reject);
    child.once('close', () => resolve(said));
    child.stdin.end(event);
  });
}

function refusalIn(said: string): string | null {
  const answer = JSON.parse(said) as { [key: string]: Json };
  const own = (answer.hookSpecificOutput ?? {}) as { [key: string]: Json };
  if (own.permissionDecision === 'deny') return String(own.permissionDecisionReason);
  return answer.decision === 'deny' || answer.decision === 'block' ? String(answer.reason) : null;
}
