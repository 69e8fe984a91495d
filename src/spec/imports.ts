// `imports` and `parameters`: specs put together. Every rule of every part is in force, under its part's name, and the
// strictest verdict wins; a tool that several parts describe keeps the strictest of what they say. Pure.
import { nearest } from '../step/nearest.ts';
import type { Json, JsonObject } from '../step/types.ts';
import type { CheckDeclaration, RuleClause, SpecDocument, ToolContract } from './document.ts';
import type { Let } from './let.ts';
import { isName, type ReadRef, readDocument } from './read.ts';
import { compileSchema } from './schema/schema.ts';
import { fieldsOf, type MapEntry, Source, type SourceNode, textOf, toJson } from './source.ts';
import type { Mode } from './terms.ts';

const MAX_IMPORTS = 50;
const MAX_DEPTH = 8;
const MAX_PARAMETERS = 100;
export const MAX_RULES = 2_000;

/** Where a document stands among those that import it. */
export interface Place {
  readonly readRef: ReadRef | undefined;
  /** Files on the way here, so that no file imports itself. */
  readonly path: readonly string[];
  /** Values for the document's parameters. */
  readonly given: ReadonlyMap<string, MapEntry>;
  /** The mode of a document that names none: that of the one that imports it. */
  readonly mode: Mode;
}

export interface Part {
  readonly as: string;
  readonly document: SpecDocument;
}

/** Reads every imported spec; in `meaning` each stands in full, so that the meaning needs no other file. */
export function readImports(
  source: Source,
  entry: MapEntry | undefined,
  place: Place,
  meaning: Record<string, Json>,
): Part[] {
  if (!entry) return [];
  if (entry.node.t !== 'list' || entry.node.items.length > MAX_IMPORTS) {
    source.error('type', entry.node.range, `\`imports\` is a list of at most ${MAX_IMPORTS} specs`);
    return [];
  }
  const parts: Part[] = [];
  for (const item of entry.node.items) {
    const part = readImport(source, item, place);
    if (part === null) continue;
    if (parts.some((other) => other.as === part.as)) {
      source.error(
        'duplicate-id',
        item.range,
        `two imports are called \`${part.as}\`; give one another \`as\``,
      );
      continue;
    }
    parts.push(part);
  }
  meaning.imports = parts.map(({ as, document }) => ({ as, spec: document.meaning }));
  return parts;
}

function readImport(source: Source, item: SourceNode, place: Place): Part | null {
  const fields =
    item.t === 'scalar'
      ? new Map<string, MapEntry>([['spec', { key: 'spec', keyRange: item.range, node: item }]])
      : fieldsOf(source, item, 'an import', ['spec', 'as', 'with']);
  const spec = fields?.get('spec');
  if (!fields || !spec) {
    if (fields)
      source.error('missing', item.range, 'an import needs `spec`: a path relative to this file, or a spec');
    return null;
  }
  const found =
    spec.node.t === 'map' ? { source, root: spec.node, place } : openFile(source, spec.node, place);
  if (found === null) return null;
  const given = readGiven(source, fields.get('with'), parameterNames(found.root));
  const document = readDocument(found.source, found.root, { ...found.place, given });
  if (document === null) return null;
  const asEntry = fields.get('as');
  const as = asEntry ? textOf(source, asEntry.node, '`as`') : document.name;
  if (as === undefined) return null;
  if (as === '' || as.length > 100 || [...as].some((c) => !isPartCharacter(c))) {
    source.error('name', asEntry?.node.range ?? item.range, '`as` has 1 to 100 letters, digits, `-` or `_`');
    return null;
  }
  return { as, document };
}

function isPartCharacter(c: string): boolean {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c === '-' || c === '_';
}

function openFile(source: Source, node: SourceNode, place: Place) {
  const path = textOf(source, node, '`spec`');
  if (path === undefined) return null;
  const from = place.path.at(-1) ?? '';
  const file = joinPath(from, path);
  if (place.path.includes(file) || place.path.length >= MAX_DEPTH) {
    source.error(
      'circular',
      node.range,
      place.path.includes(file)
        ? `\`${path}\` imports itself: ${[...place.path, file].join(' → ')}`
        : `imports stand inside one another more than ${MAX_DEPTH} deep`,
    );
    return null;
  }
  const text = place.readRef?.(file) ?? null;
  if (text === null) {
    source.error(
      'missing-file',
      node.range,
      `the spec \`${path}\` cannot be read; the path is relative to this file`,
    );
    return null;
  }
  const imported = new Source(file, text, source.problems, source.engines);
  const root = source.engines.read(imported);
  return root === null ? null : { source: imported, root, place: { ...place, path: [...place.path, file] } };
}

