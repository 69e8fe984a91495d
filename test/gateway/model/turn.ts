// What the scripted model says in one turn, without regard to the vendor whose words it is put in. Data and a few
// constructors; nothing here knows a protocol.

/** One piece of an answer, in the order the model gave it. */
export type Part =
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | {
      readonly kind: 'call';
      readonly name: string;
      /** Given to the client as it is, twice the same too; one is made up when absent. */
      readonly id?: string;
      /** JSON text, well-formed or not. */
      readonly arguments: string;
      /** OpenAI's "custom" tool, whose input is free text. */
      readonly custom?: boolean;
    };

export type CallPart = Extract<Part, { kind: 'call' }>;

export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly reasoning?: number;
  readonly cached?: number;
}

/** Why the model stopped; by what it said when absent. */
export type Finish = 'stop' | 'length' | 'filter';

export type Fault =
  /** An answer of this status with the vendor's error body. */
  | {
      readonly kind: 'status';
      readonly status: 400 | 401 | 404 | 429 | 500 | 503 | 529;
      readonly retryAfter?: number;
    }
  /** The socket is destroyed after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The body ends after so many bytes, as if that were all. */
  | { readonly kind: 'end-early'; readonly afterBytes: number }
  /** Nothing more is sent after so many bytes; 0 sends no head either. */
  | { readonly kind: 'hang'; readonly afterBytes: number }
  /** The vendor's error in the middle of a stream, after so many events. */
  | { readonly kind: 'error-event'; readonly afterEvents: number }
  /** The right body under another content type, or another body. */
  | { readonly kind: 'content-type'; readonly type: string; readonly body?: string }
  /** Text of so many characters more. */
  | { readonly kind: 'huge'; readonly chars: number };

export interface Turn {
  readonly parts: readonly Part[];
  readonly finish?: Finish;
  readonly usage?: Usage;
  readonly fault?: Fault;
  /** How this turn's stream is cut up, where it differs from the server's. */
  readonly stream?: Partial<StreamStyle>;
}

export interface StreamStyle {
  /** Characters of text or arguments in one event; Infinity for all of them in one. */
  readonly deltaChars: number;
  /** What one write to the socket holds: one event, the whole body, or 1..max bytes drawn from the seed. */
  readonly writes: 'event' | 'whole' | { readonly seed: number; readonly maxBytes: number };
  /** The vendor's own when absent. */
  readonly lineEnd?: '\n' | '\r\n' | '\r';
  /** Comment lines between the events, as proxies send to keep a connection open. */
  readonly comments: boolean;
  readonly delayMs: number;
}

export const STREAM_STYLE: StreamStyle = { deltaChars: 12, writes: 'event', comments: false, delayMs: 0 };

/** An answer of text alone. */
export function says(text: string): Turn {
  return { parts: [{ kind: 'text', text }] };
}

/** An answer of tool calls, in parallel when there are several. */
export function calls(...parts: readonly CallPart[]): Turn {
  return { parts };
}

/** One tool call; a string of arguments is sent as it is. */
export function call(name: string, args: object | string, id?: string): CallPart {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return { kind: 'call', name, arguments: text, ...(id === undefined ? {} : { id }) };
}

export function fails(fault: Fault): Turn {
  return { parts: [], fault };
}

export function textOf({ parts }: Turn, kind: 'reasoning' | 'text' | 'refusal'): string {
  return parts.map((part) => (part.kind === kind ? part.text : '')).join('');
}

export function callsOf({ parts }: Turn): CallPart[] {
  return parts.filter((part) => part.kind === 'call');
}

/** The text in pieces of so many characters; surrogate pairs stay whole, as in JSON of a real vendor. */
export function pieces(text: string, chars: number): string[] {
  if (chars === Infinity) return text === '' ? [] : [text];
  const all = [...text];
  const out: string[] = [];
  for (let at = 0; at < all.length; at += chars) out.push(all.slice(at, at + chars).join(''));
  return out;
}

/** The parsed JSON, or undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
