// A request to a model vendor, recognised by its path, and how far its conversation has come. Reads leniently: the
// vendor's client library made it.
import type { IncomingHttpHeaders } from 'node:http';
import { parsed } from './turn.ts';

export type Protocol = 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini';
/** The family whose errors and headers the answer has. */
export type Vendor = 'openai' | 'anthropic' | 'gemini';

export interface ToolOutput {
  /** The call's id; the function's name where Gemini gave no id. */
  readonly callId: string;
  /** As JSON text where it is not text. */
  readonly content: string;
}

export interface Incoming {
  /** Counts from 1 on this server. */
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly vendor: Vendor;
  /** Null for everything but a question to a model: lists of models, embeddings, the unknown. */
  readonly protocol: Protocol | null;
  readonly stream: boolean;
  readonly model: string;
  readonly bodyBytes: number;
  /** The JSON body; `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** How often the model has already spoken in this conversation. */
  readonly turn: number;
  /** What tools gave, all of the conversation. */
  readonly outputs: readonly ToolOutput[];
}

export interface RawRequest {
  readonly number: number;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** `turnsOf` says how many turns a response or message that the vendor keeps already is the end of. */
export function readIncoming(raw: RawRequest, turnsOf: (responseId: string) => number): Incoming {
  const url = new URL(raw.url, 'http://localhost');
  const body = record(parsed(raw.text));
  const vendor = vendorOf(url.pathname, raw.headers);
  const gemini = /\/models\/([^/:]+):(\w+)$/.exec(url.pathname);
  const protocol = protocolOf(url.pathname);
  const items = conversation(protocol, body);
  const before = body.previous_response_id ?? record(body.thread).previous_message_id;
  const earlier = typeof before === 'string' ? turnsOf(before) : 0;
  return {
    number: raw.number,
    method: raw.method,
    path: url.pathname,
    query: url.searchParams,
    headers: raw.headers,
    vendor,
    protocol,
    stream: gemini === null ? body.stream === true : gemini[2] === 'streamGenerateContent',
    model: gemini?.[1] ?? String(body.model ?? 'scripted-model'),
    bodyBytes: Buffer.byteLength(raw.text),
    body,
    turn: earlier + runs(items),
    outputs: items.flatMap(outputsIn),
  };
}

function vendorOf(path: string, headers: IncomingHttpHeaders): Vendor {
  if (path.startsWith('/v1beta') || path.startsWith('/v1alpha') || 'x-goog-api-key' in headers)
    return 'gemini';
  return path.startsWith('/v1/messages') || 'anthropic-version' in headers ? 'anthropic' : 'openai';
}

function protocolOf(path: string): Protocol | null {
  if (path.endsWith('/chat/completions')) return 'openai-chat';
  if (path.endsWith('/responses')) return 'openai-responses';
  if (path.endsWith('/messages')) return 'anthropic';
  return /:(?:stream)?[gG]enerateContent$/.test(path) ? 'gemini' : null;
}

function conversation(protocol: Protocol | null, body: Readonly<Record<string, unknown>>) {
  const list =
    protocol === 'openai-responses' ? body.input : protocol === 'gemini' ? body.contents : body.messages;
  return Array.isArray(list) ? list.map(record) : [];
}

/** Items of a Responses conversation that only a model makes; a reference names one that the vendor keeps. */
const MADE = ['function_call', 'custom_tool_call', 'reasoning', 'item_reference'];

/** Answers of the model; several items in a row are one. */
function runs(items: readonly Record<string, unknown>[]): number {
  const said = items.map(
    ({ role, type }) => role === 'assistant' || role === 'model' || MADE.includes(String(type)),
  );
  return said.filter((own, at) => own && said[at - 1] !== true).length;
}

function outputsIn(item: Record<string, unknown>): ToolOutput[] {
  if (item.role === 'tool') return [output(item.tool_call_id, item.content)];
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
    return [output(item.call_id, item.output)];
  const blocks = item.content ?? item.parts;
  if (!Array.isArray(blocks)) return [];
  return blocks.map(record).flatMap((block) => {
    if (block.type === 'tool_result') return [output(block.tool_use_id, block.content)];
    if (block.functionResponse === undefined) return [];
    const { id, name, response } = record(block.functionResponse);
    return [output(id ?? name, response)];
  });
}

function output(callId: unknown, content: unknown): ToolOutput {
  return { callId: String(callId), content: typeof content === 'string' ? content : JSON.stringify(content) };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
