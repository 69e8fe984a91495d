// Where values were seen: an index from tokens and token pairs to sources, grown by each step's new content and asked
// at the cost of the value alone. The monitor's memory of data flow. Pure.
import { annotationFor, type FieldAnnotations, leastOf } from '../spec/annotations.ts';
import type { OriginLookup, Ref, Sighting, SourceInfo } from '../spec/run.ts';
import { canonicalize } from '../step/canonical.ts';
import { numberToken, rawChunks, tokenize } from '../step/normal-forms.ts';
import { parseStructure } from '../step/structure.ts';
import type { Json } from '../step/types.ts';

/** Tokens, and pairs of them, that one session may remember; past it origins answer "cannot say", which fails a `require`. */
export const MAX_KEYS = 2_000_000;
/** Sources one key may have; a commoner one is also `many`, which is untrusted. */
const MAX_SIGHTINGS = 64;
const MANY: SourceInfo = { name: 'many', trusted: false, labels: [] };
const MAX_PATH = 8;
/** Pairs are one number, first token's id times this plus the second's: exact below 2^53. */
const PAIR_BASE = 2 ** 26;

/** Content waiting to be indexed: cheap to record, indexed before the first question. */
interface Pending {
  readonly ref: Ref;
  readonly base: SourceInfo;
  readonly content: Json;
  readonly annotations: FieldAnnotations | null;
  /** The structured result that came with this text: text that says the same is not indexed again. */
  readonly beside: Json | undefined;
}

/** Where in a tool's output a value stands: its source, found once, and the places below it. */
interface Place {
  readonly info: SourceInfo;
  readonly id: number;
  readonly annotations: FieldAnnotations | null;
  readonly fields: Map<string, Place>;
  items: Place | null;
}

export interface SavedOrigins {
  readonly sources: readonly SourceInfo[];
  readonly refs: readonly Ref[];
  readonly tokens: readonly string[];
  /** By token: alternating source and ref indices. */
  readonly seen: readonly (readonly number[])[];
  /** Per pair: first token, second token, then alternating source and ref indices. */
  readonly pairs: readonly (readonly number[])[];
  readonly overflowed: boolean;
}

export class OriginIndex implements OriginLookup {
  readonly #tokenIds = new Map<string, number>();
  readonly #tokens: string[] = [];
  readonly #seen: number[][] = [];
  readonly #pairs = new Map<number, number[]>();
  readonly #sources: SourceInfo[] = [];
  readonly #sourceIds = new Map<string, number>();
  readonly #roots = new Map<string, Place>();
  readonly #refs: Ref[] = [];
  #pending: Pending[] = [];
  #overflowed = false;

  /** Remembers content seen at `ref`. `annotations` give trust and labels per field of structured content. */
  add(ref: Ref, base: SourceInfo, content: Json, annotations: FieldAnnotations | null, beside?: Json): void {
    this.#pending.push({ ref, base, content, annotations, beside });
  }

  /** Indexes what waits. Called before each question, and by a live monitor at once so that questions stay cheap. */
  settle(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    for (const { ref, base, content, annotations, beside } of pending) {
      if (beside !== undefined && typeof content === 'string' && saysTheSame(content, beside)) continue;
      this.#refs.push(ref);
      this.#walk(content, this.#root(base, annotations), 0);
    }
  }

