// The starter spec: what is guessed is careful, and whatever the tools are, the spec checks, is laid out and passes its own examples.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatSpec } from '../cli/spec/format.ts';
import { runSpecTests } from '../replay/spec-tests.ts';
import { compileSpec, formatProblem, lineMap } from '../spec/index.ts';
import type { JsonObject } from '../step/types.ts';
import { guessEffect } from './effects.ts';
import { specName, starterSpec } from './starter.ts';
import type { FoundTool } from './types.ts';

const effectOf = (name: string, description: string | null = null) => guessEffect(name, description).effect;

test('what a tool does is told by the verb in its name', () => {
  const guesses = {
    read: [
      'get_order',
      'listUsers',
      'crm.search-contacts',
      'read_send_queue',
      'order_lookup',
      'get_order_status',
    ],
    write: ['create_ticket', 'updateAddress', 'refund', 'book_flight', 'calendar_create_event', 'xyzzy'],
    send: ['send_email', 'post_message', 'email_customer', 'transfer_funds', 'slack'],
    delete: ['delete_file', 'cancelOrder', 'read_and_delete', 'bulk_remove'],
    execute: ['run_command', 'exec', 'deploy_service', 'python_repl'],
  };
  for (const [effect, names] of Object.entries(guesses)) {
    for (const name of names) assert.equal(effectOf(name), effect, name);
  }
});

test('a description tells what a name does not; else it writes and cannot be undone', () => {
  assert.equal(effectOf('acme_42', 'Returns the state of an order.'), 'read');
  assert.deepEqual(guessEffect('acme_42', 'An operation.'), {
    effect: 'write',
    reversible: false,
    pays: false,
    from: 'nothing',
  });
});

test('the word of a server makes a guess stricter, never looser', () => {
  assert.equal(guessEffect('delete_file', null, { readOnly: true }).effect, 'delete');
  assert.equal(guessEffect('acme_42', null, { readOnly: true }).effect, 'read');
  assert.equal(guessEffect('get_file', null, { destructive: true }).effect, 'delete');
  assert.equal(guessEffect('update_file', null, { destructive: true }).reversible, false);
});

test('a name for the spec', () => {
  assert.equal(specName('@shop/Help_Desk 2'), 'help-desk-2');
  assert.equal(specName('…'), 'agent');
  assert.equal(specName(null), 'agent');
});

/** Compiles, and runs the examples; the problems and failures of both. */
function faultsOf(text: string): string[] {
  const compiled = compileSpec(text, { file: 'starter.yaml' });
  if (!compiled.ok) return compiled.problems.map((problem) => formatProblem(problem, lineMap(text)));
  const { results, problems } = runSpecTests(compiled.spec, 'starter.yaml', text);
  return [
    ...problems.map((problem) => formatProblem(problem, lineMap(text))),
    ...results.flatMap(({ name, failures }) =>
      failures.map(({ expected, found }) => `${name}: ${expected}, ${found}`),
    ),
  ];
}

const word = fc.constantFrom(
  ...[
    'get',
    'send',
    'delete',
    'pay',
    'run',
    'refund',
    'transfer',
    'order',
    'email',
    'to',
    'cc',
    'amount',
    'command',
    'id',
  ],
  ...['recipients', 'url', 'in', 'null', 'true', 'origin', 'args', 'x'],
);
const name = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('_'));
const field: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constantFrom<JsonObject>(
    {},
    { type: 'string' },
    { type: 'number' },
    { type: 'integer' },
    { type: 'boolean' },
    { type: 'object' },
  ),
  fc.constantFrom<JsonObject>(
    { type: ['string', 'null'] },
    { type: 'array', items: { type: 'string' } },
    { enum: ['a', null] },
  ),
  fc.constant<JsonObject>({ type: 'object', required: ['a'], properties: { a: { type: 'number' } } }),
);
const input = fc.option(
  fc.dictionary(name, field, { maxKeys: 5 }).chain((properties) =>
    fc.subarray(Object.keys(properties)).map(
      (required): JsonObject => ({
        type: 'object',
        ...(required.length > 0 && { required }),
        properties,
      }),
    ),
  ),
);
const tool: fc.Arbitrary<FoundTool> = fc.record({
  name: fc.oneof(name, fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,20}$/)),
  description: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 })),
  input,
  at: fc.constant({ file: 'src/a b.ts', line: 3 }),
});

test('whatever the tools are, the spec is whole: it checks, passes its examples, and keeps its layout', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(tool, { selector: (one) => one.name, minLength: 1, maxLength: 8 }),
      (tools) => {
        const formatted = formatSpec(starterSpec('desk', tools));
        assert.ok('text' in formatted, JSON.stringify(formatted));
        assert.deepEqual(formatSpec(formatted.text), formatted);
        assert.deepEqual(faultsOf(formatted.text), [], formatted.text);
      },
    ),
    { numRuns: 300 },
  );
});
