// Peers in Go and Python: built or installed in a temporary directory when the language is on the machine and its
// packages can be had; otherwise absent, with the reason.
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Answers, Remote } from './peer.ts';
import { boundOf, type Call, type Rule, type Verified } from './rules.ts';

const exec = promisify(execFile);
const SETUP_TIMEOUT_MS = 600_000;
const RUN_TIMEOUT_MS = 60_000;

function cacheOf(name: string): string {
  const directory = join(tmpdir(), `interlock-bench-${name}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** Empty when all went well, else the last line of what went wrong. */
async function setUp(command: string, args: string[], cwd?: string): Promise<string> {
  try {
    await exec(command, args, { cwd, timeout: SETUP_TIMEOUT_MS, maxBuffer: 1 << 26 });
    return '';
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT') return `${command} is not on this machine`;
    return `${command} ${args[0]} failed: ${stderr?.trim().split('\n').at(-1) ?? code}`;
  }
}

async function ask(
  command: string,
  args: string[],
  request: object,
): Promise<Answers | { readonly absent: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: RUN_TIMEOUT_MS });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(request));
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (child.signalCode !== null) return { absent: `not done in ${RUN_TIMEOUT_MS / 1_000} s` };
  if (code !== 0) return { absent: `it failed: ${errors.trim().split('\n').at(-1)}` };
  return JSON.parse(out) as Answers;
}

export const opa: Remote = {
  name: 'OPA (Go library)',
  does: 'prepared query; the history is part of the input, which is parsed beforehand, untimed',
  async run(rules, history, calls, budgetMs) {
    const binary = join(cacheOf('opa'), 'opa-bench');
    opaBuilt ??= setUp('go', ['build', '-o', binary, '.'], join(import.meta.dirname, 'opa'));
    const built = await opaBuilt;
    if (built !== '') return { absent: built };
    const inputs = calls.map(({ name, args }) => ({ name, args }));
    return ask(binary, [], { policy: regoOf(rules), inputs, history, budgetMs });
  },
};
let opaBuilt: Promise<string> | undefined;

function regoOf(rules: readonly Rule[]): string {
  const bodies = rules.map((rule) =>
    rule.kind === 'bound'
      ? `broken contains "${rule.id}" if {\n\tinput.name == "act_${rule.tool}"\n\tinput.args.amount > ${boundOf(rule)}\n}`
      : `seen_${rule.n} if {\n\tsome e in input.history\n\te.name == "verify_${rule.tool}"\n\te.args.id == input.args.id\n\te.result.ok\n\te.result.total >= ${rule.n}\n}\n\nbroken contains "${rule.id}" if {\n\tinput.name == "act_${rule.tool}"\n\tnot seen_${rule.n}\n}`,
  );
  return ['package field', 'default allow := false', 'allow if count(broken) == 0', ...bodies].join('\n\n');
}

export const invariant: Remote = {
  name: 'Invariant analyzer (Python)',
  does: 'analyze_pending over the whole trace of messages, handed in with every call',
  async run(rules, history, calls, budgetMs) {
    const directory = cacheOf('invariant');
    const python = join(directory, 'bin', 'python');
    invariantReady ??= installInvariant(directory, python);
    const ready = await invariantReady;
    if (ready !== '') return { absent: ready };
    const past = history.flatMap(messagesOf);
    const traces = calls.map(({ name, args }) => [...past, callMessage('call_now', name, args)]);
    const script = join(import.meta.dirname, 'invariant', 'evaluate.py');
    return ask(python, [script], { policy: invariantOf(rules), traces, budgetMs });
  },
};
let invariantReady: Promise<string> | undefined;

async function installInvariant(directory: string, python: string): Promise<string> {
  return installRequirements(directory, python, join(import.meta.dirname, 'invariant', 'requirements.txt'));
}

/** A virtual environment with these requirements, in the temporary directory; its `bin`, and the first one's version. */
export async function installPython(
  name: string,
  requirements: string,
): Promise<{ readonly bin: string; readonly version: string } | { readonly absent: string }> {
  const directory = cacheOf(name);
  const bin = join(directory, 'bin');
  const problem = await installRequirements(directory, join(bin, 'python'), requirements);
  const version = /==(.+)/.exec(readFileSync(requirements, 'utf8'))?.[1] ?? '';
  return problem === '' ? { bin, version } : { absent: `${name}: ${problem}` };
}

async function installRequirements(directory: string, python: string, wanted: string): Promise<string> {
  const done = join(directory, 'requirements.txt');
  if (existsSync(done) && readFileSync(done, 'utf8') === readFileSync(wanted, 'utf8')) return '';
  const problem =
    (await setUp('python3', ['-m', 'venv', directory])) ||
    (await setUp(python, ['-m', 'pip', 'install', '--quiet', '-r', wanted]));
  if (problem === '') copyFileSync(wanted, done);
  return problem;
}

function callMessage(id: string, name: string, args: Call['args'] | Verified['args']) {
  return {
    role: 'assistant',
    content: '',
    tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
  };
}

function messagesOf({ name, args, result }: Verified, k: number) {
  const id = `call_${k}`;
  return [
    callMessage(id, name, args),
    { role: 'tool', tool_call_id: id, content: JSON.stringify({ ...result, id: args.id }) },
  ];
}

function invariantOf(rules: readonly Rule[]): string {
  const bodies = rules.map((rule) =>
    rule.kind === 'bound'
      ? `raise "${rule.id}" if:\n    (call: ToolCall)\n    call is tool:act_${rule.tool}\n    call.function.arguments.amount > ${boundOf(rule)}`
      : `raise "${rule.id}" if:\n    (call: ToolCall)\n    call is tool:act_${rule.tool}\n    count(max=0):\n        (out: ToolOutput)\n        out is tool:verify_${rule.tool}\n        json_loads(out.content)["id"] == call.function.arguments.id\n        json_loads(out.content)["ok"]\n        json_loads(out.content)["total"] >= ${rule.n}`,
  );
  return ['from invariant import count', ...bodies].join('\n\n');
}
