// The text of a spec as nodes that know where they stand, and the problems found in it. Pure.
import { nearest } from '../step/nearest.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { type Engines, NO_ENGINES } from './engines.ts';
import { type LineMap, lineMap, type Problem, type Range, type Severity } from './problem.ts';

/** Characters of a line that a problem shows. */
const EXCERPT = 500;

export interface MapEntry {
  readonly key: string;
  readonly keyRange: Range;
  readonly node: SourceNode;
}

/** A node of the document: plain JSON data with its place in the text. */
export type SourceNode =
  | { readonly t: 'map'; readonly entries: readonly MapEntry[]; readonly range: Range }
  | { readonly t: 'list'; readonly items: readonly SourceNode[]; readonly range: Range }
  | {
      readonly t: 'scalar';
      readonly value: null | boolean | number | string;
      readonly range: Range;
      /** Offset in the text of the value's first character when the value stands there letter for letter. */
      readonly literalAt: number | null;
    };

/** One spec text while it is read: finds places, gathers problems. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineMap;
  readonly problems: Problem[];
  readonly engines: Engines;

  /** `problems` is shared by the files of one spec. */
  constructor(file: string, text: string, problems: Problem[] = [], engines: Engines = NO_ENGINES) {
    this.problems = problems;
    this.engines = engines;
    this.file = file;
    this.text = text;
    this.lines = lineMap(text);
  }

  report(
    severity: Severity,
    code: string,
    range: Range,
    message: string,
    extra: { suggestion?: string | undefined; subject?: string | undefined } = {},
  ): void {
    const start = this.lines.position(range.start);
    const end = this.lines.position(Math.max(range.start + 1, range.end));
    this.problems.push({
      code,
      severity,
      message,
      file: this.file,
      line: start.line,
      column: start.column,
      endColumn: end.line === start.line ? end.column : start.column + 1,
      excerpt: this.lines.lineText(start.line).slice(0, EXCERPT),
      ...(extra.suggestion === undefined ? {} : { suggestion: extra.suggestion }),
      ...(extra.subject === undefined ? {} : { subject: extra.subject }),
    });
  }

  error(code: string, range: Range, message: string, suggestion?: string): void {
    this.report('error', code, range, message, { suggestion });
  }

  get failed(): boolean {
    return this.problems.some((problem) => problem.severity === 'error');
  }
}

/** The node as plain JSON data. */
export function toJson(node: SourceNode): Json {
  switch (node.t) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toJson);
    case 'map': {
      const out: Record<string, Json> = {};
      for (const entry of node.entries) {
        Object.defineProperty(out, entry.key, {
          value: toJson(entry.node),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return out as JsonObject;
    }
  }
}

/** Reads a map whose keys are all known; an unknown key is an error with the nearest known one. */
export function fieldsOf(
  source: Source,
  node: SourceNode,
  what: string,
  known: readonly string[],
): ReadonlyMap<string, MapEntry> | null {
  if (node.t !== 'map') {
    source.error('type', node.range, `${what} must be a map of ${known.slice(0, 4).join(', ')}…`);
    return null;
  }
  const fields = new Map<string, MapEntry>();
  for (const entry of node.entries) {
    if (!known.includes(entry.key)) {
      const near = nearest(entry.key, known);
      source.error(
        'unknown-key',
        entry.keyRange,
        `${what} has no key \`${entry.key}\`; known: ${known.join(', ')}`,
        near ?? undefined,
      );
      continue;
    }
    fields.set(entry.key, entry);
  }
  return fields;
}

/** The text of a scalar string node, or undefined with a problem. */
export function textOf(source: Source, node: SourceNode, what: string): string | undefined {
  if (node.t === 'scalar' && typeof node.value === 'string') return node.value;
  source.error('type', node.range, `${what} must be text`);
  return undefined;
}

/** One text or a list of texts. */
export function textsOf(source: Source, node: SourceNode, what: string): string[] {
  if (node.t === 'list') {
    return node.items
      .map((item) => textOf(source, item, `each of ${what}`))
      .filter((text) => text !== undefined);
  }
  const text = textOf(source, node, what);
  return text === undefined ? [] : [text];
}

/** One of a fixed set of words. */
export function wordOf<W extends string>(
  source: Source,
  node: SourceNode,
  what: string,
  words: readonly W[],
): W | undefined {
  const value = node.t === 'scalar' ? node.value : undefined;
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as W;
  const near = typeof value === 'string' ? nearest(value, words) : null;
  source.error('type', node.range, `${what} must be one of ${words.join(', ')}`, near ?? undefined);
  return undefined;
}
