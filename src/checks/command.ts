// Runs a check's command: no shell, a small environment, a limit on time and on what is kept of its output.
import { spawn } from 'node:child_process';
import type { Json, JsonObject } from '../step/types.ts';
import { NoEvidence, subjectText } from './evidence.ts';

/** Kept of each stream: its end, where a failure says what it is. Bytes. */
const OUTPUT_MAX = 16 << 10;
const SUBJECT = '{{ subject }}';
/** How long a command that was asked to end may take to do so. */
const GRACE_MS = 2_000;

export interface CommandOptions {
  readonly subject: Json;
  readonly workspace: string;
  readonly timeoutMs: number;
}

/** `{ exit, stdout, stderr }` of a command that ended by itself. */
export async function runCommand(
  argv: readonly string[],
  { subject, workspace, timeoutMs }: CommandOptions,
): Promise<JsonObject> {
  const [program, ...args] = argv.map((part) => filled(part, subject));
  const { PATH = '/usr/bin:/bin', HOME = workspace, LANG = 'C.UTF-8' } = process.env;
  const env = { PATH, HOME, LANG, CI: '1', INTERLOCK_SUBJECT: subjectText(subject) };
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: workspace,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it started ends with it.
      detached: true,
    });
    const stdout = tail();
    const stderr = tail();
    child.stdout.on('data', stdout.add);
    child.stderr.on('data', stderr.add);
    let late = false;
    const stop = (signal: NodeJS.Signals) => {
      late = true;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has ended meanwhile.
      }
    };
    const asked = setTimeout(() => stop('SIGTERM'), timeoutMs);
    const forced = setTimeout(() => stop('SIGKILL'), timeoutMs + GRACE_MS);
    const done = () => {
      clearTimeout(asked);
      clearTimeout(forced);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      done();
      reject(new NoEvidence(`${program} cannot be started (${error.code ?? error.message})`));
    });
    child.on('close', (exit, signal) => {
      done();
      if (late) reject(new NoEvidence(`${program} did not end within ${timeoutMs} ms`));
      else if (exit === null) reject(new NoEvidence(`${program} was ended by ${signal}`));
      else resolve({ exit, stdout: stdout.text(), stderr: stderr.text() });
    });
  });
}

function filled(part: string, subject: Json): string {
  if (!part.includes(SUBJECT)) return part;
  const text = subjectText(subject);
  if (subject === null) throw new NoEvidence('the command needs a subject, and none was given');
  // At the start of an argument it could be taken for an option.
  if (part.startsWith(SUBJECT) && text.startsWith('-'))
    throw new NoEvidence(`the subject ${JSON.stringify(text)} would be read as an option`);
  if (text.includes('\0')) throw new NoEvidence('the subject holds a null character');
  return part.replaceAll(SUBJECT, () => text);
}

function tail() {
  let kept = Buffer.alloc(0);
  return {
    add(chunk: Buffer) {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length > OUTPUT_MAX) kept = kept.subarray(kept.length - OUTPUT_MAX);
    },
    text: () => kept.toString('utf8').toWellFormed(),
  };
}
