import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../step/types.ts';
import type { Field } from './types.ts';
import { readUsage } from './usage.ts';

const INCLUSIVE = { inputHasCache: true, outputHasReasoning: true };
const read = (counts: Partial<Record<Field, Json>>, rule = INCLUSIVE, apart = false) =>
  readUsage((field) => counts[field], rule, apart);

test('parts are taken off the counts that contain them', () => {
  assert.deepEqual(
    read({
      'usage.input': 1200,
      'usage.cacheRead': 1000,
      'usage.cacheWrite': 150,
      'usage.output': 90,
      'usage.reasoning': 60,
    }),
    {
      usage: {
        inputTokens: 50,
        cacheReadTokens: 1000,
        cacheWriteTokens: 150,
        outputTokens: 30,
        reasoningTokens: 60,
      },
      consistent: true,
    },
  );
});

test('counts that leave their parts out stay as they are', () => {
  const counts = { 'usage.input': 20, 'usage.cacheRead': 900 } as const;
  const expected = { usage: { inputTokens: 20, cacheReadTokens: 900 }, consistent: true };
  assert.deepEqual(read(counts, { ...INCLUSIVE, inputHasCache: false }), expected);
  assert.deepEqual(read(counts, INCLUSIVE, true), expected);
});

test('a remainder below zero is clamped and said', () => {
  assert.deepEqual(read({ 'usage.input': 20, 'usage.cacheRead': 900 }), {
    usage: { inputTokens: 0, cacheReadTokens: 900 },
    consistent: false,
  });
});

test('counts may be text; what is no count is left out and said', () => {
  assert.deepEqual(read({ 'usage.input': '39', 'usage.output': 'many' }), {
    usage: { inputTokens: 39 },
    consistent: false,
  });
  for (const odd of [-1, 1.5, '', '1e3x', true, null]) {
    assert.equal(read({ 'usage.output': odd }).consistent, false);
  }
  assert.deepEqual(read({}), { usage: null, consistent: true });
});

test('consistent counts add up to what the sender counted', () => {
  const count = fc.nat(1_000_000);
  fc.assert(
    fc.property(count, count, count, count, count, (uncached, cacheRead, cacheWrite, visible, reasoning) => {
      const input = uncached + cacheRead + cacheWrite;
      const output = visible + reasoning;
      const { usage, consistent } = read({
        'usage.input': input,
        'usage.cacheRead': cacheRead,
        'usage.cacheWrite': cacheWrite,
        'usage.output': output,
        'usage.reasoning': reasoning,
      });
      assert.ok(consistent);
      assert.equal(
        Object.values(usage!).reduce((sum, tokens) => sum + tokens, 0),
        input + output,
      );
    }),
  );
});
