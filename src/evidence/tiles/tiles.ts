// A log as files (C2SP tlog-tiles v0.1): tiles of 256 hashes, bundles of 256 entries, their paths, and hashes read out of them. Pure:
// who has the files hands them in.
import { HASH_BYTES, type HashBytes, nodeHash, portableHash } from '../merkle/hash.ts';
import type { ReadHash } from '../merkle/proof.ts';

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
export const ENTRY_BYTES_MAX = 65_535;
const LEVEL_MAX = 63;

/** Tile `index` of `level`, of which the first `width` of 256 hashes are there. `level` null: a bundle of entries. */
export interface Tile {
  readonly level: number | null;
  readonly index: number;
  readonly width: number;
}

/** `tile/0/x001/234`, with `.p/W` when it is not full; `tile/entries/…`. */
export function tilePath({ level, index, width }: Tile): string {
  const groups: string[] = [];
  for (let rest = index, last = true; last || rest > 0; rest = Math.floor(rest / 1000), last = false)
    groups.unshift(`${last ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`);
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`;
  return `tile/${level === null ? 'entries' : level}/${groups.join('/')}${partial}`;
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Null when the text is no path of a tile, or is not written in the one way there is. */
export function parseTilePath(path: string): Tile | null {
  const found = PATH.exec(path);
  if (found === null) return null;
  const [, level = '', groups = '', width] = found;
  const tile = {
    level: level === 'entries' ? null : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isTile = (tile.level ?? 0) <= LEVEL_MAX && tile.width <= TILE_WIDTH;
  return isTile && tilePath(tile) === path ? tile : null;
}

/** The tiles of a log of `size` entries that one of `before` did not have, entries too. */
export function newTiles(before: number, size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, old = before, now = size; now > 0; level++) {
    for (const kind of level === 0 ? [null, 0] : [level]) {
      for (let index = Math.floor(old / TILE_WIDTH); index * TILE_WIDTH < now; index++) {
        const width = Math.min(TILE_WIDTH, now - index * TILE_WIDTH);
        if (index * TILE_WIDTH + width > old) tiles.push({ level: kind, index, width });
      }
    }
    old = Math.floor(old / TILE_WIDTH);
    now = Math.floor(now / TILE_WIDTH);
  }
  return tiles;
}

/** The hashes of a tile, from left to right. */
export function encodeTile(tile: Tile & { readonly level: number }, read: ReadHash): Uint8Array {
  const out = new Uint8Array(tile.width * HASH_BYTES);
  for (let i = 0; i < tile.width; i++)
    out.set(read(tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH + i), i * HASH_BYTES);
  return out;
}

/** Each entry after its length, two bytes, the higher first. Throws `RangeError` for one that is too long. */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(entries.reduce((sum, { length }) => sum + length + 2, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX)
      throw new RangeError(`an entry is ${entry.length} bytes; at most ${ENTRY_BYTES_MAX}`);
    out.set([entry.length >> 8, entry.length & 0xff], at);
    out.set(entry, at + 2);
    at += entry.length + 2;
  }
  return out;
}

/** Null unless the bytes are exactly `width` entries. */
export function decodeEntries(bytes: Uint8Array, width: number): Uint8Array[] | null {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bytes.length && entries.length < width) {
    const length = bytes[at]! * 256 + bytes[at + 1]!;
    if (at + 2 + length > bytes.length) return null;
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += length + 2;
  }
  return at === bytes.length && entries.length === width ? entries : null;
}

/** A tile is not there, or has not the size that its path says. */
export class TileMissing extends Error {}

/**
 * Hashes of whole subtrees of a log of `size` entries out of its tiles. `file` gives what stands at a path, or null; a tile that is not
 * full may also be read from the full one.
 */
export function hashesInTiles(
  size: number,
  file: (path: string) => Uint8Array | null,
  hash: HashBytes = portableHash,
): ReadHash {
  function tileOf(level: number, index: number): Uint8Array {
    const inLevel = Math.floor(size / TILE_WIDTH ** level);
    const width = Math.min(TILE_WIDTH, inLevel - index * TILE_WIDTH);
    const path = tilePath({ level, index, width });
    const whole = width === TILE_WIDTH ? path : tilePath({ level, index, width: TILE_WIDTH });
    const bytes = width > 0 ? (file(path) ?? file(whole)) : null;
    if (bytes === null) throw new TileMissing(`there is no ${path}`);
    if (bytes.length < width * HASH_BYTES || bytes.length % HASH_BYTES !== 0)
      throw new TileMissing(`${path} is ${bytes.length} bytes`);
    return bytes.subarray(0, width * HASH_BYTES);
  }
  return (level, index) => {
    const row = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level - row * TILE_HEIGHT);
    const first = index * count;
    const tile = tileOf(row, Math.floor(first / TILE_WIDTH));
    const from = first % TILE_WIDTH;
    let hashes = Array.from({ length: count }, (_, i) => {
      const at = (from + i) * HASH_BYTES;
      if (at + HASH_BYTES > tile.length)
        throw new TileMissing(`level ${row}: hash ${first + i} is not there`);
      return tile.subarray(at, at + HASH_BYTES);
    });
    while (hashes.length > 1)
      hashes = Array.from({ length: hashes.length / 2 }, (_, i) =>
        nodeHash(hashes[2 * i]!, hashes[2 * i + 1]!, hash),
      );
    return hashes[0]!;
  };
}
