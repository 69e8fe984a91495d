// Google Gemini generateContent and streamGenerateContent, as generativelanguage.googleapis.com writes them. Shapes: the
// types of `@google/genai`. Function calls come whole, in one part.
import type { Answer, Context, Framing, StreamEvent } from './answer.ts';
import { type Part, parsed, pieces, type Turn } from './turn.ts';

export const SIGNATURE = Buffer.from('signed thoughts').toString('base64');

type FinishReason = 'STOP' | 'MAX_TOKENS' | 'SAFETY' | 'MALFORMED_FUNCTION_CALL';

/** A part as it is on the wire; the package's `Part` is a class of optional fields that says less. */
type GeminiPart =
  | { readonly text: string; readonly thought?: true; readonly thoughtSignature?: string }
  | {
      readonly functionCall: { readonly name: string; readonly args: unknown; readonly id?: string };
      readonly thoughtSignature?: string;
    };

export function generateContent(turn: Turn, context: Context): Answer {
  const parts = signed(turn.parts.flatMap((part) => wire(part, Number.POSITIVE_INFINITY)));
  return { kind: 'body', status: 200, body: response(parts, context, finishReason(turn)) };
}

export function streamGenerateContent(turn: Turn, context: Context, framing: Framing): Answer {
  const parts = signed(turn.parts.flatMap((part) => wire(part, context.deltaChars)));
  const last = parts.at(-1) ?? { text: '' };
  const events: StreamEvent[] = [
    ...parts.slice(0, -1).map((part) => ({ data: response([part], context, null) })),
    { data: response([last], context, finishReason(turn)) },
  ];
  return { kind: 'stream', framing, events };
}

/** What the vendor cannot read as a call, or refuses to say, is no part: the finish reason says it. */
function wire(part: Part, chars: number): GeminiPart[] {
  switch (part.kind) {
    case 'reasoning':
      return pieces(part.text, chars).map((text) => ({ text, thought: true }));
    case 'text':
      return pieces(part.text, chars).map((text) => ({ text }));
    case 'refusal':
      return [];
    case 'call': {
      const args = parsed(part.arguments);
      const { name, id } = part;
      return args === undefined
        ? []
        : [{ functionCall: { name, args, ...(id === undefined ? {} : { id }) } }];
    }
  }
}

/** The first call of a reply carries the signature of the thoughts before it, and must come back with it. */
function signed(parts: readonly GeminiPart[]): GeminiPart[] {
  const first = parts.findIndex((part) => 'functionCall' in part);
  return parts.map((part, at) => (at === first ? { ...part, thoughtSignature: SIGNATURE } : part));
}

function finishReason(turn: Turn): FinishReason {
  if (turn.finish === 'length') return 'MAX_TOKENS';
  if (turn.finish === 'filter' || turn.parts.some((part) => part.kind === 'refusal')) return 'SAFETY';
  const broken = turn.parts.some((part) => part.kind === 'call' && parsed(part.arguments) === undefined);
  return broken ? 'MALFORMED_FUNCTION_CALL' : 'STOP';
}

function response(parts: readonly GeminiPart[], context: Context, finishReason: FinishReason | null): object {
  const { input, output, reasoning } = context.usage;
  return {
    candidates: [
      {
        content: { ...(parts.length === 0 ? {} : { parts }), role: 'model' },
        ...(finishReason === null ? {} : { finishReason }),
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: input,
      ...(finishReason === null ? {} : { candidatesTokenCount: output }),
      totalTokenCount: finishReason === null ? input : input + output,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
      ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    },
    modelVersion: context.model,
    responseId: context.id,
  };
}
