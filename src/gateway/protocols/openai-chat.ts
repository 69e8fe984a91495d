// OpenAI Chat Completions (platform.openai.com/docs/api-reference/chat), and everything that speaks like it: vLLM, Ollama,
// LiteLLM, Azure. Unknown fields go through, unless text is guarded and they could hold it.
import {
  argumentsIn,
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

/** Where models tell their thoughts; not OpenAI's own, but common. */
const THOUGHTS = ['reasoning_content', 'reasoning'] as const;
const WORDS = ['content', 'refusal', ...THOUGHTS] as const;
const SAFE = new Set<string>(['role', 'tool_calls', 'function_call', ...WORDS]);
/** Beside the words of a choice, where they are guarded: what is known not to repeat them. */
const BESIDE = new Set(['index', 'finish_reason', 'native_finish_reason', 'content_filter_results']);
/** Parallel calls of one reply, and choices. */
const CALLS_MAX = 128;
const CHOICES_MAX = 128;

export const openaiChat: Protocol = {
  name: 'openai-chat',
  readRequest(body) {
    if (!Array.isArray(body.messages)) throw new Unreadable('messages: expected a list');
    if (typeof body.model !== 'string') throw new Unreadable('model: expected a text');
    const tools = [...objects(body.tools).map(toolName), ...objects(body.functions).map(toolName)];
    return {
      model: body.model,
      stream: body.stream === true,
      items: objects(body.messages).flatMap(itemsOf),
      args: parametersOf(body, HIDDEN, tools.length === 0 ? null : tools),
      user: textOf(body.safety_identifier) || textOf(body.user) || null,
      thread: null,
    };
  },
  withArgs(body, args) {
    const { args: before } = this.readRequest(body, NOWHERE);
    return withParameters(body, before, args, (out, names) => ({
      ...out,
      ...(out.tools === undefined
        ? {}
        : { tools: objects(out.tools).filter((tool) => names.has(toolName(tool))) }),
      ...(out.functions === undefined
        ? {}
        : { functions: objects(out.functions).filter((tool) => names.has(toolName(tool))) }),
    }));
  },
  withResults: (body) => body,
  async reply(body, desk) {
    const given = objects(body.choices);
    if (given.length > CHOICES_MAX) throw new Unreadable(`a reply with more than ${CHOICES_MAX} choices`);
    // The end is told in the same turn as what is decided, so that all of it becomes durable as one.
    const choices = given.map((choice) => judged(choice, desk));
    desk.finish({ usage: usageIn(body), model: textOf(body.model) || null, id: textOf(body.id) || null });
    return { ...body, choices: await Promise.all(choices) };
  },
  stream: chatStream,
  error: ({ code, message, details }) => ({
    error: {
      message,
      type: code,
      param: null,
      code,
      ...(details === undefined ? {} : { interlock: details }),
    },
  }),
  broken(shape) {
    return jsonEvent(this.error(shape));
  },
};

const HIDDEN = ['messages', 'tools', 'functions', 'model'];
const NOWHERE = { model: null, stream: false, sse: true };

function toolName(tool: Fields): string {
  for (const at of [tool.function, tool.custom, tool])
    if (isObject(at) && typeof at.name === 'string') return at.name;
  return textOf(tool.type) || 'tool';
}

function itemsOf(message: Fields): Item[] {
  const text = contentText(message.content);
  switch (message.role) {
    case 'system':
    case 'developer':
      return [{ t: 'system', text }];
    case 'assistant': {
      const calls = objects(message.tool_calls).map((call) => {
        const { callId, name, args } = callOf(call);
        return { callId, name, args };
      });
      const old = isObject(message.function_call) ? [callOf(message.function_call)] : [];
      return [{ t: 'assistant', text: text || textOf(message.refusal), calls: [...calls, ...old] }];
    }
    case 'tool':
      return [{ t: 'result', callId: textOf(message.tool_call_id), name: null, text, failed: false }];
    case 'function': {
      const name = textOf(message.name);
      return [{ t: 'result', callId: name, name, text, failed: false }];
    }
    default:
      return [{ t: 'user', text }];
  }
}

/** Of a tool call, or of the older `function_call`, which is known by its name alone. */
function callOf(call: Fields): ProposedCall {
  const details = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : call;
  const name = textOf(details.name);
  const callId = textOf(call.id) || name;
  // One call that is two: nobody knows which of them runs.
  if (isObject(call.custom) && isObject(call.function))
    return { callId, name, args: null, raw: JSON.stringify(call) };
  if (isObject(call.custom)) return { callId, name, ...freeText(details.input) };
  return { callId, name, ...argumentsIn(details.arguments, 'either') };
}

function usageIn(body: Fields) {
  if (!isObject(body.usage)) return null;
  const { prompt_tokens, completion_tokens, prompt_tokens_details, completion_tokens_details } = body.usage;
  const cached = isObject(prompt_tokens_details) ? count(prompt_tokens_details.cached_tokens) : 0;
  const reasoning = isObject(completion_tokens_details)
    ? count(completion_tokens_details.reasoning_tokens)
    : 0;
  return usageOf({
    input: count(prompt_tokens) - cached,
    cacheRead: cached,
    output: count(completion_tokens) - reasoning,
    reasoning,
  });
}

/** The call with rewritten arguments, in the form it came. */
function rewritten(call: Fields, args: Fields): Fields {
  if (isObject(call.custom)) return { ...call, custom: { ...call.custom, input: textOf(args.input) } };
  const text = JSON.stringify(args);
  if (isObject(call.function)) return { ...call, function: { ...call.function, arguments: text } };
  return { ...call, arguments: text };
}

async function judged(choice: Fields, desk: Desk): Promise<Fields> {
  const { message } = choice;
  if (!isObject(message)) throw new Unreadable('a choice without a message');
  const given = objects(message.tool_calls).map((call, i) => withId(call, desk.turn, count(choice.index), i));
  if (given.length > CALLS_MAX) throw new Unreadable(`a reply with more than ${CALLS_MAX} tool calls`);
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(message))
    if (!desk.guarded || (SAFE.has(key) && (typeof value !== 'object' || value === null))) out[key] = value;
  for (const key of THOUGHTS)
    if (textOf(message[key]) !== '') out[key] = await through(desk, textOf(message[key]), 'thought');
  const audio = isObject(message.audio) ? textOf(message.audio.transcript) : '';
  const said = ['content', 'refusal'].map(async (key) => {
    const text = contentText(message[key]);
    if (text === '') return;
    const goes = await through(desk, text);
    // Words in parts stay in them where nothing was changed.
    out[key] = goes === text && !desk.guarded ? message[key] : goes;
  });
  if (audio !== '')
    said.push(through(desk, audio).then((text) => void (desk.guarded && text !== audio && delete out.audio)));
  const rulings = [...given, ...(isObject(message.function_call) ? [message.function_call] : [])].map(
    async (call) => ({
      call,
      ruling: await desk.call(callOf(call)),
    }),
  );
  // Waited for together: of two that fail, one must not be left without anybody to hear of it.
  const [ruled] = await Promise.all([Promise.all(rulings), Promise.all(said)]);
  const kept: Fields[] = [];
  for (const { call, ruling } of ruled) {
    if (ruling.t === 'withhold') out.content = joined(contentText(out.content), ruling.text);
    else kept.push(ruling.t === 'rewrite' ? rewritten(call, ruling.args) : call);
  }
  delete out.tool_calls;
  delete out.function_call;
  const old = kept.filter(
    (call) => call === message.function_call || (call.function === undefined && call.custom === undefined),
  );
  const calls = kept.filter((call) => !old.includes(call));
  if (calls.length > 0) out.tool_calls = calls;
  if (old.length > 0) out.function_call = old[0];
  const { logprobs, delta: _, ...rest } = choice;
  return {
    ...besideWords(rest, desk),
    ...(logprobs === undefined || desk.guarded ? {} : { logprobs }),
    message: out,
    finish_reason: finishOf(choice.finish_reason, kept.length > 0, rulings.length > 0),
  };
}

