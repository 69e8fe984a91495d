import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, Step } from '../../src/step/types.ts';
import { compact, summarise } from './summary.ts';

const base = { id: 'a', session: 's', seq: 0, time: 0, name: 'refund' } as const;
const step = (rest: Partial<Step> & Pick<Step, 'kind'>): Step => ({ ...base, ...rest });

test('a call speaks with its arguments, a result with its result, an input with its words', () => {
  const args = { order: 'A-1', amount: 40, items: [1, 2], to: { city: 'Graz' } };
  assert.equal(
    summarise(step({ kind: 'tool.call', args })),
    'order: "A-1", amount: 40, items: [1, 2], to: { city: "Graz" }',
  );
  assert.equal(summarise(step({ kind: 'tool.result', args, result: { ok: true } })), 'ok: true');
  assert.equal(summarise(step({ kind: 'tool.result', args, content: 'sent' })), 'sent');
  assert.equal(summarise(step({ kind: 'input', content: 'two\n  lines' })), 'two lines');
  assert.equal(summarise(step({ kind: 'session.start' })), '');
});

test('a failure is what the line says, whatever else the step carries', () => {
  const failed = step({ kind: 'tool.result', result: { ok: false }, error: { message: 'timed out' } });
  assert.equal(summarise(failed), 'error: timed out');
});

test('the line is one line, bounded, and free of hidden characters for any value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const line = compact(value as Json) ?? '';
      assert.ok(line.length < 2200, `${line.length} characters`);
      assert.doesNotMatch(line, /[\n\u202e]/);
    }),
  );
});

test('a huge value costs no more than what is shown', () => {
  const line = compact(Array.from({ length: 100_000 }, (_, i) => i)) ?? '';
  assert.match(line, /^\[0, 1, 2, /);
  assert.match(line, /…$/);
});
