// A model on loopback that says what a script tells it to, in the words of OpenAI (Chat Completions, Responses), Anthropic
// and Google, as their servers do, streaming and not, well and badly. For tests and benchmarks; it thinks nothing.
//   node test/gateway/scripted-model.ts [--port 9001] [--script FILE.json]
// The base URL of a client: http://127.0.0.1:9001/v1 (openai), http://127.0.0.1:9001 (anthropic, @google/genai).
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { Answer, Context } from './model/answer.ts';
import { anthropicMessage, anthropicStream } from './model/anthropic.ts';
import { generateContent, streamGenerateContent } from './model/gemini.ts';
import { type Incoming, type Protocol, readIncoming } from './model/incoming.ts';
import { chatCompletion, chatStream } from './model/openai-chat.ts';
import { responseObject, responseStream } from './model/openai-responses.ts';
import { call, STREAM_STYLE, type StreamStyle, says, type Turn } from './model/turn.ts';
import { errorAnswer, errorEvent, hasKey, headersOf, otherAnswer, tokensOf } from './model/vendor.ts';
import { send } from './model/wire.ts';

export type { Incoming, Protocol } from './model/incoming.ts';
export * from './model/turn.ts';

export interface ScriptedModelOptions {
  /**
   * The turns of every conversation: the model says the next that its conversation has not heard yet, and `says('Done.')`
   * after the last. Or a function of the request.
   */
  readonly script: readonly Turn[] | ((request: Incoming) => Turn);
  /** How streams are cut up; a turn's own settings win. */
  readonly stream?: Partial<StreamStyle>;
  /** Port on 127.0.0.1; 0, the default, for a free one. */
  readonly port?: number;
  /** The key that requests must show; without one everybody is answered. */
  readonly key?: string;
  /** Compress for those who accept gzip. */
  readonly gzip?: boolean;
}

/** A request as it was seen, and how its answer went. */
export interface Seen extends Incoming {
  /** `aborted`: the client was gone before the answer was out. */
  outcome: 'open' | 'answered' | 'aborted';
}

export interface ScriptedModel {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** In the order in which they came. */
  readonly requests: readonly Seen[];
  /** Another script from the next request on. */
  play(script: ScriptedModelOptions['script']): void;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Requests and stored responses that are remembered. */
const REMEMBERED_MAX = 20_000;
const PREFIXES: Readonly<Record<Protocol, string>> = {
  'openai-chat': 'chatcmpl-',
  'openai-responses': 'resp_',
  anthropic: 'msg_',
  gemini: '',
};

export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  let { script } = options;
  const requests: Seen[] = [];
  /** How many turns a conversation has that is continued from this reply. */
  const turnsOf = new Map<string, number>();
  let count = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const raw = {
      number: ++count,
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
    };
    const incoming = readIncoming({ ...raw, text }, (id) => turnsOf.get(id) ?? 0);
    const seen: Seen = { ...incoming, outcome: 'open' };
    if (requests.length < REMEMBERED_MAX) requests.push(seen);
    response.once('close', () => {
      seen.outcome = response.writableFinished ? 'answered' : 'aborted';
    });
    const { answer, turn } = answerTo(incoming);
    const style = { ...STREAM_STYLE, ...options.stream, ...turn?.stream };
    const fault = turn?.fault;
    const retry =
      fault?.kind === 'status' && fault.retryAfter !== undefined
        ? { 'retry-after': String(fault.retryAfter) }
        : {};
    const gzip = options.gzip === true && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (fault?.kind === 'content-type' && fault.body !== undefined) {
      response.writeHead(200, { 'content-type': fault.type }).end(fault.body);
      return;
    }
    const headers = { ...headersOf(incoming), ...retry };
    await send(response, answer, { headers, style, gzip, ...(fault === undefined ? {} : { fault }) });
  }

  function answerTo(incoming: Incoming): { answer: Answer; turn?: Turn } {
    const { protocol, vendor } = incoming;
    if (options.key !== undefined && !hasKey(incoming, options.key))
      return { answer: errorAnswer(vendor, 401) };
    if (protocol === null || incoming.method !== 'POST') return { answer: otherAnswer(incoming) };
    const turn = typeof script === 'function' ? script(incoming) : (script[incoming.turn] ?? says('Done.'));
    if (turn.fault?.kind === 'status') return { answer: errorAnswer(vendor, turn.fault.status), turn };
    const id = `${PREFIXES[protocol]}${String(incoming.number).padStart(12, '0')}`;
    if (turnsOf.size < REMEMBERED_MAX) turnsOf.set(id, incoming.turn + 1);
    const chars = turn.stream?.deltaChars ?? options.stream?.deltaChars ?? STREAM_STYLE.deltaChars;
    return { answer: broken(render(grown(turn), incoming, id, chars), incoming, turn), turn };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    play(next) {
      script = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One turn in the words of the request's protocol. */
export function render(turn: Turn, incoming: Incoming, id: string, deltaChars: number): Answer {
  const {
    input,
    output,
    reasoning = 0,
    cached = 0,
  } = turn.usage ?? {
    input: tokensOf(incoming),
    output: Math.ceil(JSON.stringify(turn.parts).length / 4),
  };
  const context: Context = {
    id,
    model: incoming.model,
    created: Math.floor(Date.now() / 1000),
    deltaChars,
    request: incoming.body,
    usage: { input, output, reasoning, cached },
  };
  const { protocol, stream, query } = incoming;
  if (protocol === 'openai-chat') return (stream ? chatStream : chatCompletion)(turn, context);
  if (protocol === 'openai-responses') return (stream ? responseStream : responseObject)(turn, context);
  if (protocol === 'anthropic') return (stream ? anthropicStream : anthropicMessage)(turn, context);
  if (!stream) return generateContent(turn, context);
  const sse = query.get('alt') === 'sse';
  return streamGenerateContent(
    turn,
    context,
    sse ? { kind: 'sse', lineEnd: '\r\n' } : { kind: 'json-array' },
  );
}

function grown(turn: Turn): Turn {
  if (turn.fault?.kind !== 'huge') return turn;
  const text = 'huge '.repeat(Math.ceil(turn.fault.chars / 5)).slice(0, turn.fault.chars);
  return { ...turn, parts: [{ kind: 'text', text }, ...turn.parts] };
}

/** The error instead of the rest of a stream. */
function broken(answer: Answer, incoming: Incoming, { fault }: Turn): Answer {
  if (answer.kind !== 'stream' || fault?.kind !== 'error-event') return answer;
  return { ...answer, events: [...answer.events.slice(0, fault.afterEvents), errorEvent(incoming)] };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error('the request is too big');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '9001' }, script: { type: 'string' } },
  });
  const example: Turn[] = [
    { parts: [call('get_order', { id: 'A-1' })] },
    { parts: [{ kind: 'text', text: 'I refund it. ' }, call('refund', { id: 'A-1', amount: 40 })] },
  ];
  const script =
    values.script === undefined ? example : (JSON.parse(readFileSync(values.script, 'utf8')) as Turn[]);
  const model = await startScriptedModel({ script, port: Number(values.port) });
  console.log(`scripted model on ${model.url} (${script.length} turns)`);
}
