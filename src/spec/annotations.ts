// Trust and labels of the fields of a tool's output, as its contract's schema gives them. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import type { SourceInfo } from './run.ts';

/** A tree beside the schema's: what is said at a node holds below it until something nearer speaks. */
export interface FieldAnnotations {
  readonly trust?: 'trusted' | 'untrusted';
  readonly labels?: readonly string[];
  readonly fields?: ReadonlyMap<string, FieldAnnotations>;
  /** Elements of an array. */
  readonly items?: FieldAnnotations;
  /** Values under keys that the schema does not name. */
  readonly others?: FieldAnnotations;
}

/** The source of a value at `path`: its own annotation over what it inherits; labels join. */
export function annotationFor(
  annotations: FieldAnnotations | null,
  inherited: SourceInfo,
  path: string,
): SourceInfo {
  if (annotations === null && inherited.name === path) return inherited;
  const added = annotations?.labels?.filter((label) => !inherited.labels.includes(label)) ?? [];
  const trusted = annotations?.trust === undefined ? inherited.trusted : annotations.trust === 'trusted';
  const labels = added.length === 0 ? inherited.labels : [...inherited.labels, ...added];
  return { ...inherited, name: path, trusted, labels };
}

/** For what a contract does not describe: the least trust and all the labels of what it describes around it. */
export function leastOf(annotations: FieldAnnotations, inherited: SourceInfo): SourceInfo {
  let { trusted } = inherited;
  const labels = new Set(inherited.labels);
  for (const node of nodesOf(annotations)) {
    if (node.trust === 'untrusted') trusted = false;
    for (const label of node.labels ?? []) labels.add(label);
  }
  return { ...inherited, trusted, labels: [...labels] };
}

/** Every node of the tree once; a schema that refers to itself makes a circle. */
export function nodesOf(root: FieldAnnotations): Set<FieldAnnotations> {
  const seen = new Set<FieldAnnotations>([root]);
  for (const node of seen) {
    for (const child of [...(node.fields?.values() ?? []), node.items, node.others])
      if (child !== undefined) seen.add(child);
  }
  return seen;
}

interface Building {
  trust?: 'trusted' | 'untrusted';
  labels?: readonly string[];
  fields?: Map<string, FieldAnnotations>;
  items?: FieldAnnotations;
  others?: FieldAnnotations;
}

/** Reads `trust` and `labels` at each node of a JSON Schema. Alternatives join to the stricter; `$ref`s may be circles. */
export function readAnnotations(schema: Json): FieldAnnotations | null {
  const refs = new Map<string, Building>();
  const read = (node: Json | undefined, into: Building): void => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const object = node as JsonObject;
    const { trust, labels, properties, items, additionalProperties, patternProperties } = object;
    if (typeof object.$ref === 'string') merge(into, referred(object.$ref), false);
    for (const key of ['anyOf', 'oneOf', 'allOf']) {
      const list = object[key];
      for (const alternative of Array.isArray(list) ? list : [])
        merge(into, below(alternative as Json), true);
    }
    if (isObject(properties)) {
      into.fields ??= new Map();
      for (const [name, child] of Object.entries(properties)) join(into.fields, name, below(child));
    }
    for (const child of isObject(patternProperties) ? Object.values(patternProperties) : [])
      into.others = joined(into.others, below(child));
    if (isObject(additionalProperties)) into.others = joined(into.others, below(additionalProperties));
    if (into.others !== undefined || additionalProperties !== undefined) into.fields ??= new Map();
    if (isObject(items)) into.items = joined(into.items, below(items));
    // A node's own word is nearer than that of its alternatives.
    if (trust === 'trusted' || trust === 'untrusted') into.trust = trust;
    if (Array.isArray(labels))
      into.labels = [
        ...new Set([...(into.labels ?? []), ...labels.filter((label) => typeof label === 'string')]),
      ];
  };
  const below = (node: Json): FieldAnnotations => {
    const building: Building = {};
    read(node, building);
    return building;
  };
  const referred = (ref: string): FieldAnnotations => {
    const known = refs.get(ref);
    if (known !== undefined) return known;
    const building: Building = {};
    refs.set(ref, building);
    read(follow(schema, ref), building);
    return building;
  };
  const root = below(schema);
  return [...nodesOf(root)].some((node) => node.trust !== undefined || node.labels !== undefined)
    ? root
    : null;
}

function join(fields: Map<string, FieldAnnotations>, name: string, annotation: FieldAnnotations): void {
  fields.set(name, joined(fields.get(name), annotation));
}

function joined(a: FieldAnnotations | undefined, b: FieldAnnotations): FieldAnnotations {
  if (a === undefined || a === b) return b;
  const into: Building = {};
  merge(into, a, true);
  merge(into, b, true);
  return into;
}

/** Takes `from` into `into`; of two words on trust the stricter stays. */
function merge(into: Building, from: FieldAnnotations, strict: boolean): void {
  if (from.trust !== undefined && !(strict && into.trust === 'untrusted')) into.trust = from.trust;
  if (from.labels !== undefined) into.labels = [...new Set([...(into.labels ?? []), ...from.labels])];
  for (const [name, annotation] of from.fields ?? []) {
    into.fields ??= new Map();
    join(into.fields, name, annotation);
  }
  if (from.fields !== undefined) into.fields ??= new Map();
  if (from.items !== undefined) into.items = joined(into.items, from.items);
  if (from.others !== undefined) into.others = joined(into.others, from.others);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function follow(root: Json, ref: string): Json | undefined {
  if (ref === '#') return root;
  let at: Json | undefined = ref.startsWith('#/') ? root : undefined;
  for (const part of ref.slice(2).split('/')) {
    at = isObject(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return at;
}
