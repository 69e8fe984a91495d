// The load of bench/gateway.ts: a child process that asks a target, one conversation after the other on each connection,
// and reports. It checks every status, and the text of streams; a wrong answer is no measurement.
import { type Connection, open } from './exchange.ts';
import { DIGITS, FIRST_WORDS, FORBIDDEN_AMOUNT, HOLE, type Kind, requestsOf } from './traffic.ts';

/** Where and how: the part of a request that differs between the targets. */
export interface Address {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Task =
  /** Conversations on so many connections, for so long. */
  | { readonly kind: 'talk' | 'thoughtful'; readonly connections: number; readonly seconds: number }
  /** Streams, one at a time: when is the first token there? */
  | { readonly kind: 'stream'; readonly seconds: number }
  /** So many slow streams at once. */
  | { readonly kind: 'slow'; readonly streams: number }
  /** One call that a policy forbids. */
  | { readonly kind: 'forbidden' };

export interface Report {
  /** Milliseconds of each request; to the first token where it is about streams. */
  readonly latenciesMs: readonly number[];
  readonly seconds: number;
  readonly failures: readonly string[];
  /** Whether the forbidden call came through. */
  readonly forbiddenSeen: boolean;
}

/** Streams that are begun at the same moment; a herd of thousands measures the kernel's queue. */
const HERD = 50;
let conversations = 10 ** (DIGITS - 1);

function requestsTo({ port, path, headers }: Address, kind: Kind): (number: string) => string[] {
  const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const texts = requestsOf(kind).map(
    (body) =>
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n${body}`,
  );
  return (number) => texts.map((text) => text.replaceAll(HOLE, number));
}

function nextNumber(): string {
  return String(++conversations);
}

async function run(address: Address, task: Task): Promise<Report> {
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  let forbiddenSeen = false;
  const requests = requestsTo(address, task.kind);
  const started = performance.now();
  const until = started + ('seconds' in task ? task.seconds : 0) * 1000;

  async function conversation(connection: Connection): Promise<void> {
    for (const request of requests(nextNumber())) {
      const reply = await connection.ask(request, FIRST_WORDS);
      forbiddenSeen ||= reply.body.includes(FORBIDDEN_AMOUNT);
      const streamed = task.kind === 'stream' || task.kind === 'slow';
      if (reply.status !== 200) failures.push(`status ${reply.status}: ${reply.body.slice(0, 300)}`);
      else if (streamed && !(reply.markMs > 0 && reply.body.includes('[DONE]')))
        failures.push(`not the stream: ${reply.body.slice(0, 300)}`);
      if (failures.length > 5) throw new Error(failures.join('\n'));
      latenciesMs.push(streamed ? reply.markMs : reply.totalMs);
    }
  }
  async function client(): Promise<void> {
    const connection = await open(address.port);
    do await conversation(connection);
    while (performance.now() < until);
    connection.close();
  }
  if (task.kind === 'slow') {
    const all: Promise<void>[] = [];
    while (all.length < task.streams) {
      for (let i = 0; i < HERD && all.length < task.streams; i++) all.push(client());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(all);
  } else {
    const connections = 'connections' in task ? task.connections : 1;
    await Promise.all(Array.from({ length: connections }, client));
  }
  return { latenciesMs, seconds: (performance.now() - started) / 1000, failures, forbiddenSeen };
}

if (process.send !== undefined) {
  process.on('message', ({ address, task }: { address: Address; task: Task }) => {
    run(address, task).then(
      (report) => process.send!(report),
      (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
