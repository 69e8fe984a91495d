// JSON in text, flattened keys, names and messages: the small readers every dialect uses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JSON_DEPTH_MAX, toJson } from '../../step/json.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { isExact } from './exact.ts';
import { gather, unwrapJson, unwrapStructure } from './json-text.ts';
import { askedBy, textOf } from './messages.ts';
import { idOf, nameOf } from './names.ts';
import { compileSource } from './sources.ts';

test('JSON in text is parsed once, other text stays', () => {
  assert.deepEqual(unwrapJson('{"a": "{}"}'), { a: '{}' });
  assert.equal(unwrapJson('sunny'), 'sunny');
  assert.equal(unwrapJson('{"a": '), '{"a": ');
  assert.equal(unwrapJson('42'), 42);
  assert.equal(unwrapStructure('42'), '42');
  assert.deepEqual(unwrapJson(['{"role":"user"}', 'x']), [{ role: 'user' }, 'x']);
});

test('JSON that a step cannot hold exactly stays text', () => {
  const rounded = '{"id": 12345678901234567890}';
  assert.equal(unwrapJson(rounded), rounded);
  const deep = '['.repeat(100) + ']'.repeat(100);
  assert.equal(unwrapJson(deep), deep);
});

test('what is exact is what a step takes', () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(2 ** 53, -(2 ** 53), 1e300, -0, 0.1));
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\ud800', null, true),
      number,
      fc.array(tie('value') as fc.Arbitrary<Json>, { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant('\udc00')), tie('value') as fc.Arbitrary<Json>),
    ),
  }));
  fc.assert(
    fc.property(value, (json) => assert.equal(isExact(json), toJson(json).ok)),
    { numRuns: 500 },
  );
  for (const levels of [JSON_DEPTH_MAX - 1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1]) {
    let nested: Json = 'x';
    for (let i = 0; i < levels; i++) nested = i % 2 === 0 ? [nested] : { a: nested };
    assert.equal(isExact(nested), toJson(nested).ok, `${levels} levels`);
  }
});

test('indexed keys become lists in order of their index, whatever the gaps', () => {
  const attributes = {
    'm.10.role': 'b',
    'm.2.role': 'a',
    'm.2.calls.0.name': 'f',
    'm.999999999.role': 'c',
    other: 1,
  };
  assert.deepEqual(gather(attributes, 'm.'), [
    { role: 'a', calls: [{ name: 'f' }] },
    { role: 'b' },
    { role: 'c' },
  ]);
  assert.equal(gather(attributes, 'absent.'), undefined);
});

test('a key that is both a value and a prefix keeps both', () => {
  assert.deepEqual(gather({ 'p.a': 1, 'p.a.b': 2 }, 'p.'), { a: { '': 1, b: 2 } });
  assert.deepEqual(gather({ 'p.a.b': 2, 'p.a': 1 }, 'p.'), { a: { '': 1, b: 2 } });
});

test('gathering any keys never fails and never changes a prototype', () => {
  const part = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', '0', '1', '', 'role'),
    fc.string({ maxLength: 3 }),
  );
  const key = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => `p.${parts.join('.')}`);
  fc.assert(
    fc.property(fc.dictionary(key, fc.integer()), (attributes) => {
      const gathered = gather(attributes as JsonObject, 'p.');
      assert.doesNotThrow(() => JSON.stringify(gathered));
      assert.equal(({} as Record<string, unknown>).role, undefined);
    }),
  );
});

test('each form of source reads what it says', () => {
  const read = (source: string, attributes: JsonObject, name = '') => compileSource(source)(attributes, name);
  assert.equal(read('a.b', { 'a.b': 1 }), 1);
  assert.equal(read('a.b', { 'a.b': '' }), undefined);
  assert.deepEqual(read('m.*', { 'm.0.message.role': 'user' }), [{ role: 'user' }]);
  assert.deepEqual(read('r.{x,y}', { 'r.y': '[1]', 'r.z': 2 }), { y: [1] });
  assert.equal(read('metadata#thread_id', { metadata: '{"thread_id":"t"}' }), 't');
  assert.equal(read('metadata#thread_id', { metadata: 'not json' }), undefined);
  assert.equal(read('name:agent_run [*]', {}, 'agent_run [guide]'), 'guide');
  assert.equal(read('name:* run', {}, 'joke_agent run'), 'joke_agent');
  assert.equal(read('name:* run', {}, ' run'), undefined);
  assert.equal(read('name:*', {}, ''), undefined);
});

test('names fit a step; long ids end in their digest and stay apart', () => {
  assert.equal(nameOf(' look\nup '), 'look up');
  assert.equal(nameOf('x'.repeat(500))!.length, 200);
  assert.equal(nameOf('\u0000'), undefined);
  assert.equal(nameOf(7), '7');
  const [a, b] = [idOf(`${'x'.repeat(400)}a`)!, idOf(`${'x'.repeat(400)}b`)!];
  assert.deepEqual([a.length, b.length, a === b], [200, 200, false]);
  assert.equal(idOf('s-1'), 's-1');
  assert.notEqual(idOf('s\u0001'), idOf('s\u0002'));
});

test('the text of messages in the shapes dialects write', () => {
  assert.equal(textOf('plain'), 'plain');
  assert.equal(textOf([{ role: 'assistant', content: 'a' }, { content: 'b' }]), 'a\nb');
  assert.equal(
    textOf({
      parts: [
        { type: 'reasoning', content: 'hm' },
        { type: 'text', content: 'x' },
      ],
    }),
    'x',
  );
  assert.equal(textOf({ contents: [{ type: 'text', text: 'y' }] }), 'y');
  assert.equal(textOf([{ parts: [{ type: 'tool_call', name: 'f', arguments: {} }] }]), '');
});

test('what the user asked last', () => {
  const history = [
    { role: 'user', content: 'first' },
    { role: 'assistant', content: 'x' },
    { role: 'user', content: 'second' },
    { role: 'user', parts: [{ type: 'tool_call_response', result: 'y' }] },
  ];
  assert.equal(askedBy(history), 'second');
  assert.equal(askedBy({ system: 's', prompt: 'p' }), 'p');
  assert.equal(askedBy({ new_message: { role: 'user', parts: [{ text: 'hi' }] } }), 'hi');
  assert.equal(askedBy([{ role: 'system', content: 's' }]), '');
});
