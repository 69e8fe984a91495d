// Google Gemini generateContent (ai.google.dev/api/generate-content). Calls often have no id: they get one from their place in
// the conversation, which the next request shows again.
import {
  argumentsIn,
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

const HIDDEN = ['contents', 'systemInstruction', 'system_instruction', 'tools', 'model'];
const CANDIDATES_MAX = 64;
const PARTS_MAX = 1_000;

export const gemini: Protocol = {
  name: 'gemini',
  readRequest(body, { model, stream }) {
    if (!Array.isArray(body.contents)) throw new Unreadable('contents: expected a list');
    const system = body.systemInstruction ?? body.system_instruction;
    const tools = toolNames(body.tools);
    return {
      model: model ?? '',
      stream,
      items: [
        ...(isObject(system) ? [{ t: 'system', text: wordsOf(objects(system.parts)) } as const] : []),
        ...itemsOf(objects(body.contents)),
      ],
      args: parametersOf(body, HIDDEN, tools.length === 0 ? null : tools),
      user: null,
      thread: null,
    };
  },
  withArgs(body, args) {
    const before = parametersOf(
      body,
      HIDDEN,
      toolNames(body.tools).length === 0 ? null : toolNames(body.tools),
    );
    return withParameters(body, before, args, (out, names) => ({
      ...out,
      tools: withoutTools(out.tools, names),
    }));
  },
  withResults: (body) => body,
  async reply(body, desk) {
    const candidates = await Promise.all(
      objects(body.candidates)
        .slice(0, CANDIDATES_MAX)
        .map(async (candidate) => {
          if (!isObject(candidate.content)) return candidate;
          const state = freshState(desk);
          const parts = [
            ...(await judged(objects(candidate.content.parts), state, desk)),
            ...(await endText(state)),
          ];
          return { ...plain(candidate, desk), content: { ...candidate.content, parts } };
        }),
    );
    finish(body, desk);
    return { ...body, ...(body.candidates === undefined ? {} : { candidates }) };
  },
  stream: geminiStream,
  error: ({ status, code, message, details }) => ({
    error: {
      code: status,
      message,
      status: STATUS[status] ?? 'INTERNAL',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: code,
          domain: 'interlock',
          ...details,
        },
      ],
    },
  }),
  broken(shape) {
    return jsonEvent(this.error(shape));
  },
};

/** google.rpc.Code by status. */
const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

function toolNames(tools: unknown): string[] {
  return objects(tools).flatMap((tool) =>
    Object.entries(tool).flatMap(([key, value]) =>
      key === 'functionDeclarations' || key === 'function_declarations'
        ? objects(value).map((one) => textOf(one.name))
        : [key],
    ),
  );
}

function withoutTools(tools: unknown, names: ReadonlySet<string>): Fields[] {
  return objects(tools)
    .map((tool) => {
      const out: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(tool)) {
        if (key === 'functionDeclarations' || key === 'function_declarations') {
          const left = objects(value).filter((one) => names.has(textOf(one.name)));
          if (left.length > 0) out[key] = left;
        } else if (names.has(key)) out[key] = value;
      }
      return out;
    })
    .filter((tool) => Object.keys(tool).length > 0);
}

function wordsOf(parts: readonly Fields[]): string {
  return parts
    .filter((part) => part.thought !== true)
    .map(
      (part) => textOf(part.text) || (part.text === undefined ? `[${Object.keys(part)[0] ?? 'part'}]` : ''),
    )
    .join('\n');
}

function functionCall(part: Fields): Fields | null {
  const call = part.functionCall ?? part.function_call;
  return isObject(call) ? call : null;
}

