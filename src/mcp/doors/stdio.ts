// A guarded server over stdio: what a client starts in place of the server. Lines in, lines out; nothing but messages on
// the output. Messages that are decided may be overtaken by others, as JSON-RPC allows; the others keep their order.
import type { Readable, Writable } from 'node:stream';
import { createGuard } from '../guard/guard.ts';
import type { Fate, Guarded, Peer } from '../guard/types.ts';
import { LineTooLong, lineSplitter } from '../wire/lines.ts';
import { errorText, type Message, readMessage } from '../wire/message.ts';
import { startChild, writeLine } from './child.ts';

export interface StdioOptions {
  readonly guarded: Guarded;
  readonly command: string;
  readonly args: readonly string[];
  readonly input: Readable;
  readonly output: Writable;
  readonly log: (line: string) => void;
  /** Aborted when the proxy is to end. */
  readonly signal: AbortSignal;
}

export const LINE_BYTES_MAX = 16 << 20;

/** Resolves with the server's exit code when both sides have ended; rejects when the server cannot be started. */
export async function runStdio({ guarded, command, args, ...options }: StdioOptions): Promise<number> {
  const { input, output, log, signal } = options;
  const child = startChild(command, args);
  const guard = createGuard(guarded);
  const peer: Peer = { notify: (text) => void writeLine(output, text) };
  const working = new Set<Promise<void>>();

  const toClient = line(output, child.input);
  const toServer = line(child.input, output);

  /** Messages in the order they came; those that are decided leave the row. */
  function line(forwardTo: Writable, answerTo: Writable) {
    let tail = Promise.resolve();
    const send = async (judge: () => Promise<Fate>) => {
      const fate = await judge();
      if (fate.t === 'drop') log(`dropped: ${fate.why}`);
      else await writeLine(fate.t === 'forward' ? forwardTo : answerTo, fate.text);
    };
    return (decided: boolean, judge: () => Promise<Fate>): Promise<void> => {
      const run = tail.then(() => {
        const work = send(judge);
        track(work);
        return decided ? undefined : work;
      });
      tail = run;
      return run;
    };
  }

  function track(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => {
      log(`failed: ${error instanceof Error ? error.message : String(error)}`);
    });
    working.add(settled);
    void settled.then(() => working.delete(settled));
  }

  async function readClient(): Promise<void> {
    for await (const text of linesOf(input)) {
      const read = readMessage(text);
      if (!read.ok) {
        const { id, code, message } = read.unreadable;
        await writeLine(output, errorText(id, code, message));
      } else await toServer(isDecided(read.message), () => guard.fromClient(read.message, peer));
    }
  }

  async function readServer(): Promise<void> {
    for await (const text of linesOf(child.output)) {
      const read = readMessage(text);
      if (!read.ok) log(`dropped: the server wrote what is no message: ${text.slice(0, 200)}`);
      else
        await toClient(read.message.t !== 'notification', () => guard.fromServer(read.message, text, peer));
    }
  }

  const client = readClient()
    .catch((error: unknown) => {
      if (error instanceof LineTooLong) log(`the client: ${error.message}`);
    })
    // What was asked before the end of the input still reaches the server.
    .then(() => idle(working));
  const server = readServer().catch((error: unknown) => {
    if (error instanceof LineTooLong) log(`the server: ${error.message}`);
  });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    output.once('error', () => resolve());
  });
  const ended = child.ended.then(({ code, how }) => ({ code, how }));
  // The first of: the client closed its side, somebody ends us, the server ended or cannot be read any more.
  await Promise.race([client, stopped, ended, server]);
  input.pause();
  signal.addEventListener('abort', () => void child.stop(false), { once: true });
  await child.stop(!signal.aborted);
  const { code, how } = await ended;
  await server;
  await idle(working);
  for (const text of await guard.lose(`The server ended (${how}).`, { ran: true }))
    await writeLine(output, text);
  await guarded.session.end().catch((error: unknown) => {
    log(`the session stays open: ${error instanceof Error ? error.message : String(error)}`);
  });
  return signal.aborted ? 0 : code;
}

function isDecided(message: Message): boolean {
  return message.t === 'request' ? DECIDED.has(message.method) : message.t !== 'notification';
}

const DECIDED = new Set(['tools/call', 'resources/read', 'prompts/get', 'tasks/update']);

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const split = lineSplitter(LINE_BYTES_MAX);
  for await (const chunk of stream)
    for (const text of split(chunk as Buffer)) if (text.trim() !== '') yield text;
}

async function idle(working: ReadonlySet<Promise<void>>): Promise<void> {
  while (working.size > 0) await Promise.all(working);
}
