// Reads YAML 1.2 or JSON text into nodes that know where they stand, and collects problems. Pure.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node as YamlNode } from 'yaml';
import { nearest } from '../step/nearest.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { type LineMap, lineMap, type Problem, type Range, type Severity } from './problem.ts';

export const MAX_SPEC_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
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

  /** `problems` is shared by the files of one spec. */
  constructor(file: string, text: string, problems: Problem[] = []) {
    this.problems = problems;
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

/** Parses the text; null when it is not one document of plain data (problems say why). */
export function readSource(source: Source): SourceNode | null {
  const whole: Range = { start: 0, end: 1 };
  if (source.text.length > MAX_SPEC_BYTES) {
    source.error(
      'too-large',
      whole,
      `the spec is ${source.text.length} characters; the limit is ${MAX_SPEC_BYTES}`,
    );
    return null;
  }
  const counter = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: counter,
    uniqueKeys: true,
    merge: false,
    maxAliasCount: 0,
    prettyErrors: false,
    version: '1.2',
  } as Parameters<typeof parseDocument>[1]);
  for (const error of document.errors) {
    source.error('syntax', { start: error.pos[0], end: error.pos[1] }, error.message);
  }
  if (source.failed) return null;
  if (document.contents === null) {
    source.error('empty', whole, 'the spec is empty; it needs at least `interlock: 1` and `name`');
    return null;
  }
  return convert(source, document.contents as YamlNode, 0);
}

function convert(source: Source, node: YamlNode | null, depth: number): SourceNode | null {
  const range = rangeOf(node);
  if (depth > MAX_DEPTH) {
    source.error('too-deep', range, `nested deeper than ${MAX_DEPTH} levels`);
    return null;
  }
  if (node === null) return { t: 'scalar', value: null, range, literalAt: null };
  if (isAlias(node)) {
    source.error(
      'alias',
      range,
      'anchors and aliases are not part of the spec language; write the value out',
    );
    return null;
  }
  if (isMap(node)) {
    const entries: MapEntry[] = [];
    for (const pair of node.items) {
      const keyNode = pair.key as YamlNode | null;
      const key = isScalar(keyNode) ? keyNode.value : undefined;
      if (typeof key !== 'string' && typeof key !== 'number') {
        source.error('key', rangeOf(keyNode), 'a key must be a plain name');
        continue;
      }
      const child = convert(source, pair.value as YamlNode | null, depth + 1);
      if (child) entries.push({ key: String(key), keyRange: rangeOf(keyNode), node: child });
    }
    return { t: 'map', entries, range };
  }
  if (isSeq(node)) {
    const items: SourceNode[] = [];
    for (const item of node.items) {
      const child = convert(source, item as YamlNode | null, depth + 1);
      if (child) items.push(child);
    }
    return { t: 'list', items, range };
  }
  const value = (node as { value?: unknown }).value;
  if (value === null || value === undefined) return { t: 'scalar', value: null, range, literalAt: null };
  if (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  ) {
    return { t: 'scalar', value, range, literalAt: literalOffset(source.text, range, value) };
  }
  source.error('scalar', range, 'only text, finite numbers, true, false and null are values here');
  return null;
}

function rangeOf(node: YamlNode | null): Range {
  const range = node?.range;
  return range ? { start: range[0], end: range[1] } : { start: 0, end: 1 };
}

/** Where a string value stands verbatim (plain, quoted without escapes, or the first line of a block). */
function literalOffset(text: string, range: Range, value: string | boolean | number): number | null {
  if (typeof value !== 'string') return range.start;
  const raw = text.slice(range.start, range.end);
  const firstLine = value.split('\n', 1)[0] ?? '';
  const at = raw.indexOf(value) >= 0 ? raw.indexOf(value) : firstLine === '' ? -1 : raw.indexOf(firstLine);
  return at < 0 ? null : range.start + at;
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
