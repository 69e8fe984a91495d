// One line that says what a step was about, for a row of the timeline. Pure; stops reading a value where the line ends.
import type { Json, Step } from '../../src/step/types.ts';
import { revealHidden } from './format.ts';

const LIMIT = 240;

/** The step in one line: its error, else its arguments, its content or its result, whichever its kind speaks with. */
export function summarise(step: Step): string {
  if (step.error) return `error: ${oneLine(step.error.message)}`;
  switch (step.kind) {
    case 'tool.result':
    case 'retrieval':
    case 'memory.read':
    case 'check':
      return (
        (step.result === undefined ? null : compact(step.result)) ??
        text(step.content) ??
        compact(step.args) ??
        ''
      );
    default:
      return text(step.content) ?? compact(step.args) ?? compact(step.result) ?? '';
  }
}

/** A value as `key: value` pairs, outer braces dropped, cut to a line. */
export function compact(value: Json | undefined): string | null {
  if (value === undefined) return null;
  const out: string[] = [];
  let length = 0;
  const put = (part: string): boolean => {
    out.push(part);
    length += part.length;
    return length < LIMIT;
  };
  write(value, put, true);
  return oneLine(out.join(''));
}

function write(value: Json, put: (part: string) => boolean, outer: boolean): boolean {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return put(String(value));
  if (typeof value === 'string')
    return put(outer ? value.slice(0, LIMIT) : JSON.stringify(value.slice(0, LIMIT)));
  const entries: [string | null, Json][] = Array.isArray(value)
    ? value.slice(0, LIMIT).map((each) => [null, each])
    : Object.entries(value).slice(0, LIMIT);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : outer ? ['', ''] : ['{ ', ' }'];
  if (entries.length === 0) return put(Array.isArray(value) ? '[]' : '{}');
  if (!put(open)) return false;
  for (const [i, [key, v]] of entries.entries()) {
    if (!put(i === 0 ? '' : ', ')) return false;
    if (key !== null && !put(`${key}: `)) return false;
    if (!write(v, put, false)) return false;
  }
  return put(close);
}

function text(content: string | undefined): string | null {
  return content === undefined || content === '' ? null : oneLine(content);
}

function oneLine(s: string): string {
  const flat = s.slice(0, LIMIT).replaceAll(/\s+/g, ' ').trim();
  return revealHidden(s.length > LIMIT ? `${flat}…` : flat);
}