/** Calls without an id are known by their place, results by the order of the calls of their name. */
function itemsOf(contents: readonly Fields[]): Item[] {
  const items: Item[] = [];
  let open: { callId: string; name: string }[] = [];
  let turn = 0;
  for (const content of contents) {
    const parts = objects(content.parts);
    if (content.role === 'model') {
      const calls = parts.map(functionCall).filter((call) => call !== null);
      const told = calls.map((call, i) => ({ ...callOf(call, turn, i), raw: undefined }));
      items.push({
        t: 'assistant',
        text: wordsOf(parts.filter((part) => functionCall(part) === null)),
        calls: told.map(({ callId, name, args }) => ({ callId, name, args })),
      });
      open = told.map(({ callId, name }) => ({ callId, name }));
      turn++;
      continue;
    }
    const words: Fields[] = [];
    for (const part of parts) {
      const answer = part.functionResponse ?? part.function_response;
      if (!isObject(answer)) {
        words.push(part);
        continue;
      }
      const name = textOf(answer.name);
      const index = open.findIndex((call) =>
        textOf(answer.id) === '' ? call.name === name : call.callId === answer.id,
      );
      const [call] = index < 0 ? [] : open.splice(index, 1);
      const { response } = answer;
      items.push({
        t: 'result',
        callId: call?.callId ?? (textOf(answer.id) || `${name}@${turn}`),
        name,
        text: typeof response === 'string' ? response : JSON.stringify(response ?? null),
        failed: isObject(response) && response.error !== undefined,
      });
    }
    if (words.length > 0)
      items.push({ t: content.role === 'system' ? 'system' : 'user', text: wordsOf(words) });
  }
  return items;
}

/** `turn`: how many replies of the model came before. */
function callOf(call: Fields, turn: number, index: number): ProposedCall {
  const name = textOf(call.name);
  const callId = textOf(call.id) || `${name}@${turn}.${index}`;
  return { callId, name, ...argumentsIn(call.args, 'object') };
}

function usageIn(usage: unknown) {
  if (!isObject(usage)) return null;
  const cached = count(usage.cachedContentTokenCount);
  return usageOf({
    input: count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount) - cached,
    cacheRead: cached,
    output: count(usage.candidatesTokenCount),
    reasoning: count(usage.thoughtsTokenCount),
  });
}

function finish(body: Fields, desk: Desk): void {
  desk.finish({
    usage: usageIn(body.usageMetadata),
    model: textOf(body.modelVersion) || null,
    id: textOf(body.responseId) || null,
  });
}

/** One candidate, while its parts come. */
interface State {
  readonly gates: { said: TextGate | null; thought: TextGate | null };
  readonly desk: Desk;
  calls: number;
  parts: number;
  /** Of a withheld call: the vendor wants it on the first call that is told again (ai.google.dev, thought signatures). */
  signature: unknown;
}

function freshState(desk: Desk): State {
  return { gates: { said: null, thought: null }, desk, calls: 0, parts: 0, signature: undefined };
}

/** A part is one thing; one that says several is several. */
function singles(part: Fields): readonly Fields[] {
  const { functionCall: call, function_call: other, ...rest } = part;
  const given = [
    ...(call === undefined ? [] : [{ functionCall: call }]),
    ...(other === undefined ? [] : [{ function_call: other }]),
  ];
  if (given.length === 0) return [part];
  const { thoughtSignature, thought, text } = rest;
  const signature = thoughtSignature === undefined ? {} : { thoughtSignature };
  const said =
    typeof text === 'string' && text !== '' ? [{ text, ...(thought === true ? { thought } : {}) }] : [];
  return [...said, ...given.map((one, i) => (i === 0 ? { ...one, ...signature } : one))];
}

async function judged(parts: readonly Fields[], state: State, desk: Desk): Promise<Fields[]> {
  const out: Fields[] = [];
  for (const part of parts.flatMap(singles)) {
    if (++state.parts > PARTS_MAX * 100) throw new Unreadable('a reply of too many parts');
    const call = functionCall(part);
    if (call !== null) {
      if (call.willContinue === true || call.partialArgs !== undefined)
        throw new Unreadable('arguments that come in pieces (streamFunctionCallArguments) are not supported');
      out.push(...(await endText(state)));
      const ruling = await desk.call(callOf(call, desk.turn, state.calls++));
      if (ruling.t === 'withhold') {
        state.signature ??= part.thoughtSignature;
        out.push({ text: ruling.text });
        continue;
      }
      const goes = part.thoughtSignature === undefined ? signed(part, state.signature) : part;
      state.signature = undefined;
      if (ruling.t === 'rewrite')
        out.push({
          ...goes,
          [part.functionCall === undefined ? 'function_call' : 'functionCall']: {
            ...call,
            args: ruling.args,
          },
        });
      else out.push(goes);
      continue;
    }
    const code = part.executableCode;
    const output = part.codeExecutionResult;
    if (isObject(output)) desk.ran('code_execution', {}, textOf(output.output));
    if (typeof part.text !== 'string' || code !== undefined) {
      if (!desk.guarded || (code === undefined && output === undefined)) out.push(part);
      continue;
    }
    const kind = part.thought === true ? 'thought' : 'said';
    state.gates[kind] ??= desk.text(kind);
    const text = state.gates[kind].push(part.text);
    if (text !== '' || part.thoughtSignature !== undefined) out.push({ ...part, text });
  }
  return out;
}

