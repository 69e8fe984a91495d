// What the parts of the guard share: whom it stands in front of, and what becomes of a message. Data and interfaces only.
import type { Json, JsonObject } from '../../step/types.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { GuardedSession, Ruling } from './session.ts';
import type { SpecView } from './spec-view.ts';

/** The server behind a guard. */
export interface Guarded {
  readonly session: GuardedSession;
  readonly catalogue: Catalogue;
  /** Stands before each tool's name in its steps; '' for none. */
  readonly prefix: string;
  readonly spec: SpecView;
  readonly log: (line: string) => void;
}

export type Fate =
  /** Goes on to the other side. */
  | { readonly t: 'forward'; readonly text: string; readonly rewritten?: Rewritten }
  /** Goes no further; this goes back to where it came from. */
  | { readonly t: 'answer'; readonly text: string }
  /** Goes no further, and nobody waits for an answer. */
  | { readonly t: 'drop'; readonly why: string };

/** Arguments that the policy changed, for what mirrors them. */
export interface Rewritten {
  readonly inputSchema: Json;
  readonly args: JsonObject;
}

/** The connection that a message came by. */
export interface Peer {
  /** Sends the client a message before the answer, where that is possible. */
  readonly notify: (text: string) => void;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** What is to be done with the answer to a request that went to the server. */
export type Pending =
  | {
      readonly t: 'call';
      readonly callId: string;
      readonly name: string;
      readonly stateless: boolean;
      /** The call went on while its record was being written; its answer waits for this. */
      readonly recorded?: Promise<Ruling>;
    }
  | { readonly t: 'read'; readonly callId: string; readonly stateless: boolean }
  | { readonly t: 'prompt'; readonly name: string }
  | { readonly t: 'tools'; readonly continued: boolean }
  | { readonly t: 'greeting' }
  | { readonly t: 'task'; readonly taskId: string; readonly whole: boolean; readonly stateless: boolean }
  | { readonly t: 'other' };
