// Reads what agents send: lenient in what is not needed, strict in what a decision rests on. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import type { Given, Place } from './types.ts';

/** Longest text of a tool's output that is recorded, in UTF-16 units; what is longer is cut, and says so. */
export const TEXT_MAX = 100_000;
/** All texts of one result together. */
const TEXTS_MAX = 400_000;
const DEPTH_MAX = 40;
const SESSION_LENGTH_MAX = 200;

export function textIn(body: JsonObject, key: string): string | null {
  const value = Object.hasOwn(body, key) ? body[key] : undefined;
  return typeof value === 'string' ? value : null;
}

export function mapIn(body: JsonObject, key: string): JsonObject | null {
  const value = Object.hasOwn(body, key) ? body[key] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** The fields that all three agents send under the same names. */
export function placeOf(body: JsonObject): Place | { readonly wrong: string } {
  const session = textIn(body, 'session_id');
  const cwd = textIn(body, 'cwd');
  if (session === null || session === '' || session.length > SESSION_LENGTH_MAX)
    return { wrong: '"session_id" is not a text of 1 to 200 characters' };
  if (cwd === null || !isAbsolute(cwd)) return { wrong: '"cwd" is not an absolute path' };
  return { session, cwd, mode: textIn(body, 'permission_mode'), subagent: textIn(body, 'agent_type') };
}

/** A path of this system, or of Windows. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) || path.startsWith('\\\\');
}

/** What a tool gave, cut to what a step can hold. */
export function givenOf(value: Json | undefined): Given {
  if (value === undefined || value === null) return {};
  const left = { units: TEXTS_MAX };
  if (typeof value === 'string') return { content: cutText(value, left) };
  return { result: cutJson(value, left, 0) };
}

export function cutText(text: string, left: { units: number }): string {
  const most = Math.min(TEXT_MAX, left.units);
  left.units -= Math.min(text.length, most);
  const whole = text.toWellFormed();
  return whole.length <= most
    ? whole
    : `${whole.slice(0, most).toWellFormed()} [cut: ${text.length} characters]`;
}

function cutJson(value: Json, left: { units: number }, depth: number): Json {
  if (typeof value === 'string') return cutText(value, left);
  left.units -= 1;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '[cut: too deep]';
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value as readonly Json[]) {
      if (left.units <= 0) {
        items.push(`[cut: ${value.length} items]`);
        break;
      }
      items.push(cutJson(item, left, depth + 1));
    }
    return items;
  }
  const fields: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [key, field] of Object.entries(value)) {
    if (left.units <= 0) break;
    left.units -= key.length;
    fields[key.toWellFormed()] = cutJson(field, left, depth + 1);
  }
  return { ...fields };
}
