import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../step/types.ts';
import { RE2 } from '../engines/re2.ts';
import { compileSchema } from './schema.ts';
import { showType } from './type.ts';

const compiled = (schema: Json, where: string) => compileSchema(schema, where, { patterns: RE2 });

const schemas: fc.Arbitrary<JsonObject> = fc.letrec<{ node: JsonObject; leaf: JsonObject }>((tie) => ({
  leaf: fc.oneof(
    fc.constant({}),
    fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null') }),
    fc.record({
      type: fc.constant('string'),
      minLength: fc.integer({ min: 0, max: 3 }),
      maxLength: fc.integer({ min: 0, max: 4 }),
    }),
    fc.record({
      minimum: fc.integer({ min: -3, max: 3 }),
      exclusiveMaximum: fc.integer({ min: -3, max: 5 }),
    }),
    fc.record({
      enum: fc.uniqueArray(fc.constantFrom<Json>(1, 'a', null, true, 2.5), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ const: fc.constantFrom<Json>(1, 'a', null, { a: 1 }, [1]) }),
    fc.record({ type: fc.constant('string'), pattern: fc.constantFrom('^a', 'b$', '^[ab]+$') }),
    fc.record({ multipleOf: fc.constantFrom(1, 2, 0.5) }),
    fc.record({ $ref: fc.constantFrom('#/$defs/text', '#/$defs/tree') }),
    fc.record({ enum: fc.constant<Json[]>([{ a: 1, b: [2] }, ['a', 'b'], [], {}]) }),
    fc.record({ type: fc.uniqueArray(fc.constantFrom('string', 'integer', 'null'), { minLength: 1 }) }),
  ),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')),
        required: fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie('leaf')),
        maxProperties: fc.integer({ min: 0, max: 3 }),
        minProperties: fc.integer({ min: 0, max: 2 }),
        patternProperties: fc.dictionary(fc.constantFrom('^a', 'c$'), tie('leaf'), { maxKeys: 1 }),
        propertyNames: fc.record({ maxLength: fc.integer({ min: 0, max: 1 }) }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constant('array'),
        items: tie('node'),
        prefixItems: fc.array(tie('leaf'), { minLength: 1, maxLength: 2 }),
        minItems: fc.integer({ min: 0, max: 2 }),
        maxItems: fc.integer({ min: 0, max: 2 }),
        uniqueItems: fc.boolean(),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({ anyOf: fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node as fc.Arbitrary<JsonObject>;

const scalars = fc.oneof(
  fc.constantFrom<Json>('a', 'ab', '', null, true, 1, 2.5, -3, '😀b'),
  fc.integer({ min: -4, max: 6 }),
);
const values: fc.Arbitrary<Json> = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 3 }),
  fc.array(fc.constantFrom<Json>({ a: 1, b: [2] }, { b: [2], a: 1 }, { a: 1 }, ['a', 'b'], [], 0), {
    maxLength: 2,
  }),
  fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.oneof(
      scalars,
      fc.array(scalars, { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'b'), scalars, { noNullPrototype: true }),
    ),
    // Ajv tells objects of different prototypes apart; JSON has no prototypes.
    { noNullPrototype: true },
  ),
);

const DEFS: JsonObject = {
  text: { type: 'string', minLength: 1 },
  tree: { anyOf: [{ type: 'number' }, { type: 'object', additionalProperties: { $ref: '#/$defs/tree' } }] },
};

test('law: a value is valid exactly when Ajv says so', () => {
  fc.assert(
    fc.property(schemas, fc.array(values, { minLength: 1, maxLength: 5 }), (node, all) => {
      const schema = { ...node, $defs: DEFS };
      const theirs = new Ajv2020({ strict: false, logger: false }).compile(schema);
      const ours = compiled(schema, 'test');
      assert.deepEqual(ours.problems, []);
      for (const value of all) {
        const violations = ours.validate(value);
        assert.equal(
          violations === null,
          theirs(value),
          `${JSON.stringify(schema)} of ${JSON.stringify(value)}`,
        );
        if (violations !== null) assert.ok(violations.length > 0);
      }
    }),
    { numRuns: 300 },
  );
});

test('formats agree with ajv-formats on plain and odd texts', () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const texts = [
    '2026-02-28',
    '2026-02-30',
    '2024-02-29',
    '2026-1-1',
    '2026-05-30T10:20:00Z',
    '2026-05-30T10:20:00.5+02:00',
    '2026-05-30 10:20',
    'a@b.example',
    'a@b',
    '@b',
    'a b@c.example',
    'https://x.example/a',
    'x',
    '10.0.0.1',
    '10.0.0.256',
    '01.0.0.1',
    '9b2f1c1e-58cc-4b2e-9a3f-0c9d1b5f6a77',
    '9b2f1c1e58cc4b2e9a3f0c9d1b5f6a77',
  ];
  for (const format of ['date', 'date-time', 'email', 'uri', 'ipv4', 'uuid']) {
    const theirs = ajv.compile({ type: 'string', format });
    const ours = compiled({ type: 'string', format }, 'test');
    for (const text of texts)
      assert.equal(ours.validate(text) === null, theirs(text), `${format} of ${text}`);
  }
});

test('violations say where, what was expected and what was found', () => {
  const schema = compiled(
    {
      type: 'object',
      additionalProperties: false,
      required: ['amount'],
      properties: {
        amount: { type: 'number', maximum: 5 },
        lines: { type: 'array', items: { type: 'string' } },
      },
    },
    'pay.input',
  );
  assert.deepEqual(schema.validate({ amount: 6, lines: ['a', 1] }), [
    { path: '/amount', expected: 'at most 5', found: '6' },
    { path: '/lines/1', expected: 'string', found: '1' },
  ]);
  assert.equal(schema.validate({ amont: 1 })?.at(-1)?.expected, 'no such field (did you mean amount?)');
});

test('a wrong schema is a problem with a suggestion, never an exception', () => {
  const problemsOf = (schema: Json) =>
    compiled(schema, 'tool.input').problems.map((problem) =>
      `${problem.path}: ${problem.message} ${problem.suggestion ?? ''}`.trim(),
    );
  assert.deepEqual(problemsOf({ typ: 'object' }), ['tool.input: unknown schema keyword `typ` type']);
  assert.match(problemsOf({ type: 'strng' })[0]!, /string/);
  assert.match(problemsOf({ pattern: '(a' })[0]!, /RE2/);
  assert.match(problemsOf({ $ref: '#/$defs/none' })[0]!, /names nothing/);
  assert.match(problemsOf(5)[0]!, /a schema is/);
  let deep: Json = {};
  for (let i = 0; i < 200; i++) deep = { items: deep };
  assert.match(problemsOf(deep)[0]!, /deeper/);
});

test('recursion through $ref ends, and hostile patterns take linear time', () => {
  const tree = compiled(
    {
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
      $ref: '#/$defs/node',
    },
    'tree',
  );
  assert.equal(tree.validate({ next: { next: {} } }), null);
  assert.notEqual(tree.validate({ next: { next: 1 } }), null);
  let deep: Json = {};
  for (let i = 0; i < 5_000; i++) deep = { next: deep };
  assert.notEqual(tree.validate(deep), null);
  const hostile = compiled({ type: 'string', pattern: '^(a+)+$' }, 'hostile');
  assert.notEqual(hostile.validate(`${'a'.repeat(5_000)}!`), null);
});

test('a keyword whose value has the wrong form is a problem, never skipped in silence', () => {
  const wrong: readonly (readonly [JsonObject, RegExp])[] = [
    [{ required: 'amount' }, /`required` must be a list of texts/],
    [{ properties: [] }, /`properties` must be an object of schemas/],
    [{ anyOf: {} }, /`anyOf` must be a list of at least one schema/],
    [{ pattern: 5 }, /`pattern` must be a text/],
    [{ minItems: '3' }, /`minItems` must be a whole number/],
    [{ multipleOf: 0 }, /`multipleOf` must be a number above 0/],
    [{ uniqueItems: 'yes' }, /`uniqueItems` must be true or false/],
    [{ enum: [] }, /`enum` must be a list of at least one value/],
    [{ labels: 'secret' }, /`labels` must be a list of texts/],
    [{ if: {} }, /`if` is not supported/],
    [{ $defs: { unused: { typ: 'string' } } }, /unknown schema keyword `typ`/],
  ];
  for (const [schema, message] of wrong) {
    const { problems } = compiled(schema, 't');
    assert.equal(problems.length, 1, JSON.stringify(schema));
    assert.match(problems[0]!.message, message);
  }
  const [problem] = compiled({ properties: { note: { trust: 'untrustd' } } }, 'read.output').problems;
  assert.deepEqual([problem?.path, problem?.suggestion], ['read.output.note', 'untrusted']);
});

test('work is bounded, and what could not be checked is not called valid', () => {
  const leaf: JsonObject = { properties: { next: { $ref: '#/$defs/node' } } };
  const deny: JsonObject = { ...leaf, not: { required: ['end'] } };
  const schema = compiled({ $defs: { node: { anyOf: [deny, { ...deny }] } }, $ref: '#/$defs/node' }, 'bomb');
  let bomb: Json = { end: 1 };
  for (let i = 0; i < 30; i++) bomb = { next: bomb };
  assert.match(schema.validate(bomb)![0]!.expected, /checks can judge/);
  const negated = compiled(
    { $defs: { node: { anyOf: [deny, { ...deny }] } }, not: { $ref: '#/$defs/node' } },
    'not',
  );
  assert.match(negated.validate(bomb)!.at(-1)!.expected, /checks can judge/);
  assert.equal(schema.validate({ next: {} }), null, 'the next validation starts afresh');
  // Quadratic before: every pair of items compared, and an edit distance for every unknown key.
  const many = Array.from({ length: 50_000 }, (_, i) => ({ i }));
  assert.equal(compiled({ uniqueItems: true }, 't').validate(many), null);
  const closed = compiled({ additionalProperties: false, properties: { amount: {} } }, 't');
  const unknown = Object.fromEntries(many.map(({ i }) => [`amont${i}`, 1]));
  assert.equal(closed.validate(unknown)?.length, 10);
});

test('fields of combined schemas are known, and a name that a pattern allows is never unknown', () => {
  const fieldsOf = (schema: Json) => {
    const { type } = compiled(schema, 't');
    return type.t === 'object'
      ? [...type.fields].map(([name, field]) => `${name}: ${showType(field.type)}`)
      : type.t;
  };
  const text: JsonObject = { type: 'string' };
  assert.deepEqual(
    fieldsOf({ properties: { a: text }, allOf: [{ properties: { b: { type: 'number' } } }] }),
    ['a: string', 'b: number'],
  );
  assert.deepEqual(
    fieldsOf({ $ref: '#/$defs/x', properties: { a: text }, $defs: { x: { properties: { b: text } } } }),
    ['a: string', 'b: string'],
  );
  const closed = { additionalProperties: false };
  assert.deepEqual(
    fieldsOf({
      oneOf: [
        { ...closed, properties: { a: text, k: text } },
        { ...closed, properties: { k: { type: 'number' } } },
      ],
    }),
    ['a: string', 'k: any value'],
  );
  assert.deepEqual(fieldsOf({ anyOf: [{ properties: { a: text } }, { required: ['b'] }] }), ['a: any value']);
  assert.equal(fieldsOf({ ...closed, properties: { aa: text }, patternProperties: { '^ab': text } }), 'map');
});

test('static types: JSON numbers are numbers, an optional null does not hide the type', () => {
  const of = (schema: Json) => showType(compiled(schema, 't').type);
  assert.equal(of({ type: 'integer' }), 'number');
  assert.equal(of({ anyOf: [{ type: 'string' }, { type: 'null' }] }), 'string');
  assert.equal(of({ type: ['array', 'null'], items: { type: 'string' } }), 'list of string');
  assert.equal(of({}), 'any value');
});
