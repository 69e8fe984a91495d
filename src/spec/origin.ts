// Compiles `origin(x).within([...])`, `.any([...])` and `.labels()`: where was this value seen before this step? Pure.

import { nearest } from '../step/nearest.ts';
import { rawChunks, scalarTokens } from '../step/normal-forms.ts';
import type { Compiled, Scope } from './cel/compile.ts';
import type { Expr } from './cel/tree.ts';
import { celError, isCelError, type Value } from './cel/value.ts';
import { stringConstant } from './free.ts';
import { globMatches } from './pattern.ts';
import type { Run, Sighting, SourceInfo } from './run.ts';
import { DYN } from './schema/type.ts';

export interface OriginContext {
  /** Declared tools, for the check of `tool:` selectors. */
  readonly tools: readonly string[];
  used: boolean;
  compile(expr: Expr, scope: Scope): Compiled;
  report(expr: Expr, message: string, suggestion?: string): void;
}

const METHODS = ['within', 'any', 'labels'];
const WORDS = [
  'user',
  'system',
  'model',
  'memory',
  'trusted',
  'untrusted',
  'tool:',
  'handoff:',
  'retrieval:',
];
/** Scalars one `origin(x)` may hold. */
const MAX_SCALARS = 10_000;

export type Selector = (source: SourceInfo) => boolean;
const MODEL: SourceInfo = { name: 'model', trusted: false, labels: [] };

export function compileOrigin(expr: Expr, scope: Scope, context: OriginContext): Compiled | null {
  if (expr.exprKind.case !== 'callExpr') return null;
  const call = expr.exprKind.value;
  if (call.function === 'origin' && !call.target) {
    context.report(expr, '`origin(x)` is asked with `.within([...])`, `.any([...])` or `.labels()`');
    return { type: DYN, eval: () => celError('error', 'not compiled') };
  }
  const inner = call.target?.exprKind.case === 'callExpr' ? call.target.exprKind.value : null;
  if (inner === null || inner.function !== 'origin' || inner.target) return null;
  context.used = true;
  const failed: Compiled = { type: DYN, eval: () => celError('error', 'not compiled') };
  if (!METHODS.includes(call.function)) {
    context.report(
      expr,
      `\`origin(...)\` has no \`${call.function}\`; it has ${METHODS.join(', ')}`,
      nearest(call.function, METHODS) ?? undefined,
    );
    return failed;
  }
  if (inner.args.length !== 1) {
    context.report(expr, '`origin` takes one value: origin(args.to)');
    return failed;
  }
  const value = context.compile(inner.args[0]!, scope);
  if (call.function === 'labels')
    return { type: { t: 'list', of: { t: 'string' } }, eval: (frame) => labelsOf(frame, value.eval(frame)) };
  const selectors = selectorsOf(call.args[0], expr, context);
  if (selectors === null) return failed;
  const within = call.function === 'within';
  return { type: { t: 'bool' }, eval: (frame) => seen(frame, value.eval(frame), selectors, within) };
}

function selectorsOf(arg: Expr | undefined, expr: Expr, context: OriginContext): Selector | null {
  const elements = arg?.exprKind.case === 'listExpr' ? arg.exprKind.value.elements : null;
  const texts = elements?.map(stringConstant) ?? [];
  if (elements === null || texts.length === 0 || texts.some((text) => text === null)) {
    context.report(arg ?? expr, 'the sources are a list of constant texts: ["user", "tool:get_contacts"]');
    return null;
  }
  const selectors: Selector[] = [];
  for (const [index, text] of (texts as string[]).entries()) {
    const selector = selectorOf(text);
    if (selector === null) {
      context.report(
        elements![index]!,
        `\`${text}\` is no source; sources are ${WORDS.join(', ')}`,
        nearest(text, WORDS) ?? undefined,
      );
      return null;
    }
    if (text.startsWith('tool:')) {
      const tool = text.slice(5).split('.', 1)[0]!;
      if (context.tools.length > 0 && !context.tools.some((name) => globMatches(tool, name))) {
        context.report(
          elements![index]!,
          `no declared tool matches \`${tool}\``,
          nearest(tool, context.tools) ?? undefined,
        );
        return null;
      }
    }
    selectors.push(selector);
  }
  return (source) => selectors.some((selector) => selector(source));
}