/**
 * `path` as it stands in the file `from`, relative to the first spec. A name with a scheme (`pack:banking`) is a folder of
 * its own: `./types.json` in it is `pack:banking/types.json`.
 */
export function joinPath(from: string, path: string): string {
  if (from === '' || path.startsWith('/') || path.includes(':')) return path;
  const parts = from.includes(':') && !from.includes('/') ? [from] : from.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '.' || part === '') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

function parameterNames(root: SourceNode): string[] {
  const declared = root.t === 'map' ? root.entries.find((entry) => entry.key === 'parameters') : undefined;
  return declared?.node.t === 'map' ? declared.node.entries.map((entry) => entry.key) : [];
}

function readGiven(
  source: Source,
  entry: MapEntry | undefined,
  names: readonly string[],
): ReadonlyMap<string, MapEntry> {
  if (!entry) return new Map();
  if (entry.node.t === 'map') {
    for (const { key, keyRange } of entry.node.entries) {
      if (names.includes(key)) continue;
      const message = `the imported spec has no parameter \`${key}\``;
      source.error('parameter', keyRange, message, nearest(key, names) ?? undefined);
    }
    return new Map(entry.node.entries.map((given) => [given.key, given]));
  }
  source.error('type', entry.node.range, '`with` maps parameters to values');
  return new Map();
}

/** The document with `$name` replaced by the parameters' values, and these as names for expressions. */
export function bindParameters(
  source: Source,
  root: SourceNode,
  given: ReadonlyMap<string, MapEntry>,
): { root: SourceNode; lets: Let[] } {
  const values = parameterValues(source, root, given);
  const lets = [...values].map(([name, { node, literal }]) => ({
    name,
    expression: { text: literal, range: node.range, at: null },
  }));
  if (values.size === 0 || root.t !== 'map') return { root, lets };
  const entries = root.entries
    .filter((entry) => entry.key !== 'parameters')
    .map((entry) => ({ ...entry, node: substitute(source, entry.node, values) }));
  return { root: { ...root, entries }, lets };
}

interface Bound {
  readonly node: SourceNode;
  /** The value in CEL. */
  readonly literal: string;
}

function parameterValues(
  source: Source,
  root: SourceNode,
  given: ReadonlyMap<string, MapEntry>,
): Map<string, Bound> {
  const values = new Map<string, Bound>();
  const declared = root.t === 'map' ? root.entries.find((entry) => entry.key === 'parameters') : undefined;
  if (declared === undefined) return values;
  if (declared.node.t !== 'map' || declared.node.entries.length > MAX_PARAMETERS) {
    source.error(
      'type',
      declared.node.range,
      `\`parameters\` maps at most ${MAX_PARAMETERS} names to JSON Schemas with a \`default\``,
    );
    return values;
  }
  for (const entry of declared.node.entries) {
    const bound = boundValue(source, entry, given.get(entry.key));
    if (bound !== null) values.set(entry.key, bound);
  }
  return values;
}

function boundValue(source: Source, entry: MapEntry, given: MapEntry | undefined): Bound | null {
  if (!isName(entry.key)) {
    source.error('name', entry.keyRange, `\`${entry.key}\` is no name: letters, digits and _`);
    return null;
  }
  if (entry.node.t !== 'map') {
    source.error(
      'type',
      entry.node.range,
      `\`${entry.key}\` is a JSON Schema: { type: number, default: 100 }`,
    );
    return null;
  }
  const node = given?.node ?? entry.node.entries.find((field) => field.key === 'default')?.node;
  if (node === undefined) {
    source.error(
      'parameter',
      entry.keyRange,
      `the parameter \`${entry.key}\` has no value: import the spec \`with\` one, or give it a \`default\``,
    );
    return null;
  }
  const schema = compileSchema(toJson(entry.node), entry.key, source.engines);
  for (const problem of schema.problems)
    source.error('schema', entry.node.range, `${problem.path}: ${problem.message}`);
  const value = toJson(node);
  const wrong = schema.validate(value)?.[0];
  if (wrong !== undefined) {
    source.error(
      'parameter',
      entry.keyRange,
      `the parameter \`${entry.key}\` must be ${wrong.expected}; found ${wrong.found}`,
    );
    return null;
  }
  // A `number` is a double for expressions, whatever its value.
  const isDouble = schema.type.t === 'double' || schema.type.t === 'number';
  return { node, literal: isDouble && Number.isInteger(value) ? `${value}.0` : JSON.stringify(value) };
}

