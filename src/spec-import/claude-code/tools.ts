// The tools of Claude Code that have arguments to decide on, and what happens to a call that no rule speaks of. Data only.
import type { Effect } from '../../spec/document.ts';

/** What a tool's rules are about. */
export type ToolKind = 'bash' | 'read' | 'search' | 'edit' | 'fetch' | 'agent' | 'skill' | 'asks' | 'free';

export interface BuiltIn {
  readonly kind: ToolKind;
  readonly effect: Effect;
  /** The argument that its specifiers are about, and whether a call must have it. */
  readonly field: string | null;
  readonly required: boolean;
}

const built = (kind: ToolKind, effect: Effect, field: string | null = null, required = true): BuiltIn => ({
  kind,
  effect,
  field,
  required,
});

/** https://code.claude.com/docs/en/tools-reference; names of earlier versions too. Without a prototype: names come from outside. */
export const BUILT_IN: Readonly<Record<string, BuiltIn>> = Object.assign(Object.create(null) as object, {
  Bash: built('bash', 'execute', 'command'),
  Read: built('read', 'read', 'file_path'),
  NotebookRead: built('read', 'read', 'notebook_path'),
  Grep: built('search', 'read', 'path', false),
  Glob: built('search', 'read', 'path', false),
  LS: built('search', 'read', 'path', false),
  Edit: built('edit', 'write', 'file_path'),
  Write: built('edit', 'write', 'file_path'),
  MultiEdit: built('edit', 'write', 'file_path'),
  NotebookEdit: built('edit', 'write', 'notebook_path'),
  WebFetch: built('fetch', 'read', 'url'),
  WebSearch: built('asks', 'read'),
  Agent: built('agent', 'execute', 'subagent_type', false),
  Task: built('agent', 'execute', 'subagent_type', false),
  Skill: built('skill', 'execute', 'skill'),
  ExitPlanMode: built('asks', 'read'),
  AskUserQuestion: built('free', 'read'),
  BashOutput: built('free', 'read'),
  EnterPlanMode: built('free', 'read'),
  KillShell: built('free', 'execute'),
  ListMcpResourcesTool: built('free', 'read'),
  TaskCreate: built('free', 'write'),
  TaskGet: built('free', 'read'),
  TaskList: built('free', 'read'),
  TaskUpdate: built('free', 'write'),
  TodoWrite: built('free', 'write'),
  ToolSearch: built('free', 'read'),
});
