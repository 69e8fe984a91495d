// `shell(command)` and the functions of paths: what a shell command will do, for rules. A command is read once and kept
// for the next rule that asks. Pure: what is kept only saves work.
import { isWithin, normalizePath } from '../../shell/paths.ts';
import { MAX_COMMAND, type ShellFacts } from '../../shell/types.ts';
import type { Engines } from '../engines.ts';
import { STRING, type Type } from '../schema/type.ts';
import { overload } from './overload.ts';
import type { CelObject, Value } from './value.ts';

const TEXTS: Type = { t: 'list', of: STRING };
const BOOL: Type = { t: 'bool' };

function object(fields: Readonly<Record<string, Type>>): Type {
  const entries = Object.entries(fields).map(([name, type]) => [name, { type, required: true }] as const);
  return { t: 'object', fields: new Map(entries), open: false };
}

const COMMAND: Type = object({
  ...{ program: STRING, path: STRING, args: TEXTS, env: { t: 'map', of: STRING }, wrappers: TEXTS },
  ...{ reads: TEXTS, writes: TEXTS, hosts: TEXTS, mentioned: TEXTS, unknown: TEXTS },
  ...{ piped: BOOL, background: BOOL },
});

/** The type of `shell(...)`: `ShellFacts`. */
export const SHELL: Type = object({
  commands: { t: 'list', of: COMMAND },
  ...{
    programs: TEXTS,
    reads: TEXTS,
    writes: TEXTS,
    hosts: TEXTS,
    mentioned: TEXTS,
    opaque: TEXTS,
    unknown: TEXTS,
  },
});

/** Commands kept, and how long one may be for that. */
const MAX_KEPT = 16;
const MAX_KEPT_LENGTH = MAX_COMMAND * 2;
const kept = new Map<string, CelObject>();

/** A call is compiled only where there is an engine. */
function read({ shell: engine }: Engines, command: string | readonly string[], folder: string): ShellFacts {
  return engine!.read(command, folder);
}

/** `shell(command)`, `shell(command, folder)`: the command a text, or a program and its arguments. */
export function shell(args: readonly Value[], engines: Engines): Value {
  const [command, folder = '.'] = args;
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string');
  if ((typeof command !== 'string' && !isList) || typeof folder !== 'string') return overload('shell', args);
  const text = typeof command === 'string' ? command : (command as readonly string[]);
  if ((typeof text === 'string' ? text.length : text.length + text.join('').length) > MAX_KEPT_LENGTH)
    return read(engines, text, folder) as unknown as CelObject;
  const key = JSON.stringify([text, folder]);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const facts = read(engines, text, folder) as unknown as CelObject;
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, facts);
  return facts;
}

export function within(args: readonly Value[]): Value {
  const [path, folder] = args;
  return typeof path === 'string' && typeof folder === 'string'
    ? isWithin(path, folder)
    : overload('path.within', args);
}

export function normalize(args: readonly Value[]): Value {
  return typeof args[0] === 'string' ? normalizePath(args[0]) : overload('path.normalize', args);
}