function besideWords(choice: Fields, desk: Desk): Fields {
  if (!desk.guarded) return choice;
  return Object.fromEntries(Object.entries(choice).filter(([key]) => BESIDE.has(key)));
}

function joined(before: string, text: string): string {
  return before === '' ? text : `${before}\n\n${text}`;
}

/** A reply whose calls were all withheld has come to its end. */
function finishOf(reason: unknown, calls: boolean, asked: boolean): unknown {
  return asked && !calls && (reason === 'tool_calls' || reason === 'function_call') ? 'stop' : reason;
}

/** What is known of one choice of a stream. */
interface Choice {
  readonly index: number;
  readonly gates: Map<string, TextGate>;
  readonly calls: { readonly index: number; readonly call: Record<string, unknown>; arguments: string }[];
  said: boolean;
  sent: number;
  asked: number;
  finished: boolean;
}

/** The older `function_call` has no index. */
const OLD = -1;

function chatStream(desk: Desk): StreamGuard {
  const choices = new Map<number, Choice>();
  let last: Fields = {};
  let usage: Fields | null = null;
  let done = false;
  let ended = false;

  function choiceOf(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      if (choices.size >= CHOICES_MAX) throw new Unreadable(`a reply with more than ${CHOICES_MAX} choices`);
      choice = { index, gates: new Map(), calls: [], said: false, sent: 0, asked: 0, finished: false };
      choices.set(index, choice);
    }
    return choice;
  }

  function chunk(index: number, delta: Fields, rest: Fields = { finish_reason: null }): string {
    const { choices: _, usage: __, ...head } = last;
    return jsonEvent({ ...head, choices: [{ index, delta, ...rest }] });
  }

  function gateOf(choice: Choice, key: string): TextGate {
    let gate = choice.gates.get(key);
    if (gate === undefined) {
      gate = desk.text((THOUGHTS as readonly string[]).includes(key) ? 'thought' : 'said');
      choice.gates.set(key, gate);
    }
    return gate;
  }

  /** What the gates still held, once the text is all there. */
  async function endText(choice: Choice): Promise<string> {
    let out = '';
    const gates = [...choice.gates];
    choice.gates.clear();
    for (const [key, gate] of gates) {
      const rest = await gate.end();
      if (rest !== '') out += chunk(choice.index, { [key]: rest });
      if (rest !== '' && key === 'content') choice.said = true;
    }
    return out;
  }

  /** Adds a piece of a call; its parts are put together under the index that the stream gives it. */
  function addPiece(choice: Choice, index: number, piece: Fields): void {
    let known = choice.calls.findLast((call) => call.index === index);
    if (known === undefined || isAnother(piece, known.call)) {
      if (choice.calls.length >= CALLS_MAX)
        throw new Unreadable(`a reply with more than ${CALLS_MAX} tool calls`);
      known = { index, call: {}, arguments: '' };
      choice.calls.push(known);
    }
    const { call } = known;
    for (const [key, value] of Object.entries(piece)) {
      if (key === 'index' || key === 'arguments' || value === null) continue;
      if (key !== 'function' && key !== 'custom') call[key] = value;
      else if (isObject(value)) {
        const inner = (call[key] ?? {}) as Record<string, unknown>;
        const { arguments: args, input, name, ...rest } = value;
        if (textOf(name) !== '') inner.name = textOf(inner.name) + textOf(name);
        known.arguments += pieceOf(args) + pieceOf(input);
        call[key] = { ...rest, ...inner };
      }
    }
    known.arguments += pieceOf(piece.arguments);
  }

  async function endCalls(choice: Choice): Promise<string> {
    const whole = choice.calls.map(({ index, call, arguments: args }, i) => ({
      index,
      call: withText(index === OLD ? call : withId(call, desk.turn, choice.index, i), args),
    }));
    choice.calls.length = 0;
    choice.asked += whole.length;
    const rulings = await Promise.all(whole.map(({ call }) => desk.call(callOf(call))));
    let out = '';
    for (const [i, { index, call }] of whole.entries()) {
      const ruling = rulings[i]!;
      if (ruling.t === 'withhold') {
        out += chunk(choice.index, { content: choice.said ? `\n\n${ruling.text}` : ruling.text });
        choice.said = true;
        continue;
      }
      const goes = ruling.t === 'rewrite' ? rewritten(call, ruling.args) : call;
      out += chunk(
        choice.index,
        index === OLD ? { function_call: goes } : { tool_calls: [{ index: choice.sent, ...goes }] },
      );
      choice.sent++;
    }
    return out;
  }

  async function end(choice: Choice): Promise<string> {
    choice.finished = true;
    return (await endText(choice)) + (await endCalls(choice));
  }

  async function take(given: Fields): Promise<string> {
    const choice = choiceOf(count(given.index));
    // A whole message in a stream would go past what is decided piece by piece.
    const { delta: shown, finish_reason: reason, logprobs, index: _, message: __, ...others } = given;
    const delta = isObject(shown) ? shown : {};
    const pieces = objects(delta.tool_calls);
    const old = isObject(delta.function_call) ? [delta.function_call] : [];
    // It was decided as a whole, and would be no more.
    if (
      choice.finished &&
      (pieces.length + old.length > 0 || WORDS.some((key) => contentText(delta[key]) !== ''))
    )
      throw new Unreadable('more of a choice after its end');
    let out = '';
    const goes: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(delta)) {
      if (key === 'tool_calls' || key === 'function_call') continue;
      if (typeof value === 'object' && value !== null && (key === 'content' || key === 'refusal')) {
        // Words in parts, as some that speak like OpenAI send them.
        const text = gateOf(choice, key).push(contentText(value));
        if (!desk.guarded) goes[key] = value;
        else if (text !== '') goes[key] = text;
        choice.said ||= text !== '';
      } else if (typeof value === 'string' && key !== 'role' && SAFE.has(key)) {
        const text = value === '' ? '' : gateOf(choice, key).push(value);
        if (text !== '') goes[key] = text;
        // An empty first delta says whose turn it is.
        else if (value === '' && delta.role !== undefined) goes[key] = value;
        if (text !== '' && key === 'content') choice.said = true;
      } else if (!desk.guarded || (SAFE.has(key) && (typeof value !== 'object' || value === null)))
        goes[key] = value;
    }
    const beside = besideWords(others, desk);
    const rest = desk.guarded || logprobs === undefined ? beside : { ...beside, logprobs };
    if (Object.values(goes).some((value) => value !== null && value !== undefined))
      out += chunk(choice.index, goes, { ...rest, finish_reason: null });
    if (pieces.length + old.length > 0) out += await endText(choice);
    for (const piece of pieces) addPiece(choice, count(piece.index), piece);
    for (const piece of old) addPiece(choice, OLD, piece);
    if (reason === null || reason === undefined) return out;
    out += await end(choice);
    return (
      out +
      chunk(choice.index, {}, { ...rest, finish_reason: finishOf(reason, choice.sent > 0, choice.asked > 0) })
    );
  }

  function finish(): void {
    if (done) return;
    done = true;
    desk.finish({
      usage: usage === null ? null : usageIn({ usage }),
      model: textOf(last.model) || null,
      id: textOf(last.id) || null,
    });
  }

  return {
    async push(event: StreamEvent) {
      if (event.comment === true) return writeEvent(event);
      // Nobody reads on after the end.
      if (ended) return '';
      if (event.data === '[DONE]') {
        let out = '';
        for (const choice of choices.values()) if (!choice.finished) out += await end(choice);
        ended = true;
        finish();
        return out + writeEvent(event);
      }
      const body: unknown = JSON.parse(event.data);
      if (!isObject(body)) throw new Unreadable('an event of the stream is no JSON object');
      // Beside an error nothing else goes; some say that there is none in every chunk.
      if (isObject(body.error)) return jsonEvent({ error: body.error });
      if (isObject(body.usage)) usage = body.usage;
      const given = objects(body.choices);
      last = body;
      if (given.length === 0) return writeEvent(event);
      let out = '';
      for (const choice of given) out += await take(choice);
      // Usage that comes with the last choice goes in a chunk of its own.
      if (isObject(body.usage) && out !== '') out += jsonEvent({ ...body, choices: [] });
      return out;
    },
    complete() {
      const whole = choices.size > 0 && [...choices.values()].every((choice) => choice.finished);
      if (whole) finish();
      return ended || whole;
    },
  };
}

/** Some servers give every call of a reply the same place: one with a name and an id of its own is another. */
function isAnother(piece: Fields, known: Fields): boolean {
  const [id, earlier] = [textOf(piece.id), textOf(known.id)];
  return id !== '' && earlier !== '' && id !== earlier && callOf(piece).name !== '';
}

/** Calls that a server gave no id can be told apart all the same, and their results joined to them. */
function withId(call: Fields, turn: number, choice: number, place: number): Fields {
  if (textOf(call.id) !== '' || (!isObject(call.function) && !isObject(call.custom))) return call;
  return { ...call, id: `${callOf(call).name}@${turn}.${choice}.${place}` };
}

/** Arguments come as text, piece by piece; some servers give them whole, as what they are. */
function pieceOf(value: unknown): string {
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value) : textOf(value);
}

function withText(call: Fields, text: string): Fields {
  if (isObject(call.custom)) return { ...call, custom: { ...call.custom, input: text } };
  if (isObject(call.function)) return { ...call, function: { ...call.function, arguments: text } };
  return { ...call, arguments: text };
}
