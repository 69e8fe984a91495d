// The frame of a record: its JSON, its id and its agent. Pure.
import { parseJsonText } from '../../step/json.ts';
import type { Agent } from '../../step/types.ts';
import { isPlain } from './builder.ts';
import { type Fields, isObject } from './fields.ts';
import type { Import, ImportProblem, Where } from './types.ts';

export type RecordRead =
  | { readonly ok: true; readonly record: Fields }
  | { readonly ok: false; readonly problem: ImportProblem };

/** One JSON object out of a line or a file. */
export function readRecord(text: string, where: Where): RecordRead {
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    const what = `not JSON at column ${column}: expected ${expected}, found ${found}`;
    const mend = 'Check that the file is complete and in the format given.';
    return { ok: false, problem: { file: where.file, line: where.line + line - 1, what, mend } };
  }
  if (isObject(parsed.value)) return { ok: true, record: parsed.value };
  return {
    ok: false,
    problem: { ...where, what: 'not a JSON object', mend: 'A record is one JSON object.' },
  };
}

export function unreadable(problem: ImportProblem): Import {
  return { session: null, problems: [problem] };
}

/** A string that may be an id or a name, else undefined. */
export function plainText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && isPlain(value) ? value : undefined;
}

export function fileStem(file: string): string {
  const base = file.split(/[\\/]/).at(-1) ?? file;
  return base.replace(/\.(?:jsonl|json|traj)$/, '').slice(-150) || 'session';
}

/** The record's id, or the place it stands in when it has none. */
export function recordId(id: unknown, where: Where): string {
  if (Number.isSafeInteger(id)) return String(id);
  return plainText(id) ?? `${fileStem(where.file)}:${where.line}`;
}

export function agentOf(agent: unknown): Agent {
  if (!isObject(agent)) return { name: plainText(agent) ?? 'unknown' };
  const version = plainText(agent.version);
  const name = plainText(agent.name) ?? 'unknown';
  return version === undefined ? { name } : { name, version };
}
