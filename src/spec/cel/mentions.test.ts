import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentions } from './mentions.ts';
import { isCelError } from './value.ts';

test('words and phrases are found whole, in any case, width or with hidden characters', () => {
  const words = ['pay*', 'settle', 'set up', 'go on*'];
  for (const text of [
    'Please PAY him',
    'paying',
    'ｐａｙ',
    'p\u200bay',
    'Settle it.',
    'set\nup a transfer',
    'go ongoing',
  ]) {
    assert.equal(mentions(text, words), true, text);
  }
  for (const text of ['repay', 'settled', 'set it up', 'display', '', 'up set'])
    assert.equal(mentions(text, words), false, text);
});

test('what is no text or no list of words is an error', () => {
  for (const [text, list] of [
    [5, ['a']],
    ['a', 'a'],
    ['a', [5]],
    ['a', ['...']],
    ['a'.repeat(300_000), ['b']],
  ] as const) {
    assert.ok(isCelError(mentions(text, list)), String(list));
  }
});
