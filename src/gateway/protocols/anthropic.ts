// Anthropic Messages (docs.anthropic.com/en/api/messages). A block that is withheld becomes a block of text at its place.
import {
  argumentsIn,
  argumentsOf,
  contentText,
  count,
  type Fields,
  isObject,
  objects,
  parametersOf,
  textOf,
  usageOf,
  withParameters,
} from '../fields.ts';
import { jsonEvent, type StreamEvent, writeEvent } from '../sse.ts';
import {
  type Desk,
  type Item,
  type ProposedCall,
  type Protocol,
  type StreamGuard,
  type TextGate,
  Unreadable,
} from '../types.ts';
import { through } from './through.ts';

const HIDDEN = ['messages', 'system', 'tools', 'model', 'metadata', 'thread'];
const NOWHERE = { model: null, stream: false, sse: true };
const BLOCKS_MAX = 1_000;

export const anthropic: Protocol = {
  name: 'anthropic',
  readRequest(body) {
    if (!Array.isArray(body.messages)) throw new Unreadable('messages: expected a list');
    if (typeof body.model !== 'string') throw new Unreadable('model: expected a text');
    const system = contentText(body.system);
    const tools = objects(body.tools).map(toolName);
    return {
      model: body.model,
      stream: body.stream === true,
      items: [
        ...(system === '' ? [] : [{ t: 'system', text: system } as const]),
        ...objects(body.messages).flatMap(itemsOf),
      ],
      args: parametersOf(body, HIDDEN, tools.length === 0 ? null : tools),
      user: (isObject(body.metadata) && textOf(body.metadata.user_id)) || null,
      thread: continues(body) || null,
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
    if (withheld.length === 0 || continues(body) === '') return body;
    // The vendor has kept the calls that the client never saw, and asks for their results.
    const results = withheld.map(({ callId, text }) => ({
      type: 'tool_result',
      tool_use_id: callId,
      content: text,
      is_error: true,
    }));
    const [first, ...rest] = objects(body.messages);
    if (first?.role !== 'user')
      return { ...body, messages: [{ role: 'user', content: results }, ...objects(body.messages)] };
    const said =
      typeof first.content === 'string' ? [{ type: 'text', text: first.content }] : objects(first.content);
    return { ...body, messages: [{ ...first, content: [...results, ...said] }, ...rest] };
  },
  async reply(body, desk) {
    const given = objects(body.content);
    const judged = given.map((block) => judge(block, desk));
    tellServerTools(given, desk);
    desk.finish({
      usage: usageIn(body.usage),
      model: textOf(body.model) || null,
      id: textOf(body.id) || null,
    });
    const content = (await Promise.all(judged)).filter((block) => block !== null);
    return {
      ...body,
      content,
      stop_reason: stopOf(body.stop_reason, given.filter(isCall).length > 0, content.some(isCall)),
    };
  },
  stream: anthropicStream,
  error: ({ status, code, message, details }) => ({
    type: 'error',
    error: {
      type: TYPES[status] ?? 'api_error',
      message,
      code,
      ...(details === undefined ? {} : { interlock: details }),
    },
  }),
  broken(shape) {
    return jsonEvent(this.error(shape), 'error');
  },
};

/** The vendor's own names for errors of a status (docs.anthropic.com/en/api/errors). */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

/** The message that a conversation kept by the vendor goes on from (beta of message threads); empty without one. */
function continues({ thread }: Fields): string {
  return isObject(thread) ? textOf(thread.previous_message_id) : '';
}

function toolName(tool: Fields): string {
  return textOf(tool.name) || textOf(tool.type) || 'tool';
}

function itemsOf(message: Fields): Item[] {
  const blocks: readonly Fields[] =
    typeof message.content === 'string'
      ? [{ type: 'text', text: message.content }]
      : objects(message.content);
  if (message.role === 'assistant') {
    const text = blocks.filter((block) => block.type === 'text').map((block) => textOf(block.text));
    const calls = blocks.filter(isCall).map((block) => {
      const { callId, name, args } = callOf(block);
      return { callId, name, args };
    });
    return [{ t: 'assistant', text: text.join('\n'), calls }];
  }
  const items: Item[] = [];
  const words: string[] = [];
  for (const block of blocks) {
    if (block.type === 'tool_result') {
      const { tool_use_id, content, is_error } = block;
      items.push({
        t: 'result',
        callId: textOf(tool_use_id),
        name: null,
        text: contentText(content),
        failed: is_error === true,
      });
    } else if (block.type === 'document') {
      const source = isObject(block.source) ? block.source : {};
      const text = source.type === 'text' ? textOf(source.data) : contentText(source.content ?? '[document]');
      items.push({ t: 'document', name: textOf(block.title) || 'document', text });
    } else if (block.type === 'search_result')
      items.push({
        t: 'document',
        name: textOf(block.title) || 'search_result',
        text: contentText(block.content),
      });
    else words.push(contentText([block]));
  }
  if (words.length > 0)
    items.push({ t: message.role === 'system' ? 'system' : 'user', text: words.join('\n') });
  return items;
}

/** A block that the client is to run. What the vendor runs itself is named otherwise. */
function isCall(block: Fields): boolean {
  const type = textOf(block.type);
  return type.endsWith('tool_use') && type !== 'server_tool_use' && type !== 'mcp_tool_use';
}

function callOf(block: Fields): ProposedCall {
  return { callId: textOf(block.id), name: textOf(block.name), ...argumentsIn(block.input, 'object') };
}

function usageIn(usage: unknown) {
  if (!isObject(usage)) return null;
  return usageOf({
    input: count(usage.input_tokens),
    cacheRead: count(usage.cache_read_input_tokens),
    cacheWrite: count(usage.cache_creation_input_tokens),
    output: count(usage.output_tokens),
  });
}

function stopOf(reason: unknown, asked: boolean, calls: boolean): unknown {
  return reason === 'tool_use' && asked && !calls ? 'end_turn' : reason;
}

/** The block as it goes on; null when nothing of it does. */
async function judge(block: Fields, desk: Desk): Promise<Fields | null> {
  if (isCall(block)) {
    const ruling = await desk.call(callOf(block));
    if (ruling.t === 'withhold') return { type: 'text', text: ruling.text };
    return ruling.t === 'rewrite' ? { ...block, input: ruling.args } : block;
  }
  switch (block.type) {
    case 'text': {
      const text = await through(desk, textOf(block.text), 'said');
      const { citations, ...plain } = block;
      // A citation quotes what is cited.
      return { ...(desk.guarded ? plain : block), text };
    }
    case 'thinking': {
      const text = textOf(block.thinking);
      // Signed as a whole: it goes as it is or not at all.
      return (await through(desk, text, 'thought')) === text ? block : null;
    }
    default:
      return block;
  }
}

/** What the vendor ran: searches, code, MCP servers. */
function tellServerTools(blocks: readonly Fields[], desk: Desk): void {
  const calls = new Map(blocks.map((block) => [textOf(block.id), block]));
  for (const block of blocks) {
    const type = textOf(block.type);
    if (!type.endsWith('_tool_result')) continue;
    const call = calls.get(textOf(block.tool_use_id));
    if (call === undefined || isCall(call)) continue;
    desk.ran(
      textOf(call.name) || type,
      argumentsOf(JSON.stringify(call.input ?? {})) ?? {},
      contentText(block.content),
    );
  }
}

/** A block of a stream that is not over. */
interface Open {
  readonly block: Fields;
  readonly at: number;
  readonly gate: TextGate | null;
  /** Events that are kept until it is whole, of a call or a guarded thought. */
  readonly kept: StreamEvent[];
  text: string;
}

function anthropicStream(desk: Desk): StreamGuard {
  const open = new Map<number, Open>();
  const server: Fields[] = [];
  let sent = 0;
  let asked = false;
  let calls = false;
  let usage: Fields = {};
  let head: Fields = {};
  let stopped = false;

  function start(index: number, block: Fields): string {
    if (open.size >= BLOCKS_MAX || sent >= BLOCKS_MAX)
      throw new Unreadable(`a reply with more than ${BLOCKS_MAX} blocks`);
    if (isCall(block)) {
      asked = true;
      open.set(index, { block, at: -1, gate: null, kept: [], text: '' });
      return '';
    }
    const kind = block.type === 'text' ? 'said' : block.type === 'thinking' ? 'thought' : null;
    const gate = kind === null ? null : desk.text(kind);
    if (kind === 'thought' && desk.guarded) {
      open.set(index, { block, at: -1, gate, kept: [], text: textOf(block.thinking) });
      return '';
    }
    const at = sent++;
    const known: Open = { block, at, gate, kept: [], text: '' };
    open.set(index, known);
    const first = gate === null ? '' : textOf(block.text) + textOf(block.thinking);
    const shown =
      first === '' ? block : { ...block, [kind === 'said' ? 'text' : 'thinking']: gate!.push(first) };
    return jsonEvent({ type: 'content_block_start', index: at, content_block: shown }, 'content_block_start');
  }

  function delta(at: number, piece: Fields): string {
    return jsonEvent({ type: 'content_block_delta', index: at, delta: piece }, 'content_block_delta');
  }

  function go(index: number, piece: Fields, event: StreamEvent): string {
    const block = open.get(index);
    if (block === undefined) throw new Unreadable('a piece of a block that has not begun');
    if (block.at < 0) {
      block.text += textOf(piece.partial_json) + textOf(piece.thinking);
      if (block.gate !== null) block.kept.push(event);
      return '';
    }
    const words = piece.type === 'text_delta' ? 'text' : piece.type === 'thinking_delta' ? 'thinking' : null;
    if (words !== null && block.gate !== null) {
      const released = block.gate.push(textOf(piece[words]));
      return released === '' ? '' : delta(block.at, { ...piece, [words]: released });
    }
    if (piece.type === 'input_json_delta') block.text += textOf(piece.partial_json);
    if (piece.type === 'citations_delta' && desk.guarded) return '';
    return delta(block.at, piece);
  }

  async function stop(index: number): Promise<string> {
    const known = open.get(index);
    if (known === undefined) throw new Unreadable('the end of a block that has not begun');
    open.delete(index);
    const { block, at, gate, kept, text } = known;
    if (at >= 0) {
      if (!isCall(block) && gate === null) server.push({ ...block, ...serverInput(block, text) });
      const rest = gate === null ? '' : await gate.end();
      const field = block.type === 'thinking' ? 'thinking' : 'text';
      return (rest === '' ? '' : delta(at, { type: `${field}_delta`, [field]: rest })) + over(at);
    }
    if (gate !== null) return thought(block, gate, text, kept);
    const told = callOf(block);
    const call = text === '' ? told : { ...told, ...argumentsIn(text, 'text') };
    const ruling = await desk.call(call);
    const place = sent++;
    if (ruling.t === 'withhold')
      return whole(place, { type: 'text', text: '' }, { type: 'text_delta', text: ruling.text });
    calls = true;
    const input = ruling.t === 'rewrite' ? JSON.stringify(ruling.args) : call.raw;
    return whole(place, { ...block, input: {} }, { type: 'input_json_delta', partial_json: input });
  }

  /** A guarded thought goes as it came or not at all: it is signed. */
  async function thought(
    block: Fields,
    gate: TextGate,
    text: string,
    kept: readonly StreamEvent[],
  ): Promise<string> {
    if (gate.push(text) + (await gate.end()) !== text) return '';
    const at = sent++;
    let out = jsonEvent(
      { type: 'content_block_start', index: at, content_block: block },
      'content_block_start',
    );
    for (const event of kept) out += jsonEvent({ ...JSON.parse(event.data), index: at }, event.event);
    return out + over(at);
  }

  function whole(at: number, block: Fields, piece: Fields): string {
    return (
      jsonEvent({ type: 'content_block_start', index: at, content_block: block }, 'content_block_start') +
      delta(at, piece) +
      over(at)
    );
  }

  return {
    async push(event) {
      if (event.comment === true) return writeEvent(event);
      const body: unknown = JSON.parse(event.data);
      if (!isObject(body)) throw new Unreadable('an event of the stream is no JSON object');
      // Nobody reads on after the end.
      if (stopped) return '';
      const index = count(body.index);
      switch (body.type) {
        case 'message_start':
          head = isObject(body.message) ? body.message : {};
          usage = isObject(head.usage) ? head.usage : {};
          // What it says comes in blocks.
          return jsonEvent({ ...body, message: { ...head, content: [] } }, 'message_start');
        case 'content_block_start':
          return start(index, isObject(body.content_block) ? body.content_block : {});
        case 'content_block_delta':
          return go(index, isObject(body.delta) ? body.delta : {}, event);
        case 'content_block_stop':
          return stop(index);
        case 'message_delta': {
          if (isObject(body.usage)) usage = { ...usage, ...body.usage };
          if (!isObject(body.delta)) return writeEvent(event);
          const reason = stopOf(body.delta.stop_reason, asked, calls);
          return jsonEvent({ ...body, delta: { ...body.delta, stop_reason: reason } }, 'message_delta');
        }
        case 'message_stop':
          if (open.size > 0) throw new Unreadable('the reply ended before its blocks did');
          stopped = true;
          tellServerTools(server, desk);
          desk.finish({
            usage: usageIn(usage),
            model: textOf(head.model) || null,
            id: textOf(head.id) || null,
          });
          return writeEvent(event);
        default:
          return desk.guarded && body.type !== 'ping' && body.type !== 'error' ? '' : writeEvent(event);
      }
    },
    complete: () => stopped,
  };
}

function serverInput(block: Fields, text: string): Fields {
  return text === '' ? {} : { input: argumentsOf(text) ?? block.input };
}

function over(at: number): string {
  return jsonEvent({ type: 'content_block_stop', index: at }, 'content_block_stop');
}