  find(tokens: readonly string[]): readonly Sighting[] | null {
    this.settle();
    if (this.#overflowed) return null;
    const ids: number[] = [];
    for (const token of tokens) {
      const id = this.#tokenIds.get(token);
      if (id === undefined) return [];
      ids.push(id);
    }
    let common = ids.length === 1 ? this.#seen[ids[0]!]! : this.#pairs.get(ids[0]! * PAIR_BASE + ids[1]!);
    for (let i = 1; i + 1 < ids.length && common !== undefined; i++) {
      common = intersection(common, this.#pairs.get(ids[i]! * PAIR_BASE + ids[i + 1]!));
    }
    const found: Sighting[] = [];
    for (let i = 0; i < (common?.length ?? 0); i += 2) {
      found.push({ source: this.#sources[common![i]!]!, ref: this.#refs[common![i + 1]!]! });
    }
    return found;
  }

  save(): SavedOrigins {
    this.settle();
    return {
      sources: [...this.#sources],
      refs: [...this.#refs],
      tokens: [...this.#tokens],
      seen: this.#seen.map((sightings) => [...sightings]),
      pairs: [...this.#pairs].map(([pair, seen]) => [
        Math.floor(pair / PAIR_BASE),
        pair % PAIR_BASE,
        ...seen,
      ]),
      overflowed: this.#overflowed,
    };
  }

  static load(saved: SavedOrigins): OriginIndex {
    const index = new OriginIndex();
    for (const source of saved.sources) index.#sourceId(source);
    for (const ref of saved.refs) index.#refs.push(ref);
    saved.tokens.forEach((token, id) => {
      index.#tokenIds.set(token, id);
      index.#tokens.push(token);
      index.#seen.push([...saved.seen[id]!]);
    });
    for (const [first, second, ...seen] of saved.pairs) index.#pairs.set(first! * PAIR_BASE + second!, seen);
    index.#overflowed = saved.overflowed;
    return index;
  }

  get size(): number {
    return this.#tokens.length + this.#pairs.size;
  }

  #walk(value: Json, place: Place, depth: number): void {
    if (typeof value === 'string') this.#text(value, this.#scalarId(place));
    else if (typeof value === 'number')
      this.#sight(this.#seen[this.#tokenId(numberToken(value))], this.#scalarId(place));
    else if (Array.isArray(value)) {
      place.items ??= this.#below(place, place.info.name, place.annotations?.items);
      for (const item of value) this.#walk(item, place.items, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value))
        this.#walkField(key, (value as { [key: string]: Json })[key]!, place, depth);
    }
  }

  #walkField(key: string, value: Json, place: Place, depth: number): void {
    let below = place.fields.get(key);
    const annotated = place.annotations?.fields?.get(key);
    // A key that the contract does not name is data (a map from ids), not a field name.
    if (annotated === undefined) this.#text(key, place.id);
    if (below === undefined) {
      const path = depth < MAX_PATH ? `${place.info.name}.${key}` : place.info.name;
      below = this.#below(place, path, annotated ?? place.annotations?.others);
      if (place.fields.size < 1_000) place.fields.set(key, below);
    }
    this.#walk(value, below, depth + 1);
  }

  #root(base: SourceInfo, annotations: FieldAnnotations | null): Place {
    const key = `${sourceKey(base)}\n${annotations === null ? '' : 'structured'}`;
    let root = this.#roots.get(key);
    if (root === undefined) {
      root = this.#place(base.name, base, annotations);
      this.#roots.set(key, root);
    }
    return root;
  }

  /** A place the contract does not describe is as trusted as the least of what it does describe there. */
  #below(place: Place, path: string, annotations: FieldAnnotations | undefined): Place {
    if (annotations !== undefined || place.annotations === null)
      return this.#place(path, place.info, annotations ?? null);
    return this.#place(path, leastOf(place.annotations, place.info), null);
  }

  #place(path: string, inherited: SourceInfo, annotations: FieldAnnotations | null): Place {
    const info = annotationFor(annotations, inherited, path);
    return { info, id: this.#sourceId(info), annotations, fields: new Map(), items: null };
  }

  /** A scalar where the contract describes fields or items is not what it describes. */
  #scalarId(place: Place): number {
    const { annotations } = place;
    if (annotations === null || (annotations.fields === undefined && annotations.items === undefined))
      return place.id;
    return this.#sourceId(leastOf(annotations, place.info));
  }

  #text(text: string, source: number): void {
    this.#index(tokenize(text), source);
    for (const chunk of rawChunks(text)) this.#sight(this.#seen[this.#tokenId(chunk)], source);
  }

  #index(tokens: readonly string[], source: number): void {
    let before = -1;
    for (const token of tokens) {
      const id = this.#tokenId(token);
      if (id < 0) return;
      this.#sight(this.#seen[id], source);
      if (before >= 0) this.#sightPair(before * PAIR_BASE + id, source);
      before = id;
    }
  }

  /** The token's number, given on first sight; -1 when there is no room. */
  #tokenId(token: string): number {
    const known = this.#tokenIds.get(token);
    if (known !== undefined) return known;
    if (this.size >= MAX_KEYS) {
      this.#overflowed = true;
      return -1;
    }
    const id = this.#tokens.length;
    this.#tokenIds.set(token, id);
    this.#tokens.push(token);
    this.#seen.push([]);
    return id;
  }

  #sightPair(pair: number, source: number): void {
    const known = this.#pairs.get(pair);
    if (known !== undefined) this.#sight(known, source);
    else if (this.size >= MAX_KEYS) this.#overflowed = true;
    else this.#pairs.set(pair, [source, this.#refs.length - 1]);
  }

  #sight(known: number[] | undefined, source: number): void {
    if (known === undefined) return;
    for (let i = 0; i < known.length; i += 2) if (known[i] === source) return;
    const ref = this.#refs.length - 1;
    if (known.length < 2 * MAX_SIGHTINGS) known.push(source, ref);
    else if (known.length === 2 * MAX_SIGHTINGS) known.push(this.#sourceId(MANY), ref);
  }

  #sourceId(info: SourceInfo): number {
    const key = sourceKey(info);
    let id = this.#sourceIds.get(key);
    if (id === undefined) {
      id = this.#sources.length;
      this.#sources.push(info);
      this.#sourceIds.set(key, id);
    }
    return id;
  }
}

function saysTheSame(text: string, result: Json): boolean {
  const parsed = parseStructure(text);
  return parsed !== undefined && canonicalize(parsed) === canonicalize(result);
}

function sourceKey(info: SourceInfo): string {
  return `${info.trusted ? 1 : 0}${info.tool ?? ''}\n${info.name}\n${info.labels.join('\n')}`;
}

/** Sightings by sources that are in both, each with the later list's ref. */
function intersection(a: readonly number[], b: readonly number[] | undefined): number[] {
  const out: number[] = [];
  for (let i = 0; i < (b?.length ?? 0); i += 2) {
    for (let j = 0; j < a.length; j += 2) if (a[j] === b![i]) out.push(b![i]!, b![i + 1]!);
  }
  return out;
}
