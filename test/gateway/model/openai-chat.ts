// OpenAI Chat Completions (POST /v1/chat/completions), as api.openai.com writes them; `reasoning_content` as the
// compatible servers (vLLM, DeepSeek) do. Shapes: the types of the `openai` package.
import type OpenAI from 'openai';
import type { Answer, Context, StreamEvent } from './answer.ts';
import { type CallPart, callsOf, pieces, type Turn, textOf } from './turn.ts';

type Completion = OpenAI.Chat.Completions.ChatCompletion;
type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;
type Delta = Chunk['choices'][number]['delta'] & { reasoning_content?: string };
type Choice = Completion['choices'][number];

const FINGERPRINT = 'fp_560af6e559';

export function chatCompletion(turn: Turn, context: Context): Answer {
  const { id, created, model } = context;
  const body: Completion = {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: choices(context).map((index) => ({
      index,
      message: message(turn, context, index),
      logprobs: null,
      finish_reason: finishReason(turn, context),
    })),
    usage: usage(context),
    service_tier: 'default',
    system_fingerprint: FINGERPRINT,
  };
  return { kind: 'body', status: 200, body };
}

export function chatStream(turn: Turn, context: Context): Answer {
  const { id, created, model } = context;
  const withUsage = (context.request.stream_options as { include_usage?: boolean } | undefined)
    ?.include_usage;
  const base = {
    id,
    object: 'chat.completion.chunk' as const,
    created,
    model,
    service_tier: 'default' as const,
    system_fingerprint: FINGERPRINT,
  };
  const events: StreamEvent[] = [];
  const emit = (choices: Chunk['choices'], own: Chunk['usage'] = null) => {
    const chunk: Chunk = { ...base, choices, ...(withUsage ? { usage: own } : {}) };
    events.push({ data: chunk });
  };
  // With several choices the vendor interleaves them.
  const deltas = choices(context).map((index) => deltasOf(turn, context, index));
  for (let step = 0; step < deltas[0]!.length; step++) {
    for (const [index, list] of deltas.entries())
      emit([{ index, delta: list[step]!, logprobs: null, finish_reason: null }]);
  }
  const finish_reason = finishReason(turn, context);
  for (const index of deltas.keys()) emit([{ index, delta: {}, logprobs: null, finish_reason }]);
  if (withUsage) emit([], usage(context));
  events.push({ data: '[DONE]' });
  return { kind: 'stream', framing: { kind: 'sse', lineEnd: '\n' }, events };
}

function deltasOf(turn: Turn, context: Context, choice: number): Delta[] {
  const called = callsOf(turn);
  const reasoning = textOf(turn, 'reasoning');
  const text = textOf(turn, 'text');
  const refusal = textOf(turn, 'refusal');
  const first: Delta = {
    role: 'assistant',
    content: called.length > 0 && text === '' ? null : '',
    refusal: null,
  };
  const cut = (whole: string) => pieces(whole, context.deltaChars);
  const deltas: Delta[] = [
    first,
    ...cut(reasoning).map((piece): Delta => ({ reasoning_content: piece })),
    ...cut(text).map((piece): Delta => ({ content: piece })),
    ...cut(refusal).map((piece): Delta => ({ refusal: piece })),
    ...called.flatMap((one, index) => callDeltas(one, context, choice, index)),
  ];
  // A single call comes with the role in one chunk.
  const [, second] = deltas;
  if (called.length === 1 && second !== undefined && !('content' in second) && isCall(second))
    deltas.splice(0, 2, { ...first, ...second });
  return deltas;
}

function isCall(delta: Delta): boolean {
  return delta.tool_calls !== undefined || delta.function_call !== undefined;
}

function callDeltas(one: CallPart, context: Context, choice: number, index: number): Delta[] {
  const cut = pieces(one.arguments, context.deltaChars);
  if (isLegacy(context)) {
    const { name } = one;
    return [
      { function_call: { name, arguments: '' } },
      ...cut.map((piece): Delta => ({ function_call: { arguments: piece } })),
    ];
  }
  const id = callId(one, context, choice, index);
  if (one.custom)
    return [
      { tool_calls: [{ index, id, type: 'custom', custom: { name: one.name, input: '' } }] },
      ...cut.map((input): Delta => ({ tool_calls: [{ index, custom: { input } }] })),
    ];
  return [
    { tool_calls: [{ index, id, type: 'function', function: { name: one.name, arguments: '' } }] },
    ...cut.map((piece): Delta => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ];
}

function message(turn: Turn, context: Context, choice: number): Choice['message'] {
  const called = callsOf(turn);
  const reasoning = textOf(turn, 'reasoning');
  return {
    role: 'assistant',
    content: textOf(turn, 'text') || (called.length > 0 || textOf(turn, 'refusal') !== '' ? null : ''),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(called.length === 0
      ? {}
      : isLegacy(context)
        ? { function_call: { name: called[0]!.name, arguments: called[0]!.arguments } }
        : { tool_calls: called.map((one, index) => toolCall(one, callId(one, context, choice, index))) }),
    refusal: textOf(turn, 'refusal') || null,
    annotations: [],
  };
}

function toolCall(one: CallPart, id: string): OpenAI.Chat.Completions.ChatCompletionMessageToolCall {
  return one.custom
    ? { id, type: 'custom', custom: { name: one.name, input: one.arguments } }
    : { id, type: 'function', function: { name: one.name, arguments: one.arguments } };
}

function callId(one: CallPart, context: Context, choice: number, index: number): string {
  const made = `call_${context.id.slice('chatcmpl-'.length)}${index}`;
  return `${one.id ?? made}${choice === 0 ? '' : `_${choice}`}`;
}

function choices({ request }: Context): number[] {
  return Array.from({ length: typeof request.n === 'number' ? request.n : 1 }, (_, index) => index);
}

/** The deprecated way: `functions` in the request, `function_call` in the answer. */
function isLegacy({ request }: Context): boolean {
  return Array.isArray(request.functions);
}

function finishReason(turn: Turn, context: Context): Choice['finish_reason'] {
  if (turn.finish === 'length') return 'length';
  if (turn.finish === 'filter') return 'content_filter';
  if (callsOf(turn).length === 0) return 'stop';
  return isLegacy(context) ? 'function_call' : 'tool_calls';
}

function usage({ usage: { input, output, reasoning, cached } }: Context): OpenAI.CompletionUsage {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
