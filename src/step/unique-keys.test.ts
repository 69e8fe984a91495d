import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { repeatedKey } from './unique-keys.ts';

test('names a key that stands twice in one object, however it is written', () => {
  const cases: [text: string, found: string | null][] = [
    ['{"a":1,"a":2}', 'a'],
    ['{"a":{"b":1},"c":[{"b":1},{"b":2,"\\u0062" :3}]}', 'b'],
    ['{"a":"a","b":["a","a",":"]}', null],
    ['{"a":"\\":{","b":1}', null],
    ['{"A":1,"a":2}', null],
    ['["a","a"]', null],
    ['"a"', null],
  ];
  for (const [text, found] of cases) assert.equal(repeatedKey(text), found, text);
});

test('down to a depth, case makes no difference', () => {
  assert.equal(repeatedKey('{"A":1,"a":2}', 1), 'a');
  assert.equal(repeatedKey('{"p":{"A":1,"a":2}}', 1), null);
  assert.equal(repeatedKey('{"p":{"A":1,"a":2}}', 2), 'a');
});

test('finds nothing in what JSON.stringify writes, and finds a member that is added again', () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), (text, key) => {
      assert.equal(repeatedKey(text), null);
      const member = `${JSON.stringify(key)}:${text}`;
      assert.equal(repeatedKey(`{${member}}`), null);
      assert.equal(repeatedKey(`[{${member}, ${member}}]`), key);
    }),
  );
});
