// Words of the language that decisions speak too. Data, and what follows from it alone.
import type { Json, JsonObject } from '../step/types.ts';

/** `shadow` records, `warn` records and tells, `enforce` acts. */
export const MODES = ['shadow', 'warn', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

/** Who may approve a held step, and for how long. */
export interface ApprovalTerms {
  /** Roles of which any may approve. */
  readonly by: readonly string[];
  readonly quorum: number;
  /** True when the session's principal may not approve (four eyes). */
  readonly notPrincipal: boolean;
  readonly expiresMs: number;
  /** From so long after the step was first held, these roles may answer too. */
  readonly escalate?: { readonly afterMs: number; readonly to: readonly string[] };
}

/** The roles that may answer a hold which has waited so long. */
export function rolesAfter({ by, escalate }: ApprovalTerms, waitedMs: number): readonly string[] {
  return escalate === undefined || waitedMs < escalate.afterMs ? by : [...by, ...escalate.to];
}

/** What would be allowed, for a program to act on. Derived from the rule; `repair` says it in words. */
export type Fix =
  /** Make this call first, and have it succeed. */
  | { readonly t: 'call-first'; readonly tool: string; readonly args: JsonObject }
  /** Bounds of an argument, e.g. `args.amount`; `exclusive` when the bound itself is not allowed. */
  | {
      readonly t: 'at-most' | 'at-least';
      readonly path: string;
      readonly value: number;
      readonly exclusive: boolean;
    }
  | { readonly t: 'one-of'; readonly path: string; readonly values: readonly Json[] }
  /** Have Interlock make this check on this subject, and have it pass. */
  | { readonly t: 'run-check'; readonly check: string; readonly subject: Json }
  /** A person may allow it: any of these roles, this many people. */
  | { readonly t: 'approval'; readonly by: readonly string[]; readonly quorum: number };
