import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hash53, IdSet } from './ids.ts';

test('a set finds every place of a hash, colliding ones too', () => {
  const hash = fc.oneof(fc.nat(20), fc.string().map(hash53));
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 300 }), hash, (hashes, other) => {
      const set = new IdSet();
      for (const hash of hashes) set.add(hash);
      assert.equal(set.count, hashes.length);
      for (const wanted of [...hashes, other]) {
        const expected = hashes.flatMap((hash, seq) => (hash === wanted ? [seq] : []));
        assert.deepEqual(
          set.find(wanted).sort((a, b) => a - b),
          expected,
        );
      }
    }),
  );
});

test('hashes are safe integers and rarely equal', () => {
  const hashes = new Set<number>();
  for (let i = 0; i < 100_000; i++) hashes.add(hash53(`step-${i}`));
  assert.equal(hashes.size, 100_000);
  for (const hash of hashes) assert.ok(Number.isSafeInteger(hash) && hash >= 0);
});
