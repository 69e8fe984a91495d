// Reads permission settings of Claude Code (settings.json): the lists, the mode, the folders, each with its place. Pure.
// The format: https://code.claude.com/docs/en/permissions and https://code.claude.com/docs/en/settings (read November 2026).

import { readSource } from '../../spec/read-yaml.ts';
import { Source, type SourceNode, textOf, toJson } from '../../spec/source.ts';
import { nearest } from '../../step/nearest.ts';
import type { SourceFile } from '../types.ts';

export const LISTS = ['deny', 'ask', 'allow'] as const;
export type List = (typeof LISTS)[number];

/** From the strictest to the laxest: of several files the strictest counts. */
export const MODES = ['dontAsk', 'plan', 'default', 'auto', 'acceptEdits', 'bypassPermissions'] as const;
export type PermissionMode = (typeof MODES)[number];

/** Where something stands. */
export interface Place {
  readonly source: Source;
  readonly offset: number;
}

/** One rule, `Tool` or `Tool(specifier)`. */
export interface PermissionRule {
  readonly list: List;
  readonly text: string;
  readonly tool: string;
  /** Null: every use of the tool. */
  readonly specifier: string | null;
  readonly place: Place;
}

export interface Folder {
  readonly path: string;
  readonly place: Place;
}

export interface Permissions {
  readonly rules: readonly PermissionRule[];
  readonly mode: PermissionMode;
  readonly modePlace: Place | null;
  readonly folders: readonly Folder[];
  /** What decides too and is not read here. */
  readonly others: readonly { readonly what: string; readonly place: Place }[];
}

const MAX_RULES = 2_000;
const MAX_RULE = 500;
const KNOWN = [
  ...LISTS,
  'defaultMode',
  'additionalDirectories',
  'disableBypassPermissionsMode',
  'disableAutoMode',
];
/** Settings outside of `permissions` that decide on calls as well. */
const DECIDING = ['hooks', 'sandbox', 'autoMode'];

export function readPermissions(files: readonly SourceFile[]): {
  sources: Source[];
  permissions: Permissions;
} {
  const sources: Source[] = [];
  const rules: PermissionRule[] = [];
  const folders: Folder[] = [];
  const modes: { mode: PermissionMode; place: Place }[] = [];
  const others: { what: string; place: Place }[] = [];
  let mayBypass = true;
  for (const { name, text } of files) {
    const source = new Source(name, text);
    sources.push(source);
    const root = text.trim() === '' ? null : readSource(source);
    if (root === null) {
      if (text.trim() === '')
        source.error('empty', { start: 0, end: 1 }, 'the file is empty; it should be a settings.json');
      continue;
    }
    if (root.t !== 'map') {
      source.error(
        'type',
        root.range,
        'settings are an object: { "permissions": { "allow": [], "deny": [] } }',
      );
      continue;
    }
    for (const { key, keyRange } of root.entries)
      if (DECIDING.includes(key)) others.push({ what: key, place: { source, offset: keyRange.start } });
    const permissions = root.entries.find((entry) => entry.key === 'permissions');
    if (permissions === undefined) continue;
    if (permissions.node.t !== 'map') {
      source.error(
        'type',
        permissions.node.range,
        '`permissions` is an object with `allow`, `ask` and `deny`',
      );
      continue;
    }
    for (const entry of permissions.node.entries) {
      const list = LISTS.find((word) => word === entry.key);
      if (list !== undefined) rules.push(...readList(source, list, entry.node));
      else if (entry.key === 'defaultMode')
        modes.push({ mode: readMode(source, entry.node), place: { source, offset: entry.keyRange.start } });
      else if (entry.key === 'additionalDirectories') folders.push(...readFolders(source, entry.node));
      else if (entry.key === 'disableBypassPermissionsMode') mayBypass &&= toJson(entry.node) !== 'disable';
      else if (!KNOWN.includes(entry.key))
        source.error(
          'unknown-key',
          entry.keyRange,
          `\`permissions\` has no key \`${entry.key}\`; known: ${KNOWN.join(', ')}`,
          nearest(entry.key, KNOWN) ?? undefined,
        );
    }
  }
  if (rules.length > MAX_RULES && sources[0])
    sources[0].error('too-many', { start: 0, end: 1 }, `${rules.length} rules; at most ${MAX_RULES}`);
  const possible = modes.filter(({ mode }) => mayBypass || mode !== 'bypassPermissions');
  const [strictest] = possible.sort((a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode));
  const { mode, place: modePlace } = strictest ?? { mode: 'default' as const, place: null };
  return { sources, permissions: { rules, mode, modePlace, folders, others } };
}

function readMode(source: Source, node: SourceNode): PermissionMode {
  const given = toJson(node);
  const word = MODES.find((mode) => mode === (given === 'manual' ? 'default' : given));
  if (word !== undefined) return word;
  const near = typeof given === 'string' ? nearest(given, MODES) : null;
  source.error('type', node.range, `\`defaultMode\` is one of ${MODES.join(', ')}`, near ?? undefined);
  return 'default';
}

function readFolders(source: Source, node: SourceNode): Folder[] {
  if (node.t !== 'list') {
    source.error('type', node.range, '`additionalDirectories` is a list of folders');
    return [];
  }
  return node.items.flatMap((item) => {
    const path = textOf(source, item, 'a folder');
    return path === undefined ? [] : [{ path, place: { source, offset: item.range.start } }];
  });
}

function readList(source: Source, list: List, node: SourceNode): PermissionRule[] {
  if (node.t !== 'list') {
    source.error('type', node.range, `\`${list}\` is a list of rules such as "Bash(npm test)"`);
    return [];
  }
  return node.items.flatMap((item) => {
    const text = textOf(source, item, `each rule of \`${list}\``)?.trim();
    if (text === undefined) return [];
    const parsed = text.length > MAX_RULE ? null : parseRule(text);
    if (parsed === null) {
      const found = text.length > 60 ? `${text.slice(0, 60)}…` : text;
      source.error(
        'rule',
        item.range,
        `\`${found}\` is no rule: Tool, or Tool(specifier) of at most ${MAX_RULE} characters`,
      );
      return [];
    }
    return [{ list, text, ...parsed, place: { source, offset: item.range.start } }];
  });
}

/** `Tool` or `Tool(specifier)`; `Tool()` and `Tool(*)` are every use. */
export function parseRule(text: string): { readonly tool: string; readonly specifier: string | null } | null {
  const open = text.indexOf('(');
  const tool = open < 0 ? text : text.slice(0, open);
  if (!/^[A-Za-z0-9_*.:-]+$/.test(tool)) return null;
  if (open < 0) return { tool, specifier: null };
  if (!text.endsWith(')')) return null;
  const specifier = text.slice(open + 1, -1);
  return { tool, specifier: specifier === '' || specifier === '*' ? null : specifier };
}
