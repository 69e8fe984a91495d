// Words of the language that decisions speak too. Data only.

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
}
