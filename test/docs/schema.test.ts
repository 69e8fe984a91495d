// The JSON Schema for editors accepts what the reader accepts, refuses what it refuses as far as a schema can, and knows
// exactly the reader's keys.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { compileSpec } from '../../src/spec/index.ts';
import { PATTERN_WORDS } from '../../src/spec/pattern.ts';
import { STEP_KINDS } from '../../src/step/types.ts';
import { FOLDER } from './cookbook-page.ts';
import { knownKeys } from './known-keys.ts';
import { blocksOf, fileName } from './run-page.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: unknown;
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
}
const schema = JSON.parse(readFileSync(join(ROOT, 'schema/spec.schema.json'), 'utf8')) as Schema;
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema as Record<string, unknown>);

function at(...path: readonly string[]): Schema {
  let found: unknown = schema;
  for (const step of path) found = (found as Record<string, unknown>)[step];
  return found as Schema;
}

/** Every property of the schema and of its definitions, with the way to it. */
function* propertiesOf(
  node: Schema,
  path: readonly string[],
): Generator<{ readonly path: readonly string[]; readonly property: Schema }> {
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    const here = [...path, 'properties', name];
    yield { path: here, property };
    yield* propertiesOf(property, here);
  }
  for (const [name, definition] of Object.entries(node.definitions ?? {}))
    yield* propertiesOf(definition, [...path, 'definitions', name]);
}

function hasWords(property: Schema): boolean {
  return 'const' in property || 'enum' in property || (property.anyOf ?? []).some(hasWords);
}

