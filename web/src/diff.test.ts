import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/step/types.ts';
import { diffJson } from './diff.ts';

test('each leaf is kept, changed, dropped or added, at its path', () => {
  const before = { to: 'a@x', body: 'card 4111', cc: ['b', 'c'], meta: { bcc: true } };
  const after = { to: 'a@x', body: 'card ····', cc: ['b'], meta: { bcc: true, masked: 1 } };
  assert.deepEqual(diffJson(before, after), [
    { kind: 'same', path: 'to', value: 'a@x' },
    { kind: 'changed', path: 'body', before: 'card 4111', after: 'card ····' },
    { kind: 'same', path: 'cc[0]', value: 'b' },
    { kind: 'removed', path: 'cc[1]', before: 'c' },
    { kind: 'same', path: 'meta.bcc', value: true },
    { kind: 'added', path: 'meta.masked', after: 1 },
  ]);
});

test('a value that changes its kind is one change', () => {
  assert.deepEqual(diffJson({ a: { b: 1 } }, { a: [1] }), [
    { kind: 'changed', path: 'a', before: { b: 1 }, after: [1] },
  ]);
  assert.deepEqual(diffJson({ a: { b: 1 } }, { a: {} }), [
    { kind: 'changed', path: 'a', before: { b: 1 }, after: {} },
  ]);
});

test('a value does not differ from itself', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(object, (value) => {
      const changes = diffJson(value as JsonObject, structuredClone(value) as JsonObject);
      assert.ok(changes.every((change) => change.kind === 'same'));
    }),
  );
});
