import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldText, scalarTokens, tokenize } from './normal-forms.ts';

test('spellings of one value have one normal form', () => {
  const same: readonly (readonly [string, string])[] = [
    ['Ann.Lee@Corp.Example', 'ann.lee@corp.example'],
    ['GB29 NWBK 6016 1331 9268 19', 'GB29NWBK60161331926819'],
    ['$1,100.00', '1100'],
    ['2026-05-30T10:20:00', '2026-05-30 10:20'],
    ['ＡＣＭＥ', 'acme'],
    ['in\u200bvoice', 'invoice'],
    ['https://shop.example/a/', 'https://shop.example/a'],
  ];
  for (const [a, b] of same) assert.deepEqual(tokenize(a), tokenize(b), `${a} and ${b}`);
  assert.deepEqual(scalarTokens(1100), tokenize('1,100.00'));
});

test('different values stay apart', () => {
  const apart: readonly (readonly [string, string])[] = [
    ['ann@corp.example', 'ann@corp.examples'],
    ['ann+evil@corp.example', 'ann@corp.example'],
    ['аnn@corp.example', 'ann@corp.example'], // Cyrillic а
    ['0123', '123'],
    ['12345678901234567890', '12345678901234567000'],
  ];
  for (const [a, b] of apart) assert.notDeepEqual(tokenize(a), tokenize(b), `${a} and ${b}`);
});

test('a token is found whole in text, never as a piece of a longer one', () => {
  assert.deepEqual(tokenize("Pay Sarah's bill (INV-20) by 3:00, to=gb29nwbk60161331926819."), [
    'pay',
    'sarah',
    's',
    'bill',
    'inv-20',
    'by',
    '3:00',
    'to',
    'gb29nwbk60161331926819',
  ]);
  assert.ok(!tokenize('mail mark.black@evil.example now').includes('black@evil.example'));
  assert.ok(!tokenize('see https://evil.example/?to=ann@corp.example').includes('ann@corp.example'));
});

test('law: a number is found in text however it is grouped', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 0, max: 99 }), (whole, cents) => {
      const value = Number(`${whole}.${String(cents).padStart(2, '0')}`);
      const grouped = value.toLocaleString('en-US', { minimumFractionDigits: 2 });
      assert.deepEqual(tokenize(`please pay $${grouped} today`)[2], scalarTokens(value)[0]);
    }),
  );
});

test('law: folding twice is folding once, and every token of a text is a token of itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
      assert.equal(foldText(foldText(text)), foldText(text));
      for (const token of tokenize(text)) assert.ok(token.length > 0 && !token.includes(' '));
    }),
  );
});
