// Other notations of policy as specs: a spec as text, or what is wrong with the source. Never laxer than the source. Pure.
export type { EntityRef } from './cedar/policy.ts';
export { type CedarOptions, importCedar } from './cedar/spec.ts';
export { type ClaudeCodeOptions, importClaudeCode } from './claude-code/spec.ts';
export type { ImportResult, Remark, SourceFile } from './types.ts';
