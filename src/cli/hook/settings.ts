// Puts hooks into an agent's settings and takes them out again. Everything else in the file stays as it is; a file that is
// not plain JSON is left alone.
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseJsonText } from '../../step/json.ts';
import { type Agent, entryOf, isOurs, type Way } from './agents.ts';
import { replaceFile } from './home.ts';

/** The settings cannot be read, or not be changed without harm. */
export class SettingsUnusable extends Error {}

type Fields = Record<string, unknown>;
interface Group {
  readonly hooks: readonly unknown[];
}

export interface Settings {
  readonly file: string;
  readonly fields: Fields;
  /** The spaces of one level. */
  readonly indent: number;
  readonly mode: number;
  readonly exists: boolean;
}

export async function readSettings(path: string): Promise<Settings> {
  // Where a link leads, so that it stays one.
  const file = await realpath(path).catch(() => path);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { file, fields: {}, indent: 2, mode: 0o600, exists: false };
    throw new SettingsUnusable(`${file}: ${(error as Error).message}`);
  }
  const parsed = parseJsonText(text.trim() === '' ? '{}' : text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    throw new SettingsUnusable(
      `${file}:${line}:${column}: expected ${expected}, found ${found}. A file with comments is not changed by ` +
        'programs; `interlock hook install --print` says what to put there.',
    );
  }
  if (!isMap(parsed.value)) throw new SettingsUnusable(`${file}: not a JSON object`);
  const { mode } = await stat(file);
  const indent = /^\{\r?\n( +)"/.exec(text)?.[1]?.length ?? 2;
  return { file, fields: parsed.value, indent, mode: mode & 0o777, exists: true };
}

/** The settings with our hooks, once, and nothing else changed. */
export function withHooks({ file, fields }: Settings, agent: Agent, way: Way): Fields {
  const without = withoutHooks({ file, fields }, agent);
  const hooks: Fields = { ...hooksOf(file, without) };
  for (const event of agent.events) {
    const groups = groupsOf(file, hooks, event);
    hooks[event] = [...groups, entryOf(agent, event, way)];
  }
  return { ...without, hooks };
}

/** The settings without our hooks, and without what would be left empty by that. */
export function withoutHooks({ file, fields }: Pick<Settings, 'file' | 'fields'>, agent: Agent): Fields {
  const before = hooksOf(file, fields);
  const hooks: Fields = {};
  let changed = false;
  for (const event of Object.keys(before)) {
    const groups = groupsOf(file, before, event);
    const left = groups.flatMap((group) => {
      const others = group.hooks.filter((hook) => !isOurs(hook, agent.name));
      if (others.length === group.hooks.length) return [group];
      changed = true;
      return others.length === 0 ? [] : [{ ...group, hooks: others }];
    });
    if (left.length > 0 || groups.length === 0) hooks[event] = left;
  }
  if (!changed) return fields;
  const { hooks: _, ...rest } = fields;
  return Object.keys(hooks).length === 0 ? rest : { ...fields, hooks };
}

/** Events at which our hook stands. */
export function hookedEvents({ file, fields }: Settings, agent: Agent): readonly string[] {
  const hooks = hooksOf(file, fields);
  return Object.keys(hooks).filter((event) =>
    groupsOf(file, hooks, event).some((group) => group.hooks.some((hook) => isOurs(hook, agent.name))),
  );
}

export async function writeSettings({ file, indent, mode }: Settings, fields: Fields): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, `${JSON.stringify(fields, null, indent)}\n`, mode);
}

function hooksOf(file: string, fields: Fields): Fields {
  const hooks = fields.hooks ?? {};
  if (!isMap(hooks)) throw new SettingsUnusable(`${file}: "hooks" is not an object`);
  return hooks;
}

function groupsOf(file: string, hooks: Fields, event: string): readonly Group[] {
  const groups = hooks[event] ?? [];
  if (Array.isArray(groups) && groups.every((group) => isMap(group) && Array.isArray(group.hooks)))
    return groups;
  throw new SettingsUnusable(`${file}: "hooks.${event}" is not a list of {"hooks": [...]}`);
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