function signed(part: Fields, thoughtSignature: unknown): Fields {
  return thoughtSignature === undefined ? part : { ...part, thoughtSignature };
}

/** What the gates still held. */
async function endText({ gates }: State): Promise<Fields[]> {
  const out: Fields[] = [];
  for (const kind of ['thought', 'said'] as const) {
    const gate = gates[kind];
    gates[kind] = null;
    const rest = gate === null ? '' : await gate.end();
    if (rest !== '') out.push(kind === 'said' ? { text: rest } : { text: rest, thought: true });
  }
  return out;
}

/** Without what quotes the text, where text is guarded. */
function plain(candidate: Fields, desk: Desk): Fields {
  if (!desk.guarded) return candidate;
  const { logprobsResult, citationMetadata, groundingMetadata, ...rest } = candidate;
  return rest;
}

function geminiStream(desk: Desk, { sse }: { readonly sse: boolean }): StreamGuard {
  const states = new Map<number, State>();
  const over = new Set<number>();
  let last: Fields = {};
  let done = false;
  let written = 0;

  function out(body: Fields): string {
    return sse ? jsonEvent(body) : `${written++ === 0 ? '[' : ',\r\n'}${JSON.stringify(body)}`;
  }

  async function take(candidate: Fields): Promise<Fields | null> {
    const index = count(candidate.index);
    let state = states.get(index);
    if (state === undefined) {
      if (states.size >= CANDIDATES_MAX) throw new Unreadable('a reply of too many candidates');
      state = freshState(desk);
      states.set(index, state);
    }
    const content = isObject(candidate.content) ? candidate.content : {};
    const given = objects(content.parts);
    // It was decided as a whole, and would be no more.
    if (over.has(index) && given.some((part) => functionCall(part) !== null || textOf(part.text) !== ''))
      throw new Unreadable('more of a candidate after its end');
    const parts = await judged(given, state, desk);
    const ends = textOf(candidate.finishReason) !== '';
    if (ends) {
      over.add(index);
      parts.push(...(await endText(state)));
    }
    if (parts.length === 0 && given.length > 0 && !ends) return null;
    return {
      ...plain(candidate, desk),
      ...(candidate.content === undefined && parts.length === 0 ? {} : { content: { ...content, parts } }),
    };
  }

  return {
    async push(event: StreamEvent) {
      if (event.comment === true) return sse ? writeEvent(event) : '';
      const body: unknown = JSON.parse(event.data);
      if (!isObject(body)) throw new Unreadable('an event of the stream is no JSON object');
      last = { ...last, ...body };
      const given = objects(body.candidates);
      if (given.length === 0) return out(body);
      const candidates: Fields[] = [];
      for (const candidate of given) {
        const goes = await take(candidate);
        if (goes !== null) candidates.push(goes);
      }
      return candidates.length === 0 ? '' : out({ ...body, candidates });
    },
    tail: () => (sse ? '' : written === 0 ? '[]' : ']'),
    complete() {
      const blocked = states.size === 0 && isObject(last.promptFeedback);
      const whole = blocked || (states.size > 0 && [...states.keys()].every((index) => over.has(index)));
      if (whole && !done) {
        done = true;
        finish(last, desk);
      }
      return whole;
    },
  };
}