export function selectorOf(text: string): Selector | null {
  switch (text) {
    case 'user':
    case 'system':
    case 'model':
    case 'memory':
      // A recalled or given value with structure has the field after the source: `memory.account`.
      return (source) => source.name === text || source.name.startsWith(`${text}.`);
    case 'trusted':
      return (source) => source.trusted;
    case 'untrusted':
      return (source) => !source.trusted && source.name !== 'model';
  }
  const kind = ['tool:', 'handoff:', 'retrieval:'].find(
    (prefix) => text.startsWith(prefix) && text.length > prefix.length,
  );
  if (kind === undefined) return null;
  if (kind === 'tool:')
    return (source) => source.tool !== undefined && matchesTool(text.slice(5), source.tool, source.name);
  return (source) => globMatches(text, source.name) || globMatches(`${text}.*`, source.name);
}

/** `mail`, `mail.sender` or `search_*.sender` against a tool and the path of a value in its output. */
function matchesTool(wanted: string, tool: string, name: string): boolean {
  if (globMatches(wanted, tool)) return true;
  const path = name.slice('tool:'.length + tool.length);
  for (let dot = wanted.indexOf('.'); dot > 0; dot = wanted.indexOf('.', dot + 1)) {
    const below = wanted.slice(dot);
    if (
      globMatches(wanted.slice(0, dot), tool) &&
      (globMatches(below, path) || globMatches(`${below}.*`, path))
    )
      return true;
  }
  return false;
}

function seen(frame: Value[], value: Value, selector: Selector, within: boolean): Value {
  if (isCelError(value)) return value;
  const run = frame[0] as unknown as Run;
  const scalars = scalarsOf(value);
  if (scalars === null) return celError('error', `more than ${MAX_SCALARS} values in one origin(...)`);
  for (const scalar of scalars) {
    // An empty field among others says nothing; an empty value as a whole comes from nowhere.
    if (scalar === '' && value !== '') continue;
    const sightings = sightingsOf(run, scalar);
    if (sightings === null)
      return celError('error', 'too many values were seen in this session to say where this one came from');
    const matches =
      sightings.length === 0 ? selector(MODEL) : sightings.some((sighting) => selector(sighting.source));
    if (matches === within) continue;
    noteSightings(run, scalar, sightings);
    return !within;
  }
  return within;
}

/** Where the whole value was seen: all its tokens, and each piece whose punctuation carries meaning. */
function sightingsOf(run: Run, scalar: string | number): readonly Sighting[] | null {
  const tokens = scalarTokens(scalar);
  const chunks = typeof scalar === 'string' ? rawChunks(scalar) : [];
  if (tokens.length === 0 && chunks.length === 0) return [];
  let found = tokens.length === 0 ? null : run.origins.find(tokens);
  if (tokens.length > 0 && found === null) return null;
  for (const chunk of chunks) {
    const here = run.origins.find([chunk]);
    if (here === null) return null;
    found = found === null ? here : here.filter((one) => found!.some((other) => other.source === one.source));
  }
  return found ?? [];
}

function labelsOf(frame: Value[], value: Value): Value {
  if (isCelError(value)) return value;
  const run = frame[0] as unknown as Run;
  const labels = new Set<string>();
  const scalars = scalarsOf(value);
  if (scalars === null) return celError('error', `more than ${MAX_SCALARS} values in one origin(...)`);
  for (const scalar of scalars) {
    const tokens = scalarTokens(scalar);
    const sightings = tokens.length === 0 ? [] : run.origins.find(tokens);
    if (sightings === null)
      return celError('error', 'too many values were seen in this session to say where this one came from');
    for (const { source } of sightings) for (const label of source.labels) labels.add(label);
    if (sightings.some(({ source }) => source.labels.length > 0)) noteSightings(run, scalar, sightings);
  }
  return [...labels];
}

function noteSightings(run: Run, scalar: string | number, sightings: readonly Sighting[]): void {
  if (run.witness === null) return;
  const shown = String(scalar).slice(0, 80);
  for (const { source, ref } of sightings.slice(0, 8)) {
    run.witness.add(
      ref,
      `\`${shown}\` was seen in ${source.name} (${source.trusted ? 'trusted' : 'untrusted'})`,
    );
  }
}

/** Text and numbers of a value, at any depth; null when there are too many. Truth values and null say nothing. */
export function scalarsOf(value: Value, into: (string | number)[] = []): (string | number)[] | null {
  if (typeof value === 'string' || typeof value === 'number') into.push(value);
  else if (typeof value === 'bigint') into.push(Number(value));
  else if (Array.isArray(value)) {
    for (const item of value) if (scalarsOf(item as Value, into) === null) return null;
  } else if (value instanceof Map) {
    for (const [key, item] of value as ReadonlyMap<Value, Value>) {
      if (scalarsOf(key, into) === null || scalarsOf(item, into) === null) return null;
    }
  } else if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    for (const [key, item] of Object.entries(value)) {
      into.push(key);
      if (scalarsOf(item as Value, into) === null) return null;
    }
  }
  return into.length > MAX_SCALARS ? null : into;
}
