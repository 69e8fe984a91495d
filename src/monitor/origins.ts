// Where values were seen: an index from tokens and token pairs to sources, grown by each step's new content and asked
// at the cost of the value alone. The monitor's memory of data flow. Pure.
import { annotationFor, type FieldAnnotations, leastOf } from '../spec/annotations.ts';
import type { OriginLookup, Ref, Sighting, SourceInfo } from '../spec/run.ts';
import { canonicalize } from '../step/canonical.ts';
import { numberToken, rawChunks, tokenize } from '../step/normal-forms.ts';
import { parseStructure } from '../step/structure.ts';
import type { Json, StepKind } from '../step/types.ts';
import {
  inBoth,
  listOf,
  loadPairs,
  loadSeen,
  MAX_REFS,
  refOf,
  type SavedRun,
  type Sightings,
  savePairs,
  saveSeen,
  seenToo,
  sighting,
  sourceOf,
} from './sightings.ts';

/** Tokens, and pairs of them, that one session may remember; past it origins answer "cannot say", which fails a `require`. */
export const MAX_KEYS = 2_000_000;
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
  fields: Map<string, Place> | null;
  items: Place | null;
}

export interface SavedOrigins {
  readonly sources: readonly SavedSource[];
  readonly refs: readonly (readonly [seq: number, id: string, kind: StepKind, name: string])[];
  readonly tokens: readonly string[];
  readonly seen: readonly SavedRun[];
  readonly pairs: readonly SavedRun[];
  readonly overflowed: boolean;
}
/** Of a tool, the name is what follows `tool:` and the tool's own. */
type SavedSource = readonly [tool: string | null, name: string, trusted: 0 | 1, ...labels: string[]];

