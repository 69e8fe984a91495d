// What does not compile: each line marked so must be an error for the type checker, or `npm run check` fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cel, spec } from './index.ts';

const order = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
  },
} as const;

const shop = spec('shop', {
  tools: {
    get_order: {
      effect: 'read',
      input: { type: 'object', properties: { id: { type: 'string' } } },
      output: order,
    },
    refund: {
      effect: 'write',
      input: { type: 'object', properties: { order_id: { type: 'string' }, amount: { type: 'number' } } },
    },
    log: { effect: 'write' },
  },
  checks: { 'unit-tests': { command: ['npm', 'test'] } },
});

test('names of tools', () => {
  shop.rule('a', {
    on: ['call refund', 'call get_*', 'call effect:write', 'end', 'input user'],
    deny: 'false',
  });
  // @ts-expect-error there is no such tool
  shop.rule('b', { on: 'call refnud', deny: 'false' });
  // @ts-expect-error there is no such effect
  shop.rule('c', { on: 'call effect:wirte', deny: 'false' });
  // @ts-expect-error there is no such kind of step
  shop.rule('d', { on: 'cal refund', deny: 'false' });
  // @ts-expect-error history knows the tools too
  shop.rule('e', { on: 'call refund', require: ({ past }) => past.exists('result verify') });
  // @ts-expect-error and so do examples
  shop.test('f', [{ call: 'refnud' }]);
  // @ts-expect-error and obligations
  shop.owe('g', { after: 'result refund', owed: 'call refnud', before: { event: 'end' } });
  // @ts-expect-error and flows
  shop.rule('h', { on: 'call refund', flow: { from: { tools: ['refnud'] } } });
  assert.ok(shop);
});

test('names of fields', () => {
  shop.rule('a', {
    on: 'call refund',
    require: ({ args, past }) =>
      cel`${past.last('result get_order', (o) => cel`${o.args.id} == ${args.order_id}`).result.lines[0]?.sku} != ""`,
  });
  // @ts-expect-error there is no such argument
  shop.rule('b', { on: 'call refund', require: ({ args }) => cel`${args.amuont} > 0` });
  shop.rule('c', {
    on: 'call refund',
    // @ts-expect-error nor such a field of the result
    require: ({ past }) => past.last('result get_order').result.total,
  });
  // Any field of either tool; nothing else.
  shop.rule('d', {
    on: ['call refund', 'call get_order'],
    require: ({ args }) => cel`${args.id} != ${args.amount}`,
  });
  // @ts-expect-error no tool has it
  shop.rule('e', { on: ['call refund', 'call get_order'], require: ({ args }) => cel`${args.total} > 0` });
  // A tool without a schema has any field.
  shop.rule('f', { on: 'call log', require: ({ args }) => cel`${args.line} != ""` });
  assert.ok(shop);
});

test('forms', () => {
  // @ts-expect-error `limit` needs a count, or a sum with a maximum
  shop.rule('a', { on: 'call refund', limit: { sum: 'args.amount' } });
  // @ts-expect-error a rule has a form
  shop.rule('b', { on: 'call refund', because: 'because' });
  // @ts-expect-error no verdict of this name
  shop.rule('c', { on: 'call refund', deny: 'true', otherwise: 'refuse' });
  // @ts-expect-error no check of this name
  shop.rule('d', { on: 'call refund', check: 'unit-test' });
  shop.rule('e', { on: 'call refund', check: { name: 'unit-tests', subject: ({ args }) => args.order_id } });
  shop.rule('f', {
    on: 'call refund',
    metric: { bad: ({ verdict }) => cel`${verdict} == "deny"`, budget: '1%' },
  });
  shop.order('g', {
    // @ts-expect-error no state of this name
    order: { start: 'new', states: { new: { 'call refund': 'doen' }, done: null } },
  });
  // @ts-expect-error paths of a transform go into the arguments
  shop.rule('h', { on: 'call refund', transform: { drop: ['amount'] } });
  assert.ok(shop);
});

test('without tools, and with imports, any name may stand', () => {
  const open = spec('open', { default: 'allow' });
  open.rule('a', { on: 'call anything', require: ({ args }) => cel`${args.x} == 1` });
  const importing = spec('importing', { imports: ['./a.yaml'], tools: { ping: { effect: 'read' } } });
  importing.rule('a', { on: 'call pong', deny: 'true' });
  assert.ok(importing);
});
