import assert from 'node:assert/strict';
import { createHash, hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { chainState, digestJson, digestText, portableSha256, type Sha256, stateStart } from './digest.ts';

test('SHA-256 of the vectors of FIPS 180-4', () => {
  assert.equal(digestText('abc'), 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(digestText(''), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('the portable hash and the native one agree on all well-formed text', () => {
  const native: Sha256 = (text) => hash('sha256', text, 'hex');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const wellFormed = text.toWellFormed();
      assert.equal(portableSha256(wellFormed), native(wellFormed));
      assert.equal(digestText(wellFormed), digestText(wellFormed, native));
    }),
  );
});

test('equal values have equal digests whatever the order of their keys', () => {
  assert.equal(digestJson({ a: 1, b: [2] }), digestJson({ b: [2], a: 1 }));
  assert.notEqual(digestJson({ a: 1 }), digestJson({ a: '1' }));
});

test('a chain of states starts from the spec and depends on every change and its order', () => {
  const spec = digestText('spec');
  const chain = (start: string | null, ...changes: string[]) =>
    changes.reduce((previous, change) => chainState(previous, change), stateStart(start));
  const expected = createHash('sha256').update(`${spec}\n["x"]`).digest('hex');
  assert.equal(chain(spec, '["x"]'), `sha256:${expected}`);
  const all = [
    chain(null, 'a', 'b'),
    chain(null, 'b', 'a'),
    chain(spec, 'a', 'b'),
    chain(null, 'a'),
    chain(null),
  ];
  assert.equal(new Set(all).size, all.length);
});