function substitute(source: Source, node: SourceNode, values: ReadonlyMap<string, Bound>): SourceNode {
  switch (node.t) {
    case 'map':
      return {
        ...node,
        entries: node.entries.map((entry) => ({ ...entry, node: substitute(source, entry.node, values) })),
      };
    case 'list':
      return { ...node, items: node.items.map((item) => substitute(source, item, values)) };
    case 'scalar': {
      const text = node.value;
      const name = typeof text === 'string' && text.startsWith('$') ? text.slice(1) : '';
      if (!isName(name)) return node;
      const bound = values.get(name);
      if (bound !== undefined) return at(bound.node, node.range);
      source.error(
        'parameter',
        node.range,
        `the spec has no parameter \`${name}\``,
        nearest(name, [...values.keys()]) ?? undefined,
      );
      return node;
    }
  }
}

/** A value that stands elsewhere, as if it stood here: problems point at its use. */
function at(node: SourceNode, range: SourceNode['range']): SourceNode {
  switch (node.t) {
    case 'map':
      return { ...node, range, entries: node.entries.map((e) => ({ ...e, node: at(e.node, range) })) };
    case 'list':
      return { ...node, range, items: node.items.map((item) => at(item, range)) };
    case 'scalar':
      return { ...node, range, literalAt: null };
  }
}

/** Rules of the parts behind the spec's own, each id with its part's name before it. */
export function joinRules(own: readonly RuleClause[], parts: readonly Part[]): RuleClause[] {
  return [
    ...own,
    ...parts.flatMap(({ as, document }) =>
      document.rules.map((rule) => ({ ...rule, id: `${as}.${rule.id}` })),
    ),
  ];
}

/** Contracts of all parts; where two describe one tool, the strictest of both, or a problem when they cannot both hold. */
export function joinTools(
  source: Source,
  own: ReadonlyMap<string, ToolContract>,
  parts: readonly Part[],
  entry: MapEntry | undefined,
): Map<string, ToolContract> {
  const tools = new Map(own);
  for (const { as, document } of parts) {
    for (const contract of document.tools.values()) {
      const other = tools.get(contract.name);
      if (other === undefined) tools.set(contract.name, contract);
      else {
        const joined = strictest(other, contract);
        if (typeof joined !== 'string') tools.set(contract.name, joined);
        else
          source.error(
            'conflict',
            own.has(contract.name) ? other.range : (entry?.keyRange ?? other.range),
            `\`${as}\` says another ${joined} of the tool \`${contract.name}\`; let one of them leave it out`,
          );
      }
    }
  }
  return tools;
}

/** Checks of all parts; two of one name must say the same. */
export function joinChecks(
  source: Source,
  own: ReadonlyMap<string, CheckDeclaration>,
  parts: readonly Part[],
  entry: MapEntry | undefined,
): Map<string, CheckDeclaration> {
  const checks = new Map(own);
  const meaning = ({ means, pass, timeoutMs }: CheckDeclaration) =>
    JSON.stringify([means, pass?.text ?? null, timeoutMs]);
  for (const { as, document } of parts) {
    for (const check of document.checks.values()) {
      const other = checks.get(check.name);
      if (other === undefined) checks.set(check.name, check);
      else if (meaning(other) !== meaning(check))
        source.error(
          'conflict',
          own.has(check.name) ? other.range : (entry?.keyRange ?? other.range),
          `\`${as}\` has another check called \`${check.name}\`; give one of them another name`,
        );
    }
  }
  return checks;
}

function strictest(a: ToolContract, b: ToolContract): ToolContract | 'effect' | 'input' | 'output' {
  if (a.effect !== b.effect) return 'effect';
  const same = (x: Json | null, y: Json | null) =>
    x === null || y === null || JSON.stringify(sortKeys(x)) === JSON.stringify(sortKeys(y));
  if (!same(a.input, b.input)) return 'input';
  if (!same(a.output, b.output)) return 'output';
  return {
    ...a,
    reversible: a.reversible && b.reversible,
    trust: a.trust === 'untrusted' || b.trust === 'untrusted' ? 'untrusted' : 'trusted',
    labels: [...new Set([...a.labels, ...b.labels])],
    input: a.input ?? b.input,
    output: a.output ?? b.output,
  };
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sortKeys(object[key]!)]),
  );
}
