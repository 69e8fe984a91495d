// What every importer gives: one recorded session as steps, and what was wrong with the record. Data only.
import type { Agent, JsonObject, Step } from '../../step/types.ts';

export const FORMATS = ['chat', 'claude-code', 'swe-agent', 'interlock'] as const;
export type Format = (typeof FORMATS)[number];

/** Where a record stands. `line` counts from 1. */
export interface Where {
  readonly file: string;
  readonly line: number;
}

/** Something in a record that could not be read as it stands. The rest of the record goes on. */
export interface ImportProblem extends Where {
  readonly what: string;
  readonly mend: string;
}

/** A recorded session in normal form. `seq` has no gaps; `session.start` comes first and `session.end` last. */
export interface ImportedSession {
  readonly session: string;
  readonly agent: Agent;
  readonly steps: readonly Step[];
  /** For each step the index of the message it came from, or null when no message shows it. */
  readonly messageIndex: readonly (number | null)[];
  /** For each step the call id as it was recorded. `Step.callId` is made unique in its session; this may repeat. */
  readonly callIds: readonly (string | null)[];
  readonly problems: readonly ImportProblem[];
  /** What the record holds beside the session, e.g. `labels`. */
  readonly extra: JsonObject;
}

/** Nothing in the record can be replayed: `session` is null and `problems` says why. */
export type Import =
  | ImportedSession
  | { readonly session: null; readonly problems: readonly ImportProblem[] };
