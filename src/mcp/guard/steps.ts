// Which step each guarded message is. Calls are `tool.call`; reading a resource is a call of `resources/read`; a request
// for sampling is a `model.request`; what a server says to the user by elicitation is `output`, the answer `input`. Pure.
import { canonicalize } from '../../step/canonical.ts';
import { toJson } from '../../step/json.ts';
import type { Json, JsonObject, Proposal } from '../../step/types.ts';
import { type Fields, field, isFields } from '../wire/message.ts';

/** Name of the tool step for reading a resource, after the server's prefix. */
export const READ = 'resources/read';
export const SAMPLING = 'sampling/createMessage';
export const ELICITATION = 'elicitation/create';

const ERROR_LENGTH_MAX = 2_000;

/** What a call or a read came to. */
export type Outcome = Pick<Proposal, 'content' | 'result' | 'error'>;

/** A `CallToolResult`: text as the model reads it, structure where the server gives it, an error where it says so. */
export function callOutcome(result: Fields): Outcome {
  const { structuredContent } = result;
  const structured = structuredContent === undefined ? null : toJson(structuredContent);
  // Structure that no step can carry exactly is there as the text that a model reads.
  const said = structured?.ok === false ? [{ text: JSON.stringify(structuredContent) }] : [];
  const content = textOf([result.content, said]);
  return {
    ...outcome(content, structured),
    ...(result.isError === true
      ? { error: { message: clip(content ?? 'the tool failed'), type: 'tool-error' } }
      : {}),
  };
}

export function readOutcome(result: Fields): Outcome {
  return outcome(textOf(result.contents), null);
}

/** Messages of `prompts/get`, as they come into the conversation. */
export function promptOutcome(result: Fields): Outcome {
  const messages = Array.isArray(result.messages) ? result.messages : [];
  return outcome(textOf(messages.map((message) => field(message, 'content'))), null);
}

export function failedOutcome(error: Fields): Outcome {
  const message = typeof error.message === 'string' ? error.message : 'the server answered with an error';
  const code = typeof error.code === 'number' ? String(error.code) : 'unknown';
  return { error: { message: clip(message), type: `json-rpc ${code}` } };
}

/** The server never saw it: a failed call, whose place in a limit is given back. */
export function lostOutcome(message: string): Outcome {
  return { error: { message: clip(message), type: 'upstream-failed' } };
}

/** Nobody knows what came of it. It may have taken effect, so it is no failed call, and keeps its place in a limit. */
export function unknownOutcome(message: string): Outcome {
  return { content: `Nothing is known of the outcome: ${clip(message)}` };
}

function outcome(content: string | null, structured: ReturnType<typeof toJson> | null): Outcome {
  if (structured?.ok === true) return { result: structured.value, ...(content === null ? {} : { content }) };
  return content === null ? { result: null } : { content };
}

/** Blocks of content as one text. What is no text is named with its size: a rule sees that it was there. */
function textOf(blocks: unknown): string | null {
  if (!Array.isArray(blocks)) return null;
  const parts = blocks.map(blockText).filter((part) => part !== '');
  return parts.length === 0 ? null : parts.join('\n').toWellFormed();
}

function blockText(block: unknown): string {
  if (Array.isArray(block)) return textOf(block) ?? '';
  const nested = field(block, 'resource');
  if (nested !== undefined) return blockText(nested);
  const text = field(block, 'text');
  if (typeof text === 'string') return text;
  const data = field(block, 'data') ?? field(block, 'blob');
  const mimeType = field(block, 'mimeType');
  const type = typeof mimeType === 'string' ? mimeType : String(field(block, 'type') ?? 'content');
  if (typeof data === 'string') return `[${type}, ${data.length} characters of base64]`;
  return isFields(block) ? JSON.stringify(block) : '';
}

/** Sampling: the server has the client's model answer. The parameters are the step's arguments. */
export function samplingRequest(prefix: string, callId: string, params: Fields): Proposal {
  return {
    kind: 'model.request',
    name: `${prefix}${SAMPLING}`,
    callId,
    args: asObject(params),
    labels: ['mcp'],
  };
}

export function samplingResponse(prefix: string, callId: string, result: Fields): Proposal {
  const content = textOf(Array.isArray(result.content) ? result.content : [result.content]);
  const model = typeof result.model === 'string' ? { result: { model: result.model } } : {};
  return {
    kind: 'model.response',
    name: `${prefix}${SAMPLING}`,
    callId,
    ...model,
    content: content ?? '',
    labels: ['mcp'],
  };
}

/** Elicitation: the server asks the user. What is asked is said to the user. */
export function elicitation(prefix: string, params: Fields): Proposal {
  const message = typeof params.message === 'string' ? params.message : '';
  const url = typeof params.url === 'string' ? `\n${params.url}` : '';
  return {
    kind: 'output',
    name: '',
    content: (message + url).toWellFormed(),
    args: asObject(params),
    labels: ['mcp', `${prefix}${ELICITATION}`],
  };
}

/** Null when the user gave nothing. */
export function elicited(prefix: string, result: Fields): Proposal | null {
  const given = toJson(result.content);
  if (result.action !== 'accept' || !given.ok || given.value === null) return null;
  return {
    kind: 'input',
    name: '',
    content: canonicalize(given.value),
    labels: ['mcp', `${prefix}${ELICITATION}`],
  };
}

function asObject(params: Fields): JsonObject {
  const { _meta, ...rest } = params;
  const parsed = toJson(rest);
  // What cannot be carried is refused where the proposal is parsed: it is left as it is.
  return (parsed.ok ? parsed.value : rest) as { readonly [key: string]: Json };
}

function clip(text: string): string {
  return text.slice(0, ERROR_LENGTH_MAX).toWellFormed();
}
