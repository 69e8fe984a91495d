// Reads vendors' JSON, of which only the parts that matter are known: everything else goes through as it came. Pure.
import { parseExactJson } from '../step/structure/json-exact.ts';
import type { Json, JsonObject, Usage } from '../step/types.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Text of a message: a string, or its parts, of which what is no text is named: `[image_url]`. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content))
    return content === undefined || content === null ? '' : JSON.stringify(content);
  return content.map(partText).join('\n');
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  if (!isObject(part)) return JSON.stringify(part);
  for (const key of ['text', 'refusal'] as const) if (typeof part[key] === 'string') return part[key];
  return `[${textOf(part.type) || 'part'}]`;
}

/** Arguments that can be read in one way only; null when they are not one JSON object, or have a key twice. */
export function argumentsOf(raw: string): JsonObject | null {
  if (raw.trim() === '') return {};
  const parsed = parseExactJson(raw);
  return isObject(parsed) ? (parsed as JsonObject) : null;
}

/** Arguments in the form that their vendor gives them, as text to keep and as what they say; none when they are absent. */
export function argumentsIn(
  value: unknown,
  form: 'text' | 'object' | 'either',
): { readonly raw: string; readonly args: JsonObject | null } {
  const given = value ?? {};
  const raw = typeof given === 'string' ? given : JSON.stringify(given);
  const fits = value === undefined || value === null || form === 'either' || typeof given === formOf[form];
  return { raw, args: fits ? argumentsOf(raw) : null };
}

const formOf = { text: 'string', object: 'object' } as const;

/** What a tool that takes any text is given. */
export function freeText(value: unknown): { readonly raw: string; readonly args: JsonObject | null } {
  if (typeof value === 'string') return { raw: value, args: { input: value } };
  const none = value === undefined || value === null;
  return { raw: none ? '' : JSON.stringify(value), args: none ? { input: '' } : null };
}

/** Larger parameters are named, not shown: schemas of answers, lists of biases. */
const PARAMETER_MAX = 4_096;

/** The parameters of a request without its messages, as rules see them. */
export function parametersOf(
  body: Fields,
  without: readonly string[],
  tools: readonly string[] | null,
): JsonObject {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(body)) {
    if (without.includes(key) || value === undefined) continue;
    const small =
      typeof value !== 'object' || value === null || JSON.stringify(value).length <= PARAMETER_MAX;
    out[key] = small ? (value as Json) : '[large]';
  }
  if (tools !== null) out.tools = tools;
  return out;
}

/** The body with the parameters that a rule changed, and no others: those shown in part stay as they were. */
export function withParameters(
  body: Fields,
  before: JsonObject,
  after: JsonObject,
  dropTools: (body: Fields, names: ReadonlySet<string>) => Fields,
): Fields {
  const out: Record<string, unknown> = { ...body };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (key === 'tools') continue;
    if (JSON.stringify(before[key]) === JSON.stringify(after[key])) continue;
    if (after[key] === undefined) delete out[key];
    else out[key] = after[key];
  }
  if (JSON.stringify(before.tools) === JSON.stringify(after.tools)) return out;
  const left = Array.isArray(after.tools) ? after.tools : [];
  return dropTools(out, new Set(left.filter((name): name is string => typeof name === 'string')));
}

export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** Tokens in exclusive buckets; null when the reply told none. */
export function usageOf(tokens: {
  readonly input: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly output: number;
  readonly reasoning?: number;
}): Usage | null {
  const { input, cacheRead = 0, cacheWrite = 0, output, reasoning = 0 } = tokens;
  if (input + cacheRead + cacheWrite + output + reasoning === 0) return null;
  return {
    inputTokens: Math.max(0, input),
    outputTokens: Math.max(0, output),
    ...(cacheRead === 0 ? {} : { cacheReadTokens: cacheRead }),
    ...(cacheWrite === 0 ? {} : { cacheWriteTokens: cacheWrite }),
    ...(reasoning === 0 ? {} : { reasoningTokens: reasoning }),
  };
}
