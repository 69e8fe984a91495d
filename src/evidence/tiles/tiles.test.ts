// The log as files: paths, tiles and bundles as C2SP tlog-tiles has them, and proofs that are made from files alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Frontier } from '../merkle/frontier.ts';
import { leafHash, sameHash } from '../merkle/hash.ts';
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../merkle/proof.ts';
import {
  decodeEntries,
  encodeEntries,
  encodeTile,
  hashesInTiles,
  newTiles,
  parseTilePath,
  TileMissing,
  tilePath,
} from './tiles.ts';

test('paths', () => {
  for (const [path, tile] of [
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/3/000.p/17', { level: 3, index: 0, width: 17 }],
    ['tile/entries/x001/000.p/1', { level: null, index: 1_000, width: 1 }],
  ] as const) {
    assert.equal(tilePath(tile), path);
    assert.deepEqual(parseTilePath(path), tile);
  }
  for (const path of [
    'tile/0/1',
    'tile/00/001',
    'tile/0/x000/001',
    'tile/0/001.p/0',
    'tile/0/001.p/256',
    'tile/64/000',
    'tile/0/../0',
    'tile/0/001.p/01',
  ])
    assert.equal(parseTilePath(path), null, path);
});

test('the tiles of 70,000 entries, as the standard counts them', () => {
  const tiles = newTiles(0, 70_000);
  const of = (level: number | null) => tiles.filter((tile) => tile.level === level);
  assert.deepEqual([of(0).length, of(0).at(-1)?.width, of(null).length], [274, 112, 274]);
  assert.deepEqual([of(1).length, of(1).at(-1)?.width], [2, 17]);
  assert.deepEqual(of(2), [{ level: 2, index: 0, width: 1 }]);
  assert.equal(of(3).length, 0);
});

test('law: a growing log writes exactly the tiles that are new, and proofs come out of the files', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
      fc.nat(),
      (steps, at) => {
        const files = new Map<string, Uint8Array>();
        const hashes = new Map<string, Uint8Array>();
        const frontier = new Frontier();
        const roots: [number, Uint8Array][] = [];
        const entries: Uint8Array[] = [];
        for (const step of steps) {
          const before = frontier.size;
          for (let i = 0; i < step; i++) {
            const entry = new TextEncoder().encode(`${before + i}`);
            entries.push(entry);
            for (const { level, index, hash } of frontier.append(leafHash(entry)))
              hashes.set(`${level}/${index}`, hash);
          }
          for (const tile of newTiles(before, frontier.size)) {
            const { level, index, width } = tile;
            assert.ok(!files.has(tilePath(tile)));
            files.set(
              tilePath(tile),
              level === null
                ? encodeEntries(entries.slice(index * 256, index * 256 + width))
                : encodeTile({ level, index, width }, (l, i) => hashes.get(`${l}/${i}`)!),
            );
          }
          roots.push([frontier.size, frontier.root()]);
        }
        const size = frontier.size;
        const read = hashesInTiles(size, (path) => files.get(path) ?? null);
        assert.ok(sameHash(rootOf(read, size), frontier.root()));
        const index = at % size;
        const leaf = leafHash(entries[index]!);
        assert.ok(
          verifyInclusion({
            index,
            size,
            leaf,
            proof: inclusionProof(read, index, size),
            root: frontier.root(),
          }),
        );
        for (const [from, fromRoot] of roots)
          assert.ok(
            verifyConsistency({
              from,
              to: size,
              proof: consistencyProof(read, from, size),
              fromRoot,
              toRoot: frontier.root(),
            }),
          );
      },
    ),
    { numRuns: 40 },
  );
});

test('law: bundles keep their entries, and nothing else is one', () => {
  const list = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(list, fc.nat(), (entries, cut) => {
      const bytes = encodeEntries(entries);
      assert.deepEqual(
        decodeEntries(bytes, entries.length)?.map((e) => [...e]),
        entries.map((e) => [...e]),
      );
      assert.equal(decodeEntries(bytes, entries.length + 1), null);
      if (bytes.length > 0)
        assert.equal(decodeEntries(bytes.subarray(0, cut % bytes.length), entries.length), null);
    }),
  );
  assert.throws(() => encodeEntries([new Uint8Array(65_536)]), RangeError);
});

test('a tile that is not there, or too short, is told', () => {
  assert.throws(() => hashesInTiles(10, () => null)(0, 3), new TileMissing('there is no tile/0/000.p/10'));
  assert.throws(() => hashesInTiles(10, () => new Uint8Array(64))(0, 3), TileMissing);
  assert.throws(() => hashesInTiles(10, () => new Uint8Array(640))(0, 10), TileMissing);
});
