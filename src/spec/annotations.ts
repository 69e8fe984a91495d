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
  return {
    name: path,
    trusted,
    labels: added.length === 0 ? inherited.labels : [...inherited.labels, ...added],
  };
}

const MAX_DEPTH = 64;

/** Reads `trust` and `labels` at each node of a JSON Schema; null when it has none below. Local `$ref`s are followed. */
export function readAnnotations(schema: Json, root: Json = schema, depth = 0): FieldAnnotations | null {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema) || depth > MAX_DEPTH)
    return null;
  const node = schema as JsonObject;
  const ref = node.$ref;
  const target = typeof ref === 'string' && ref.startsWith('#/') ? follow(root, ref) : null;
  const referred = target === null ? null : readAnnotations(target, root, depth + 8);
  const below = (child: Json | undefined) =>
    child === undefined ? null : readAnnotations(child, root, depth + 1);
  const fields = new Map<string, FieldAnnotations>(referred?.fields ?? []);
  const properties = node.properties;
  if (typeof properties === 'object' && properties !== null && !Array.isArray(properties)) {
    for (const [name, child] of Object.entries(properties)) fields.set(name, below(child) ?? {});
  }
  let others =
    below(typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined) ??
    referred?.others;
  const items = below(node.items) ?? referred?.items;
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const alternatives = node[key];
    if (!Array.isArray(alternatives)) continue;
    for (const alternative of alternatives) {
      const inner = below(alternative as Json);
      for (const [name, annotation] of inner?.fields ?? [])
        if (!fields.has(name)) fields.set(name, annotation);
      others ??= inner?.others;
    }
  }
  const trust = node.trust === 'trusted' || node.trust === 'untrusted' ? node.trust : referred?.trust;
  const labels = Array.isArray(node.labels)
    ? node.labels.filter((label) => typeof label === 'string')
    : referred?.labels;
  const named = properties !== undefined || fields.size > 0 || node.additionalProperties !== undefined;
  return {
    ...(trust === undefined ? {} : { trust }),
    ...(labels === undefined ? {} : { labels }),
    ...(named ? { fields } : {}),
    ...(items === undefined ? {} : { items }),
    ...(others === undefined ? {} : { others }),
  };
}

function follow(root: Json, ref: string): Json | null {
  let at: Json | undefined = root;
  for (const part of ref.slice(2).split('/')) {
    at =
      typeof at === 'object' && at !== null && !Array.isArray(at)
        ? (at as JsonObject)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
        : undefined;
  }
  return at ?? null;
}
