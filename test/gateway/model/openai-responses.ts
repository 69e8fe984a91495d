// OpenAI Responses (POST /v1/responses), as api.openai.com writes them: the same object, and every event of its making.
// Shapes: the types of the `openai` package.
import type OpenAI from 'openai';
import type { Answer, Context, StreamEvent } from './answer.ts';
import { type CallPart, type Part, pieces, type Turn } from './turn.ts';

type Item = OpenAI.Responses.ResponseOutputItem;
type Message = OpenAI.Responses.ResponseOutputMessage;
type Content = Message['content'][number];
type Event = OpenAI.Responses.ResponseStreamEvent;
/** The events are numbered as they are sent. */
type Unnumbered<E> = E extends unknown ? Omit<E, 'sequence_number'> : never;

export function responseObject(turn: Turn, context: Context): Answer {
  const output = turn.parts.map((part, index) => item(part, context, index));
  return { kind: 'body', status: 200, body: response(context, output, statusOf(turn)) };
}

export function responseStream(turn: Turn, context: Context): Answer {
  const events: StreamEvent[] = [];
  const emit = (event: Unnumbered<Event>) => {
    events.push({ event: event.type, data: { ...event, sequence_number: events.length } });
  };
  emit({ type: 'response.created', response: response(context, [], 'in_progress') });
  emit({ type: 'response.in_progress', response: response(context, [], 'in_progress') });
  const output: Item[] = [];
  for (const [output_index, part] of turn.parts.entries()) {
    const whole = item(part, context, output_index);
    emit({ type: 'response.output_item.added', output_index, item: begun(whole) });
    for (const event of inside(part, whole.id!, output_index, context.deltaChars)) emit(event);
    emit({ type: 'response.output_item.done', output_index, item: whole });
    output.push(whole);
  }
  const status = statusOf(turn);
  emit({ type: `response.${status}`, response: response(context, output, status) });
  return { kind: 'stream', framing: { kind: 'sse', lineEnd: '\n' }, events };
}

/** What comes between an item's beginning and its end. */
function inside(part: Part, item_id: string, output_index: number, chars: number): Unnumbered<Event>[] {
  const at = { item_id, output_index };
  if (part.kind === 'reasoning') {
    const summary = { ...at, summary_index: 0 };
    return [
      { type: 'response.reasoning_summary_part.added', ...summary, part: { type: 'summary_text', text: '' } },
      ...pieces(part.text, chars).map((delta) => ({
        type: 'response.reasoning_summary_text.delta' as const,
        ...summary,
        delta,
      })),
      { type: 'response.reasoning_summary_text.done', ...summary, text: part.text },
      {
        type: 'response.reasoning_summary_part.done',
        ...summary,
        part: { type: 'summary_text', text: part.text },
      },
    ];
  }
  if (part.kind === 'call') return callEvents(part, at, chars);
  const place = { ...at, content_index: 0 };
  const begin = { ...content(part), ...(part.kind === 'text' ? { text: '' } : { refusal: '' }) };
  const words = pieces(part.text, chars);
  return [
    { type: 'response.content_part.added', ...place, part: begin as Content },
    ...(part.kind === 'text'
      ? [
          ...words.map((delta) => ({
            type: 'response.output_text.delta' as const,
            ...place,
            delta,
            logprobs: [],
          })),
          { type: 'response.output_text.done' as const, ...place, text: part.text, logprobs: [] },
        ]
      : [
          ...words.map((delta) => ({ type: 'response.refusal.delta' as const, ...place, delta })),
          { type: 'response.refusal.done' as const, ...place, refusal: part.text },
        ]),
    { type: 'response.content_part.done', ...place, part: content(part) },
  ];
}

function callEvents(
  { custom, arguments: text }: CallPart,
  at: { item_id: string; output_index: number },
  chars: number,
): Unnumbered<Event>[] {
  const cut = pieces(text, chars);
  return custom
    ? [
        ...cut.map((delta) => ({ type: 'response.custom_tool_call_input.delta' as const, ...at, delta })),
        { type: 'response.custom_tool_call_input.done', ...at, input: text },
      ]
    : [
        ...cut.map((delta) => ({ type: 'response.function_call_arguments.delta' as const, ...at, delta })),
        { type: 'response.function_call_arguments.done', ...at, arguments: text },
      ];
}

function item(part: Part, context: Context, index: number): Item {
  const own = `${context.id.slice('resp_'.length)}${index}`;
  switch (part.kind) {
    case 'reasoning':
      return { id: `rs_${own}`, type: 'reasoning', summary: [{ type: 'summary_text', text: part.text }] };
    case 'text':
    case 'refusal':
      return {
        id: `msg_${own}`,
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [content(part)],
      };
    case 'call': {
      const call_id = part.id ?? `call_${own}`;
      return part.custom
        ? { id: `ctc_${own}`, type: 'custom_tool_call', call_id, name: part.name, input: part.arguments }
        : {
            id: `fc_${own}`,
            type: 'function_call',
            status: 'completed',
            arguments: part.arguments,
            call_id,
            name: part.name,
          };
    }
  }
}

function content(part: Extract<Part, { kind: 'text' | 'refusal' }>): Content {
  return part.kind === 'text'
    ? { type: 'output_text', annotations: [], logprobs: [], text: part.text }
    : { type: 'refusal', refusal: part.text };
}

/** The item as it is announced: nothing in it yet. */
function begun(whole: Item): Item {
  if (whole.type === 'message') return { ...whole, status: 'in_progress', content: [] };
  if (whole.type === 'function_call') return { ...whole, status: 'in_progress', arguments: '' };
  if (whole.type === 'custom_tool_call') return { ...whole, input: '' };
  return whole.type === 'reasoning' ? { ...whole, summary: [] } : whole;
}

function statusOf({ finish }: Turn): 'completed' | 'incomplete' {
  return finish === 'length' || finish === 'filter' ? 'incomplete' : 'completed';
}

function response(
  { id, model, created, request, usage }: Context,
  output: Item[],
  status: 'in_progress' | 'completed' | 'incomplete',
): OpenAI.Responses.Response {
  const done = status !== 'in_progress';
  const body: Omit<OpenAI.Responses.Response, 'output_text'> = {
    id,
    object: 'response',
    created_at: created,
    status,
    background: false,
    access_programs: null,
    completed_at: done ? created : null,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: (request.instructions as string | undefined) ?? null,
    max_output_tokens: null,
    max_tool_calls: null,
    metadata: {},
    model,
    output,
    parallel_tool_calls: true,
    previous_response_id: (request.previous_response_id as string | undefined) ?? null,
    reasoning: { effort: null, summary: null },
    safety_identifier: null,
    service_tier: 'default',
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: (request.tools as OpenAI.Responses.Tool[] | undefined) ?? [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
  };
  // `output_text` is added by the client library; it is not on the wire.
  return { ...body, ...(done ? { usage: tokens(usage) } : {}) } as OpenAI.Responses.Response;
}

function tokens({ input, output, reasoning, cached }: Context['usage']): OpenAI.Responses.ResponseUsage {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
