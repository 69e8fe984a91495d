// Where values were seen: an index from tokens and token pairs to sources, grown by each step's new content and asked
// at the cost of the value alone. The monitor's memory of data flow. Pure.
import { annotationFor, type FieldAnnotations } from '../spec/annotations.ts';
import type { OriginLookup, Ref, Sighting, SourceInfo } from '../spec/run.ts';
import { numberToken, tokenize } from '../step/normal-forms.ts';
import type { Json } from '../step/types.ts';

/** Keys one session may remember; past it origins answer "cannot say", which fails a `require`. */
export const MAX_KEYS = 2_000_000;
/** Sources one key may have; a commoner one is also `many`, which is untrusted. */
const MAX_SIGHTINGS = 64;
const MANY: SourceInfo = { name: 'many', trusted: false, labels: [] };
const MAX_PATH = 8;

/** Content waiting to be indexed: cheap to record, indexed before the first question. */
interface Pending {
  readonly ref: Ref;
  readonly base: SourceInfo;
  readonly content: Json;
  readonly annotations: FieldAnnotations | null;
}

export interface SavedOrigins {
  readonly sources: readonly SourceInfo[];
  readonly refs: readonly Ref[];
  /** Per key: alternating source and ref indices. */
  readonly keys: readonly (readonly [string, readonly number[]])[];
  readonly overflowed: boolean;
}

export class OriginIndex implements OriginLookup {
  readonly #keys = new Map<string, number[]>();
  readonly #sources: SourceInfo[] = [];
  readonly #sourceIds = new Map<string, number>();
  readonly #refs: Ref[] = [];
  #pending: Pending[] = [];
  #overflowed = false;

  /** Remembers content seen at `ref`. `annotations` give trust and labels per field of structured content. */
  add(ref: Ref, base: SourceInfo, content: Json, annotations: FieldAnnotations | null): void {
    this.#pending.push({ ref, base, content, annotations });
  }

  /** Indexes what waits. Called before each question, and by a live monitor at once so that questions stay cheap. */
  settle(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    for (const item of pending) {
      this.#refs.push(item.ref);
      this.#walk(item.content, item.base.name, item.base, item.annotations, 0);
    }
  }

  find(tokens: readonly string[]): readonly Sighting[] | null {
    this.settle();
    if (this.#overflowed) return null;
    let common: Map<number, number> | null = null;
    const steps = Math.max(1, tokens.length - 1);
    for (let i = 0; i < steps; i++) {
      const key = tokens.length === 1 ? tokens[0]! : pairKey(tokens[i]!, tokens[i + 1]!);
      const found = this.#keys.get(key);
      if (found === undefined) return [];
      const here = new Map<number, number>();
      for (let j = 0; j < found.length; j += 2) {
        if (common === null || common.has(found[j]!)) here.set(found[j]!, found[j + 1]!);
      }
      if (here.size === 0) return [];
      common = here;
    }
    return [...common!].map(([source, ref]) => ({ source: this.#sources[source]!, ref: this.#refs[ref]! }));
  }

  save(): SavedOrigins {
    this.settle();
    return {
      sources: [...this.#sources],
      refs: [...this.#refs],
      keys: [...this.#keys],
      overflowed: this.#overflowed,
    };
  }

  static load(saved: SavedOrigins): OriginIndex {
    const index = new OriginIndex();
    for (const source of saved.sources) index.#sourceId(source);
    for (const ref of saved.refs) index.#refs.push(ref);
    for (const [key, sightings] of saved.keys) index.#keys.set(key, [...sightings]);
    index.#overflowed = saved.overflowed;
    return index;
  }

  get size(): number {
    return this.#keys.size;
  }

  #walk(
    value: Json,
    path: string,
    inherited: SourceInfo,
    annotations: FieldAnnotations | null,
    depth: number,
  ): void {
    const annotation = annotationFor(annotations, inherited, path);
    if (typeof value === 'string') this.#index(tokenize(value), this.#sourceId(annotation));
    else if (typeof value === 'number') this.#put(numberToken(value), this.#sourceId(annotation));
    else if (Array.isArray(value)) {
      for (const item of value) this.#walk(item, path, annotation, annotations?.items ?? null, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const field = annotations?.fields?.get(key) ?? null;
        // A key that the contract does not name is data (a map from ids), not a field name.
        if (field === null && annotations?.fields !== undefined)
          this.#index(tokenize(key), this.#sourceId(annotation));
        const next = field ?? annotations?.others ?? null;
        this.#walk(item, depth < MAX_PATH ? `${path}.${key}` : path, annotation, next, depth + 1);
      }
    }
  }

  #index(tokens: readonly string[], source: number): void {
    for (let i = 0; i < tokens.length; i++) {
      this.#put(tokens[i]!, source);
      if (i + 1 < tokens.length) this.#put(pairKey(tokens[i]!, tokens[i + 1]!), source);
    }
  }

  #put(key: string, source: number): void {
    const ref = this.#refs.length - 1;
    const known = this.#keys.get(key);
    if (known === undefined) {
      if (this.#keys.size >= MAX_KEYS) this.#overflowed = true;
      else this.#keys.set(key, [source, ref]);
      return;
    }
    for (let i = 0; i < known.length; i += 2) if (known[i] === source) return;
    if (known.length < 2 * MAX_SIGHTINGS) known.push(source, ref);
    else if (known.length === 2 * MAX_SIGHTINGS) known.push(this.#sourceId(MANY), ref);
  }

  #sourceId(info: SourceInfo): number {
    const key = `${info.trusted ? 1 : 0}${info.name}\n${info.labels.join('\n')}`;
    let id = this.#sourceIds.get(key);
    if (id === undefined) {
      id = this.#sources.length;
      this.#sources.push(info);
      this.#sourceIds.set(key, id);
    }
    return id;
  }
}

function pairKey(a: string, b: string): string {
  return `${a} ${b}`;
}
