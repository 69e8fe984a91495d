// Anthropic Messages (POST /v1/messages), as api.anthropic.com writes them. Shapes: the types of `@anthropic-ai/sdk`.
import type Anthropic from '@anthropic-ai/sdk';
import type { Answer, Context, StreamEvent } from './answer.ts';
import { type Part, parsed, pieces, type Turn } from './turn.ts';

type Event = Anthropic.RawMessageStreamEvent | { type: 'ping' };

export function anthropicMessage(turn: Turn, context: Context): Answer {
  return {
    kind: 'body',
    status: 200,
    body: {
      ...empty(context),
      content: turn.parts.flatMap((part, index) => block(part, context, index)),
      ...stop(turn),
      usage: usage(context, context.usage.output),
    },
  };
}

export function anthropicStream(turn: Turn, context: Context): Answer {
  const events: Event[] = [{ type: 'message_start', message: empty(context) }];
  let index = 0;
  for (const part of turn.parts) {
    const [whole] = block(part, context, index);
    if (whole === undefined) continue;
    events.push({ type: 'content_block_start', index, content_block: emptied(whole) });
    if (index === 0) events.push({ type: 'ping' });
    for (const delta of deltas(part, context.deltaChars))
      events.push({ type: 'content_block_delta', index, delta });
    events.push({ type: 'content_block_stop', index });
    index++;
  }
  const { input, output, cached } = context.usage;
  events.push(
    {
      type: 'message_delta',
      delta: { container: null, ...stop(turn) },
      usage: {
        input_tokens: input,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cached,
        output_tokens: output,
        output_tokens_details: null,
        server_tool_use: null,
      },
    },
    { type: 'message_stop' },
  );
  const framed = events.map((data): StreamEvent => ({ event: data.type, data }));
  return { kind: 'stream', framing: { kind: 'sse', lineEnd: '\n' }, events: framed };
}

function empty(context: Context): Anthropic.Message {
  return {
    id: context.id,
    type: 'message',
    role: 'assistant',
    model: context.model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: usage(context, 1),
  };
}

/** One content block; a refusal is none, it is why the model stopped. */
function block(part: Part, context: Context, index: number): Anthropic.ContentBlock[] {
  switch (part.kind) {
    case 'reasoning':
      return [{ type: 'thinking', thinking: part.text, signature: signature(part.text) }];
    case 'text':
      return [{ type: 'text', text: part.text, citations: null }];
    case 'refusal':
      return [];
    case 'call':
      return [
        {
          type: 'tool_use',
          id: part.id ?? `toolu_${context.id.slice('msg_'.length)}${index}`,
          name: part.name,
          // What is not JSON cannot stand here; the text itself does, for those who expect an object.
          input: parsed(part.arguments) ?? part.arguments,
          caller: { type: 'direct' },
        },
      ];
  }
}

function emptied(whole: Anthropic.ContentBlock): Anthropic.ContentBlock {
  if (whole.type === 'thinking') return { ...whole, thinking: '', signature: '' };
  if (whole.type === 'tool_use') return { ...whole, input: {} };
  return { type: 'text', text: '', citations: null };
}

function deltas(part: Part, chars: number): Anthropic.RawContentBlockDelta[] {
  switch (part.kind) {
    case 'reasoning':
      return [
        ...pieces(part.text, chars).map((thinking) => ({ type: 'thinking_delta' as const, thinking })),
        { type: 'signature_delta', signature: signature(part.text) },
      ];
    case 'text':
      return pieces(part.text, chars).map((text) => ({ type: 'text_delta' as const, text }));
    case 'refusal':
      return [];
    case 'call':
      // The vendor opens with an empty piece.
      return ['', ...pieces(part.arguments, chars)].map((partial_json) => ({
        type: 'input_json_delta' as const,
        partial_json,
      }));
  }
}

function signature(text: string): string {
  return Buffer.from(`signed:${text}`).toString('base64');
}

function stop(turn: Turn): Pick<Anthropic.Message, 'stop_reason' | 'stop_sequence' | 'stop_details'> {
  const refusal = turn.parts.find((part) => part.kind === 'refusal');
  if (refusal !== undefined || turn.finish === 'filter')
    return {
      stop_reason: 'refusal',
      stop_sequence: null,
      stop_details: { type: 'refusal', category: null, explanation: refusal?.text ?? null },
    };
  const called = turn.parts.some((part) => part.kind === 'call');
  const stop_reason = turn.finish === 'length' ? 'max_tokens' : called ? 'tool_use' : 'end_turn';
  return { stop_reason, stop_sequence: null, stop_details: null };
}

function usage({ usage: { input, cached } }: Context, output_tokens: number): Anthropic.Usage {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  };
}
