// Names and ids from outside cut to what a step may hold: bounded, well-formed, without control characters.
import { createHash } from 'node:crypto';
import { ID_LENGTH_MAX } from '../../step/parse.ts';
import type { Json } from '../../step/types.ts';

const DIGEST_LENGTH = 64;

/** A name, or undefined where the value is none. */
export function nameOf(value: Json | undefined): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const clean = withoutControls(text).trim();
  if (clean === '') return undefined;
  return clean.length <= ID_LENGTH_MAX ? clean : clean.slice(0, ID_LENGTH_MAX).toWellFormed();
}

/** An id, or undefined where the value is none. One too long ends in its digest, so that two never become one. */
export function idOf(value: Json | undefined): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '') return undefined;
  const clean = withoutControls(text);
  if (clean === text && text.length <= ID_LENGTH_MAX && text.isWellFormed()) return text;
  const digest = createHash('sha256').update(text).digest('hex');
  return `${clean.slice(0, ID_LENGTH_MAX - DIGEST_LENGTH - 1).toWellFormed()}~${digest}`;
}

function withoutControls(text: string): string {
  let clean = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit !== 0x7f) continue;
    clean += `${text.slice(from, i)} `;
    from = i + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}
