// Trust and labels of the fields of a tool's output, as its contract's schema gives them. Pure.
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
export function annotationFor(annotations: FieldAnnotations | null, inherited: SourceInfo, path: string): SourceInfo {
  if (annotations === null && inherited.name === path) return inherited;
  const added = annotations?.labels?.filter((label) => !inherited.labels.includes(label)) ?? [];
  const trusted = annotations?.trust === undefined ? inherited.trusted : annotations.trust === 'trusted';
  return { name: path, trusted, labels: added.length === 0 ? inherited.labels : [...inherited.labels, ...added] };
}