const RULE = ['definitions', 'rule', 'properties'];
/** Where the schema describes what the reader reads; the reader's own words for it. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  'the spec': [],
  '`applies`': ['properties', 'applies'],
  'an import': ['definitions', 'import'],
  'a tool': ['definitions', 'tool'],
  'a rule': ['definitions', 'rule'],
  '`limit`': [...RULE, 'limit'],
  '`transform`': [...RULE, 'transform'],
  '`approve`': [...RULE, 'approve'],
  '`escalate`': [...RULE, 'approve', 'properties', 'escalate'],
  '`flow`': [...RULE, 'flow'],
  '`from`': [...RULE, 'flow', 'properties', 'from'],
  '`order`': [...RULE, 'order'],
  '`handoff`': [...RULE, 'handoff'],
  '`check`': [...RULE, 'check', 'anyOf', '1'],
  '`metric`': [...RULE, 'metric'],
  'a check': ['properties', 'checks', 'additionalProperties'],
  '`attestation`': ['properties', 'checks', 'additionalProperties', 'properties', 'attestation'],
  '`before`': [...RULE, 'before'],
  'a file of tests': ['definitions', 'testFile'],
  'a test': ['definitions', 'test'],
  'a step of a test': ['definitions', 'step'],
};

describe('keys', () => {
  for (const [what, keys] of knownKeys())
    test(`of ${what} are those of the reader, each described`, () => {
      const place = PLACES[what];
      assert.ok(
        place,
        `the reader reads ${what}: describe it in schema/spec.schema.json, and say where here`,
      );
      const { properties = {}, additionalProperties } = at(...place);
      assert.deepEqual(Object.keys(properties).sort(), [...keys].sort());
      assert.equal(additionalProperties, false);
      for (const [key, { description, allOf }] of Object.entries(properties))
        assert.ok(description ?? allOf, `\`${key}\` is described`);
    });

  test('each has fixed words, or examples that are valid', () => {
    const ajv = new Ajv({ strict: false });
    ajv.addSchema(schema as Record<string, unknown>, 'spec');
    for (const { path, property } of propertiesOf(schema, [])) {
      assert.ok(property.examples?.length || hasWords(property), `${path.join('.')} has an example`);
      const pointer = path.map((step) =>
        encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')),
      );
      const check = ajv.getSchema(`spec#/${pointer.join('/')}`);
      assert.ok(check);
      for (const example of property.examples ?? [])
        assert.ok(
          check(example),
          `${path.join('.')}: ${JSON.stringify(example)} ${JSON.stringify(check.errors)}`,
        );
    }
  });

  test('every kind of step is a pattern', () => {
    for (const word of [...PATTERN_WORDS, ...STEP_KINDS])
      assert.ok(validate(rule(`{ id: a, on: ${word} x, deny: true }`)), word);
  });
});

function rule(text: string): unknown {
  return parse(`interlock: 1\nname: x\nrules:\n  - ${text}\n`);
}

function yamlFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(ROOT, folder, name));
}

describe('accepts', () => {
  const files = [
    ...yamlFiles('packs'),
    ...yamlFiles('examples'),
    ...yamlFiles(FOLDER.slice(ROOT.length + 1)),
  ];
  assert.ok(files.length > 30);
  for (const file of files)
    test(file.slice(ROOT.length + 1), () => {
      assert.ok(validate(parse(readFileSync(file, 'utf8'))), JSON.stringify(validate.errors, null, 1));
    });

  test('the specs of the tutorial', () => {
    const page = readFileSync(join(ROOT, 'docs/spec/tutorial.md'), 'utf8');
    const specs = blocksOf(page).filter((block) => fileName(block)?.endsWith('.yaml'));
    for (const { lines } of specs)
      assert.ok(validate(parse(lines.join('\n'))), JSON.stringify(validate.errors));
  });

  test('a parameter in the place of a value', () => {
    assert.ok(validate(rule('{ id: a, on: call x, limit: { count: $n, window: $w }, mode: $m }')));
  });
});

const BROKEN: readonly [string, unknown][] = [
  ['no version', parse('name: x')],
  ['another version', parse('interlock: 2\nname: x')],
  ['no name', parse('interlock: 1')],
  ['an unknown key', parse('interlock: 1\nname: x\nrulez: []')],
  ['an unknown mode', parse('interlock: 1\nname: x\nmode: strict')],
  ['an unknown default', parse('interlock: 1\nname: x\ndefault: refuse')],
  ['a tool without an effect', parse('interlock: 1\nname: x\ntools: { a: { reversible: true } }')],
  ['an unknown effect', parse('interlock: 1\nname: x\ntools: { a: { effect: reads } }')],
  ['rules that are no list', parse('interlock: 1\nname: x\nrules: { a: { on: call x, deny: true } }')],
  ['a rule without an id', rule('{ on: call x, deny: true }')],
  ['a rule without a form', rule('{ id: a, on: call x }')],
  ['a rule with two forms', rule('{ id: a, on: call x, deny: true, require: true }')],
  ['a rule without `on`', rule('{ id: a, deny: true }')],
  ['a misspelt key of a rule', rule('{ id: a, on: call x, requires: true }')],
  ['a kind that is none', rule('{ id: a, on: calls x, deny: true }')],
  ['attempts of results', rule('{ id: a, on: result! x, deny: true }')],
  ['an id with a space', rule('{ id: a b, on: call x, deny: true }')],
  ['an unknown verdict', rule('{ id: a, on: call x, deny: true, otherwise: block }')],
  ['a limit of nothing', rule('{ id: a, on: call x, limit: { per: session } }')],
  ['a sum without a maximum', rule('{ id: a, on: call x, limit: { sum: args.a } }')],
  ['a negative count', rule('{ id: a, on: call x, limit: { count: -1 } }')],
  ['a window that is no duration', rule('{ id: a, on: call x, limit: { count: 1, window: a day } }')],
  ['a transform of nothing', rule('{ id: a, on: call x, transform: {} }')],
  ['a transform of what is no argument', rule('{ id: a, on: call x, transform: { drop: [to] } }')],
  ['a flow from nowhere', rule('{ id: a, on: call x, flow: { track: value } }')],
  ['a flow from trusted content', rule('{ id: a, on: call x, flow: { from: { trust: trusted } } }')],
  ['an order without states', rule('{ id: a, order: { start: s } }')],
  ['an obligation without `then`', rule('{ id: a, after: result x, before: { event: end } }')],
  ['a deadline of nothing', rule('{ id: a, after: result x, then: call y, before: {} }')],
  ['a quorum of nobody', rule('{ id: a, on: call x, hold: true, approve: { quorum: 0 } }')],
  ['a test without steps', parse('interlock: 1\nname: x\ntests: [{ name: a }]')],
  [
    'a step of two acts',
    parse('interlock: 1\nname: x\ntests: [{ name: a, steps: [{ call: a, result: b }] }]'),
  ],
  [
    'a verdict that is none',
    parse('interlock: 1\nname: x\ntests: [{ name: a, steps: [{ call: a, expect: no }] }]'),
  ],
];

describe('refuses', () => {
  for (const [what, document] of BROKEN)
    test(what, () => {
      assert.ok(!validate(document));
      // And so does the reader, except for `tests`, which only `spec test` reads.
      if (!JSON.stringify(document).includes('"tests"')) assert.ok(!compileSpec(JSON.stringify(document)).ok);
    });
});
