// Which calls a rule of Claude Code is about: names of tools, and what must be so of their arguments. Pure.
import type { Json } from '../../step/types.ts';
import { anyOf, literal, matches, quote } from '../cel.ts';
import { deniedCommand } from './bash.ts';
import { deniedPath, parsePathPattern, plainPath, withinFolders } from './paths.ts';
import type { List, PermissionRule } from './rules.ts';
import { BUILT_IN, type ToolKind } from './tools.ts';
import { deniedAddress, parseDomain } from './web.ts';

export function toolsOf(...kinds: readonly ToolKind[]): string[] {
  return Object.keys(BUILT_IN).filter((name) => kinds.includes(BUILT_IN[name]!.kind));
}

/** What a deny or an ask takes: calls of these tools, of which the condition holds. */
export interface Taken {
  readonly tools: readonly string[];
  readonly condition: string;
}

/** What a deny or an ask takes; null when its specifier cannot be taken over. */
export function reachOf(rule: PermissionRule): readonly Taken[] | null {
  const { tool, specifier } = rule;
  if (specifier === null) return [{ tools: toolNames(rule), condition: 'true' }];
  switch (BUILT_IN[tool]?.kind) {
    case 'bash':
      return [{ tools: ['Bash'], condition: deniedCommand(specifier) }];
    case 'read':
    case 'edit': {
      const pattern = parsePathPattern(specifier);
      if (pattern === null) return null;
      // What may not be read is not edited either.
      const names = BUILT_IN[tool]!.kind === 'read' ? toolsOf('read', 'edit') : toolsOf('edit');
      return byField(names).map(({ tools, field }) => ({
        tools,
        condition: anyOf([`!(${plainPath(field)})`, deniedPath(field, pattern)]),
      }));
    }
    case 'fetch': {
      const host = parseDomain(specifier);
      return host === null ? null : [{ tools: ['WebFetch'], condition: deniedAddress('args.url', host) }];
    }
    case 'agent': {
      const condition = `!has(args.subagent_type) || args.subagent_type == ${literal(specifier)}`;
      return [{ tools: toolsOf('agent'), condition }];
    }
    case 'skill':
      return [{ tools: ['Skill'], condition: skill(specifier, true) }];
    default:
      return null;
  }
}

export function on(tools: readonly string[]): Json {
  const patterns = tools.map((tool) => `call ${tool}`);
  return patterns.length === 1 ? patterns[0]! : patterns;
}

/** The call is of one of these tools, some of which are globs. */
export function named(tools: readonly string[]): string {
  return anyOf(
    tools.map((tool) =>
      tool.includes('*')
        ? matches('name', `^${tool.split('*').map(quote).join('.*')}$`)
        : `name == ${literal(tool)}`,
    ),
  );
}

/** Tools by the argument that has their path. */
export function byField(names: readonly string[]): { tools: string[]; field: string }[] {
  const fields = new Map<string, string[]>();
  for (const name of names) {
    const field = `args.${BUILT_IN[name]!.field}`;
    fields.set(field, [...(fields.get(field) ?? []), name]);
  }
  return [...fields].map(([field, tools]) => ({ field, tools }));
}

export function search(folders: readonly string[]): string {
  return `!has(args.path) || (${plainPath('args.path')} && (${withinFolders('args.path', folders)}))`;
}

export function skill(specifier: string, wide: boolean): string {
  const name = specifier.endsWith(':*')
    ? specifier.slice(0, -2)
    : specifier.endsWith(' *')
      ? specifier.slice(0, -2)
      : specifier;
  if (name === specifier && !wide) return `args.skill == ${literal(name)}`;
  return `args.skill == ${literal(name)} || args.skill.startsWith(${literal(`${name} `)})`;
}

/** All that a rule could be about when its specifier cannot be taken over. */
export function familyOf(rule: PermissionRule): string[] {
  const kind = BUILT_IN[rule.tool]?.kind;
  if (kind === 'read') return toolsOf('read', 'search', 'edit');
  return kind === 'edit' ? toolsOf('edit') : toolNames(rule);
}

export function isServerGlob(tool: string): boolean {
  return /^mcp__[A-Za-z0-9_-]+?__[A-Za-z0-9_*-]*$/.test(tool);
}

/** The tools that a rule without a specifier is about, as globs. */
export function toolNames({ tool, list }: { readonly tool: string; readonly list: List }): string[] {
  if (tool === 'Read') return toolsOf('read', 'search');
  if (tool === 'Edit') return toolsOf('edit');
  if (tool === 'Agent' || tool === 'Task') return toolsOf('agent');
  if (tool.startsWith('mcp__') && !tool.slice(5).includes('__') && !tool.includes('*'))
    return [tool, `${tool}__*`];
  if (list === 'allow' && tool.includes('*') && !isServerGlob(tool)) return [];
  return [tool];
}
