// OpenAI Responses (platform.openai.com/docs/api-reference/responses): a reply is a list of items, some of which the client is
// to run, some the vendor has run. An item that is withheld becomes a message at its place.
import {
  argumentsIn,
  argumentsOf,
  contentText,
  count,
  type Fields,
  freeText,
  isObject,
  objects,
  parametersOf,
  textOf,
  usageOf,
  withParameters,
} from '../fields.ts';
import {
  type Desk,
  type Item,
  type ProposedCall,
  type Protocol,
  Unreadable,
  type Withheld,
} from '../types.ts';
import { responsesStream } from './openai-responses-stream.ts';
import { through } from './through.ts';

const HIDDEN = [
  'input',
  'instructions',
  'tools',
  'model',
  'metadata',
  'previous_response_id',
  'conversation',
];
const NOWHERE = { model: null, stream: false, sse: true };
const ITEMS_MAX = 1_000;

export const openaiResponses: Protocol = {
  name: 'openai-responses',
  readRequest(body) {
    if (typeof body.model !== 'string') throw new Unreadable('model: expected a text');
    if (body.background === true)
      throw new Unreadable('background: a reply that is fetched later cannot be guarded', 'not_guardable');
    const { input, conversation } = body;
    const given: readonly Fields[] =
      typeof input === 'string' ? [{ role: 'user', content: input }] : objects(input);
    const instructions = contentText(body.instructions);
    const tools = objects(body.tools).map(toolName);
    const kept = isObject(conversation) ? textOf(conversation.id) : textOf(conversation);
    return {
      model: body.model,
      stream: body.stream === true,
      items: [
        ...(instructions === '' ? [] : [{ t: 'system', text: instructions } as const]),
        ...joined(given.flatMap(itemsOf)),
      ],
      args: parametersOf(body, HIDDEN, tools.length === 0 ? null : tools),
      user: textOf(body.safety_identifier) || textOf(body.user) || null,
      thread: textOf(body.previous_response_id) || kept || null,
    };
  },
  withArgs(body, args) {
    const { args: before } = this.readRequest(body, NOWHERE);
    return withParameters(body, before, args, (out, names) => ({
      ...out,
      tools: objects(out.tools).filter((tool) => names.has(toolName(tool))),
    }));
  },
  withResults(body, withheld) {
    if (withheld.length === 0) return body;
    const { input, conversation, previous_response_id } = body;
    const given: readonly Fields[] =
      typeof input === 'string' ? [{ role: 'user', content: input }] : objects(input);
    const answered = new Set(given.map((item) => textOf(item.call_id)));
    const missing = withheld.filter(({ callId }) => !answered.has(callId));
    const results = missing.map(resultOf);
    if (conversation || previous_response_id) return { ...body, input: [...results, ...given] };
    const byPlace = new Map(
      missing.flatMap((one) => (one.item === undefined ? [] : [[placeOf(one.item), one] as const])),
    );
    return { ...body, input: told(given, byPlace) };
  },
  async reply(body, desk) {
    const given = objects(body.output);
    if (given.length > ITEMS_MAX) throw new Unreadable(`a reply with more than ${ITEMS_MAX} items`);
    const output = (await Promise.all(given.map((item) => judge(item, desk)))).filter(
      (item) => item !== null,
    );
    desk.finish({
      usage: usageIn(body.usage),
      model: textOf(body.model) || null,
      id: textOf(body.id) || null,
      parts: partsOf(output),
    });
    const { output_text, ...rest } = body;
    return { ...rest, output, ...(output_text === undefined ? {} : { output_text: spoken(output) }) };
  },
  stream: responsesStream,
  error: ({ code, message, details }) => ({
    error: {
      message,
      type: code,
      param: null,
      code,
      ...(details === undefined ? {} : { interlock: details }),
    },
  }),
  broken({ code, message }) {
    return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param: null })}\n\n`;
  },
};

function toolName(tool: Fields): string {
  return textOf(tool.name) || textOf(tool.server_label) || textOf(tool.type) || 'tool';
}

function itemsOf(item: Fields): Item[] {
  const type = textOf(item.type);
  if (type.endsWith('_call_output') || type === 'mcp_approval_response') {
    const text = contentText(item.output ?? item.approve);
    const callId = textOf(item.call_id) || textOf(item.approval_request_id);
    return [{ t: 'result', callId, name: null, text, failed: item.status === 'failed' }];
  }
  if (isClientCall(item)) {
    const { callId, name, args } = callOf(item);
    return [{ t: 'assistant', text: '', calls: [{ callId, name, args }] }];
  }
  if (type === 'item_reference') return [{ t: 'reference', id: textOf(item.id) }];
  if (type !== '' && type !== 'message') return [];
  const text = contentText(item.content);
  switch (item.role) {
    case 'system':
    case 'developer':
      return [{ t: 'system', text }];
    case 'assistant':
      return [{ t: 'assistant', text, calls: [] }];
    default:
      return [{ t: 'user', text }];
  }
}

/** One reply is several items here: they are one, as it was when it was given. */
function joined(items: readonly Item[]): Item[] {
  const out: Item[] = [];
  for (const item of items) {
    const last = out.at(-1);
    if (item.t === 'assistant' && last?.t === 'assistant')
      out[out.length - 1] = {
        t: 'assistant',
        text: last.text + item.text,
        calls: [...last.calls, ...item.calls],
      };
    else out.push(item);
  }
  return out;
}

/** Items that the vendor has run, or that are no acts at all. Every other `…_call` is the client's to run. */
const SERVER_CALLS = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
]);

export function isServerCall(item: Fields): boolean {
  const { type, environment } = item;
  // A shell that runs in the vendor's container.
  if (type === 'shell_call') return isObject(environment) && textOf(environment.type).startsWith('container');
  // A search of tools that the client makes.
  if (type === 'tool_search_call') return item.execution !== 'client';
  return SERVER_CALLS.has(textOf(type));
}

/** An item that the client runs, or lets the vendor run. */
export function isClientCall(item: Fields): boolean {
  const type = textOf(item.type);
  return type === 'mcp_approval_request' || (type.endsWith('_call') && !isServerCall(item));
}

export function callOf(item: Fields): ProposedCall {
  const type = textOf(item.type);
  const callId = textOf(item.call_id) || textOf(item.id);
  switch (type) {
    case 'function_call':
    case 'mcp_approval_request':
      return { callId, name: textOf(item.name), ...argumentsIn(item.arguments, 'either') };
    case 'custom_tool_call':
      return { callId, name: textOf(item.name), ...freeText(item.input) };
    default:
      return { callId, name: type.slice(0, -'_call'.length) || 'call', ...actOf(item) };
  }
}

/** Where an act stands that is no function: computer_call, shell_call, local_shell_call, apply_patch_call. */
const ACTS = ['action', 'actions', 'operation'] as const;

function actOf(item: Fields): Pick<ProposedCall, 'args' | 'raw'> {
  const given = ACTS.filter((key) => item[key] !== undefined && item[key] !== null);
  const [key, ...others] = given;
  if (others.length > 0) return { args: null, raw: JSON.stringify(item) };
  // Of a kind that is not known every field may say what is to be done.
  const { id, call_id, type, status, ...rest } = item;
  if (key === undefined) return argumentsIn(rest, 'object');
  const act = item[key];
  return argumentsIn(Array.isArray(act) ? { [key]: act } : act, 'object');
}

/** The call with rewritten arguments, in the form it came. */
export function rewritten(item: Fields, args: Fields): Fields {
  switch (item.type) {
    case 'function_call':
    case 'mcp_approval_request':
      return { ...item, arguments: JSON.stringify(args) };
    case 'custom_tool_call':
      return { ...item, input: textOf(args.input) };
    default: {
      const key = ACTS.find((one) => item[one] !== undefined && item[one] !== null);
      if (key !== undefined) return { ...item, ...(Array.isArray(item[key]) ? args : { [key]: args }) };
      const { id, call_id, type, status } = item;
      return { id, call_id, type, status, ...args };
    }
  }
}

/** Longer ones are not told again: what was said in their place is. */
const TOLD_MAX = 4_096;

/** The call, with its item where the vendor is to hear of it again. */
export function proposed(item: Fields): ProposedCall {
  const call = callOf(item);
  return JSON.stringify(item).length > TOLD_MAX ? call : { ...call, item };
}

/** Id of the message in place of an item: the vendor's own, told apart, and within its 64 characters. */
export function placeOf(item: Fields): string {
  return `msg_i_${textOf(item.id) || textOf(item.call_id)}`.slice(0, 64);
}

/** Ids by which later requests may name what went out. */
export function partsOf(output: readonly Fields[]): string[] {
  return output.map((item) => textOf(item.id)).filter((id) => id !== '');
}

function resultOf({ callId, text }: Withheld): Fields {
  return { type: 'function_call_output', call_id: callId, output: text };
}

/** A conversation with each message of ours as what the model had said, which its thoughts belong to, and its result. */
function told(given: readonly Fields[], byPlace: ReadonlyMap<string, Withheld>): Fields[] {
  return given.flatMap((item) => {
    const one = byPlace.get(textOf(item.id));
    if (one?.item === undefined) return [item];
    // Results of other kinds of calls have other forms.
    if (one.item.type === 'function_call') return [one.item, resultOf(one)];
    if (one.item.type === 'custom_tool_call')
      return [one.item, { ...resultOf(one), type: 'custom_tool_call_output' }];
    return [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: one.text }] }];
  });
}

/** What stands in place of an item that is withheld. */
export function messageOf(id: string, text: string): Fields {
  return {
    id,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

export function tellServerCall(item: Fields, desk: Desk): void {
  const { name, args, action, queries, code, output, results, outputs, status } = item;
  const given = typeof item.arguments === 'string' ? argumentsOf(item.arguments) : args;
  const shown = given ?? action ?? (code === undefined ? { queries: queries ?? [] } : { code });
  const named = textOf(name) || textOf(item.type).slice(0, -'_call'.length);
  desk.ran(
    named,
    isObject(shown) ? (argumentsOf(JSON.stringify(shown)) ?? {}) : {},
    contentText(output ?? results ?? outputs ?? status),
  );
}

/** The item as it goes on; null when nothing of it does. */
async function judge(item: Fields, desk: Desk): Promise<Fields | null> {
  if (isClientCall(item)) {
    const ruling = await desk.call(proposed(item));
    if (ruling.t === 'withhold') return messageOf(placeOf(item), ruling.text);
    return ruling.t === 'rewrite' ? rewritten(item, ruling.args) : item;
  }
  if (isServerCall(item)) {
    tellServerCall(item, desk);
    return item;
  }
  if (item.type === 'reasoning') return (await thinkable(item, desk)) ? item : null;
  if (item.type !== 'message') return item;
  const parts = await Promise.all(
    objects(item.content).map(async (part) => {
      const field = part.type === 'refusal' ? 'refusal' : 'text';
      const text = await through(desk, textOf(part[field]));
      const { logprobs, annotations, ...plain } = part;
      // Places in a text that was cut mean nothing.
      return desk.guarded
        ? { ...plain, ...(field === 'text' ? { annotations: [] } : {}), [field]: text }
        : part;
    }),
  );
  return { ...item, content: parts };
}

/** Whether the thoughts of the item could be said. */
export async function thinkable(item: Fields, desk: Desk): Promise<boolean> {
  const text = [...objects(item.summary), ...objects(item.content)]
    .map((part) => textOf(part.text))
    .join('\n');
  return (await through(desk, text, 'thought')) === text;
}

/** All that it says, as some tell it beside the items. */
export function spoken(output: readonly Fields[]): string {
  return output
    .filter((item) => item.type === 'message')
    .flatMap((item) => objects(item.content))
    .map((part) => textOf(part.text))
    .join('');
}

export function usageIn(usage: unknown) {
  if (!isObject(usage)) return null;
  const { input_tokens, output_tokens, input_tokens_details, output_tokens_details } = usage;
  const cached = isObject(input_tokens_details) ? count(input_tokens_details.cached_tokens) : 0;
  const reasoning = isObject(output_tokens_details) ? count(output_tokens_details.reasoning_tokens) : 0;
  return usageOf({
    input: count(input_tokens) - cached,
    cacheRead: cached,
    output: count(output_tokens) - reasoning,
    reasoning,
  });
}
