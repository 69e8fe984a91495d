// A server as a child process: started, spoken to line by line, and ended as the protocol asks: its input
// is closed, then it is asked to stop, then it is killed, with everything it started.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { onOneLine } from '../../step/one-line.ts';

export interface Child {
  readonly input: Writable;
  readonly output: Readable;
  /** Its exit code, 128 and the signal's place when a signal ended it; rejects when it could not be started. */
  readonly ended: Promise<{ readonly code: number; readonly how: string }>;
  /** Resolves when it has ended. Without patience it is asked to stop at once; so it may be called again. */
  stop(patient: boolean): Promise<void>;
}

/** Clients wait about two seconds for us, and as long again before they kill: the server must be gone by then. */
const GRACE_MS = 1_500;
const TERM_MS = 1_000;
const WINDOWS = process.platform === 'win32';

export function startChild(
  command: string,
  args: readonly string[],
  { env, cwd }: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Child {
  // A group of its own, so that what it starts (npx starts the real server) ends with it.
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
    cwd,
    detached: !WINDOWS,
    windowsHide: true,
    // There, npx and its like are scripts of the shell.
    shell: WINDOWS,
  });
  const ended = Promise.withResolvers<{ readonly code: number; readonly how: string }>();
  child.once('error', (error) => ended.reject(error));
  // `close` comes after the last output, `exit` may come before.
  child.once('close', (code, signal) =>
    ended.resolve(
      signal === null
        ? { code: code ?? 1, how: `exit code ${code}` }
        : { code: 1, how: `ended by ${signal}` },
    ),
  );
  // A server that is gone shows as `close`; a write to it meanwhile is no error of ours.
  child.stdin.on('error', () => {});

  function kill(signal: NodeJS.Signals): void {
    if (child.pid === undefined) return;
    try {
      if (WINDOWS) child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch {
      // It is gone already.
    }
  }

  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    const gone = ended.promise.then(
      () => true,
      () => true,
    );
    child.stdin.end();
    for (const [waitMs, signal] of [
      [GRACE_MS, 'SIGTERM'],
      [TERM_MS, 'SIGKILL'],
    ] as const) {
      if (await within(gone, waitMs)) return;
      kill(signal);
    }
    // What it left behind may hold its output open.
    if (!(await within(gone, TERM_MS))) child.stdout.destroy();
    await gone;
  }

  return {
    input: child.stdin,
    output: child.stdout,
    ended: ended.promise,
    stop(patient) {
      stopping ??= stop();
      if (!patient) kill('SIGTERM');
      return stopping;
    },
  };
}

async function within(done: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Writes a message and waits while the reader is behind. */
export async function writeLine(to: Writable, text: string): Promise<void> {
  if (to.destroyed || to.writableEnded || to.write(`${onOneLine(text)}\n`)) return;
  await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
}
