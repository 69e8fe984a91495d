// Reads YAML 1.2 or JSON text into nodes that know where they stand. Pure.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node as YamlNode } from 'yaml';
import type { Range } from './problem.ts';
import type { MapEntry, Source, SourceNode } from './source.ts';

export const MAX_SPEC_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;

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
