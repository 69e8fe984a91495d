// One answer on its way out: a body, or the events of a stream, before they are framed. The renderers of the vendors
// make it, wire.ts sends it.

/** `event` is the name line of the SSE frame, which only some vendors send; a string of data is sent as it is. */
export interface StreamEvent {
  readonly event?: string;
  readonly data: object | string;
}

export type Framing =
  | { readonly kind: 'sse'; readonly lineEnd: '\n' | '\r\n' }
  /** Gemini without `alt=sse`: one JSON array, written as it grows. */
  | { readonly kind: 'json-array' };

export type Answer =
  | { readonly kind: 'body'; readonly status: number; readonly body: object }
  | { readonly kind: 'stream'; readonly framing: Framing; readonly events: readonly StreamEvent[] };

/** What a renderer needs besides the turn. */
export interface Context {
  readonly id: string;
  readonly model: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly deltaChars: number;
  readonly request: Readonly<Record<string, unknown>>;
  readonly usage: {
    readonly input: number;
    readonly output: number;
    readonly reasoning: number;
    readonly cached: number;
  };
}