export class OriginIndex implements OriginLookup {
  /** Numbered in the order in which they stand here. */
  readonly #tokenIds = new Map<string, number>();
  /** By token. */
  #seen: Sightings[] = [];
  #pairs = new Map<number, Sightings>();
  readonly #sources: SourceInfo[] = [];
  /** By name: the numbers of the sources that have it. */
  readonly #sourceIds = new Map<string, number | number[]>();
  /** Of the content that is being indexed; between steps a session keeps none. */
  #roots: Map<string, Place> | null = null;
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
      if (this.#refs.length >= MAX_REFS) {
        this.#overflowed = true;
        return;
      }
      this.#refs.push(ref);
      this.#walk(content, this.#root(base, annotations), 0);
    }
    this.#roots = null;
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
      common = inBoth(common, this.#pairs.get(ids[i]! * PAIR_BASE + ids[i + 1]!));
    }
    if (common === undefined) return [];
    return listOf(common).map((one) => ({
      source: this.#sources[sourceOf(one)]!,
      ref: this.#refs[refOf(one)]!,
    }));
  }

  save(): SavedOrigins {
    this.settle();
    return {
      sources: this.#sources.map(({ name, tool, trusted, labels }) => [
        tool ?? null,
        tool === undefined ? name : name.slice(`tool:${tool}`.length),
        trusted ? 1 : 0,
        ...labels,
      ]),
      refs: this.#refs.map(({ seq, id, kind, name }) => [seq, id, kind, name]),
      tokens: [...this.#tokenIds.keys()],
      seen: saveSeen(this.#seen),
      pairs: savePairs(this.#pairs, PAIR_BASE),
      overflowed: this.#overflowed,
    };
  }

  static load(saved: SavedOrigins): OriginIndex {
    const index = new OriginIndex();
    for (const [tool, name, trusted, ...labels] of saved.sources) {
      const info = { trusted: trusted === 1, labels };
      index.#sourceId(tool === null ? { ...info, name } : { ...info, name: `tool:${tool}${name}`, tool });
    }
    for (const [seq, id, kind, name] of saved.refs) index.#refs.push({ seq, id, kind, name });
    saved.tokens.forEach((token, id) => {
      index.#tokenIds.set(token, id);
    });
    index.#seen = loadSeen(saved.seen);
    index.#pairs = loadPairs(saved.pairs, PAIR_BASE);
    index.#overflowed = saved.overflowed;
    return index;
  }

  get size(): number {
    return this.#tokenIds.size + this.#pairs.size;
  }

  #walk(value: Json, place: Place, depth: number): void {
    if (typeof value === 'string') this.#text(value, this.#scalarId(place));
    else if (typeof value === 'number') this.#sight(this.#tokenId(numberToken(value)), this.#scalarId(place));
    else if (Array.isArray(value)) {
      place.items ??= this.#below(place, place.info.name, place.annotations?.items);
      for (const item of value) this.#walk(item, place.items, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value))
        this.#walkField(key, (value as { [key: string]: Json })[key]!, place, depth);
    }
  }

  #walkField(key: string, value: Json, place: Place, depth: number): void {
    let below = place.fields?.get(key);
    const annotated = place.annotations?.fields?.get(key);
    // A key that the contract does not name is data (a map from ids), not a field name.
    if (annotated === undefined) this.#text(key, place.id);
    if (below === undefined) {
      const path = depth < MAX_PATH ? `${place.info.name}.${key}` : place.info.name;
      below = this.#below(place, path, annotated ?? place.annotations?.others);
      place.fields ??= new Map();
      if (place.fields.size < 1_000) place.fields.set(key, below);
    }
    this.#walk(value, below, depth + 1);
  }

  #root(base: SourceInfo, annotations: FieldAnnotations | null): Place {
    const key = `${sourceKey(base)}\n${annotations === null ? '' : 'structured'}`;
    this.#roots ??= new Map();
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
    return { info, id: this.#sourceId(info), annotations, fields: null, items: null };
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
    for (const chunk of rawChunks(text)) this.#sight(this.#tokenId(chunk), source);
  }

  #index(tokens: readonly string[], source: number): void {
    let before = -1;
    for (const token of tokens) {
      const id = this.#tokenId(token);
      if (id < 0) return;
      this.#sight(id, source);
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
    const id = this.#tokenIds.size;
    this.#tokenIds.set(token, id);
    return id;
  }

  #sightPair(pair: number, source: number): void {
    const known = this.#pairs.get(pair);
    if (known === undefined && this.size >= MAX_KEYS) this.#overflowed = true;
    else if (known === undefined) this.#pairs.set(pair, sighting(source, this.#refs.length - 1));
    else {
      const now = seenToo(known, source, this.#refs.length - 1, this);
      if (now !== known) this.#pairs.set(pair, now);
    }
  }

  /** A token's number is below the number of tokens, or -1. */
  #sight(token: number, source: number): void {
    if (token < 0) return;
    this.#seen[token] = seenToo(this.#seen[token], source, this.#refs.length - 1, this);
  }

  /** The source that stands for all beyond the bound. */
  many(): number {
    return this.#sourceId(MANY);
  }

  #sourceId(info: SourceInfo): number {
    const known = this.#sourceIds.get(info.name);
    const ids = known === undefined ? [] : typeof known === 'number' ? [known] : known;
    for (const id of ids) if (isSameSource(this.#sources[id]!, info)) return id;
    const id = this.#sources.length;
    this.#sources.push(info);
    this.#sourceIds.set(info.name, known === undefined ? id : [...ids, id]);
    return id;
  }
}

function isSameSource(a: SourceInfo, b: SourceInfo): boolean {
  if (a.trusted !== b.trusted || a.tool !== b.tool || a.labels.length !== b.labels.length) return false;
  return a.labels.every((label, i) => label === b.labels[i]);
}

function saysTheSame(text: string, result: Json): boolean {
  const parsed = parseStructure(text);
  return parsed !== undefined && canonicalize(parsed) === canonicalize(result);
}

function sourceKey(info: SourceInfo): string {
  return `${info.trusted ? 1 : 0}${info.tool ?? ''}\n${info.name}\n${info.labels.join('\n')}`;
}
