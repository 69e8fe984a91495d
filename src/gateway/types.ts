// What the gateway's parts say to each other: a conversation in neutral items, a protocol that reads and writes one vendor's
// wire format, and the desk that decides what of a reply goes on. Data and interfaces only.
import type { JsonObject, Usage } from '../step/types.ts';
import type { Fields } from './fields.ts';
import type { StreamEvent } from './sse.ts';

/** A call as a conversation tells it. */
export interface ToldCall {
  readonly callId: string;
  readonly name: string;
  readonly args: JsonObject | null;
}

/** One thing that was said or done, in order. */
export type Item =
  | { readonly t: 'system' | 'user'; readonly text: string }
  /** Words of the user's side that are not the user's own: a file that was attached. */
  | { readonly t: 'document'; readonly name: string; readonly text: string }
  | { readonly t: 'assistant'; readonly text: string; readonly calls: readonly ToldCall[] }
  /** What the vendor keeps of an earlier reply, by its id. */
  | { readonly t: 'reference'; readonly id: string }
  | {
      readonly t: 'result';
      readonly callId: string;
      readonly name: string | null;
      readonly text: string;
      readonly failed: boolean;
    };

/** A model request, read. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly items: readonly Item[];
  /** The request's own parameters without its messages; `tools` as names. What rules see as `args`. */
  readonly args: JsonObject;
  /** Whom the program says it acts for. */
  readonly user: string | null;
  /** Of a conversation that the vendor keeps: the id of the earlier response or of the conversation. */
  readonly thread: string | null;
}

/** A call that a model asks for. `args` null: they are not one JSON object. */
export interface ProposedCall {
  readonly callId: string;
  readonly name: string;
  readonly args: JsonObject | null;
  /** As the model wrote them. */
  readonly raw: string;
  /** As it stands in the reply, of a vendor that wants it told again later. */
  readonly item?: Fields;
}

export type Ruling =
  | { readonly t: 'run' }
  | { readonly t: 'rewrite'; readonly args: JsonObject }
  /** Never reaches the client; the text stands in its place. */
  | { readonly t: 'withhold'; readonly text: string };

/** A stretch of text that goes to the client as far as no rule could still stop it. */
export interface TextGate {
  /** Takes what came and gives what may go. */
  push(delta: string): string;
  /** Decides on the whole and gives what is left to go: the rest, or why there is none. */
  end(): Promise<string>;
}

export interface ReplyEnd {
  readonly usage: Usage | null;
  readonly model: string | null;
  /** The vendor's id of the reply, by which later requests may name it. */
  readonly id: string | null;
  /** Ids of its parts as they went out, where later requests may name them. */
  readonly parts?: readonly string[];
}

/** A call that the client never got. */
export interface Withheld {
  readonly callId: string;
  /** What the client read in its place. */
  readonly text: string;
  readonly item?: Fields;
}

/** Decides on the parts of one reply, in the order they are given. */
export interface Desk {
  /** How many replies of the model the conversation had before this one. */
  readonly turn: number;
  /** Whether some rule could still stop text: what cannot be followed is then left out. */
  readonly guarded: boolean;
  call(call: ProposedCall): Promise<Ruling>;
  /** `thought`: not told to anybody, and so not recorded as such; let through only if it could be said. */
  text(kind?: 'said' | 'thought'): TextGate;
  /** What the vendor has run by itself. */
  ran(name: string, args: JsonObject, output: string): void;
  finish(end: ReplyEnd): void;
}

/** One reply's stream through the desk: events in, text to the client out. */
export interface StreamGuard {
  push(event: StreamEvent): Promise<string>;
  /** The upstream has ended: whether the reply was complete. */
  complete(): boolean;
  /** What closes the stream after its last event. */
  tail?(): string;
}

export interface ErrorShape {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Beside the vendor's own fields. */
  readonly details?: JsonObject;
}

/** One vendor's API for one way of asking. Knows its wire format and no policy. */
export interface Protocol {
  readonly name: 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini';
  /** @throws Unreadable */
  readRequest(body: Fields, where: Endpoint): ModelRequest;
  /** The body with parameters as a rule rewrote them, and its model renamed. */
  withArgs(body: Fields, args: JsonObject): Fields;
  /**
   * The body as the vendor takes it, where it holds a conversation to what its model said: with the calls that were
   * withheld, and what was told in their place as their results.
   */
  withResults(body: Fields, withheld: readonly Withheld[]): Fields;
  reply(body: Fields, desk: Desk): Promise<Fields>;
  stream(desk: Desk, where: Endpoint): StreamGuard;
  error(shape: ErrorShape): Fields;
  /** What ends a stream that broke. */
  broken(shape: ErrorShape): string;
}

/** Where a request goes. */
export interface Endpoint {
  /** Model and way of answering where the path says them (Gemini). */
  readonly model: string | null;
  readonly stream: boolean;
  /** A stream of server-sent events, or of one JSON list (Gemini without `alt=sse`). */
  readonly sse: boolean;
}

/** The request is not what its vendor's API takes, or asks for what cannot be guarded. */
export class Unreadable extends Error {
  readonly code: string;
  constructor(message: string, code = 'invalid_request') {
    super(message);
    this.code = code;
  }
}
