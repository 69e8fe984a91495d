// What can be wrong with the definition of a tool, before anybody calls it. Data only.
export const FINDING_KINDS = ['changed', 'new-tool', 'hidden-text', 'look-alike', 'collision'] as const;
/**
 * `changed`: not what was pinned (a rug pull, CVE-2025-54136). `new-tool`: came after the others were pinned.
 * `hidden-text`: says something that a person who reads it does not see. `look-alike`: nearly the name of another
 * server's tool. `collision`: exactly the name of another server's tool.
 */
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface ToolFinding {
  readonly kind: FindingKind;
  readonly server: string;
  readonly tool: string;
  readonly detail: string;
}
