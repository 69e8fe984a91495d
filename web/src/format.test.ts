import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAgo, formatDuration, formatOffset, plural, revealHidden, shortDigest } from './format.ts';

test('an age is told in the largest unit that fits, and the future is now', () => {
  const now = 1_000_000_000;
  const ages: [number, string][] = [
    [-5, 'now'],
    [4_999, 'now'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [86_400_000 * 1200, '1,200 d ago'],
  ];
  for (const [age, words] of ages) assert.equal(formatAgo(now - age, now), words);
});

test('a length of time keeps two units at most', () => {
  assert.equal(formatDuration(0), '0 ms');
  assert.equal(formatDuration(999), '999 ms');
  assert.equal(formatDuration(4_200), '4.2 s');
  assert.equal(formatDuration(187_000), '3 min 07 s');
  assert.equal(formatDuration(7_500_000), '2 h 05 min');
  assert.equal(formatDuration(273_600_000), '3 d 4 h');
  assert.equal(formatDuration(1_800_000), '30 min');
  assert.equal(formatDuration(3_600_000), '1 h');
  assert.equal(formatDuration(86_400_000), '1 d');
});

test('an offset shows milliseconds until they stop mattering, and a step before the start with its sign', () => {
  assert.equal(formatOffset(4_210), '+4.210');
  assert.equal(formatOffset(125_700), '+2:05.700');
  assert.equal(formatOffset(3_725_000), '+1:02:05');
  assert.equal(formatOffset(-1_500), '−1.500');
});

test('one thing is not plural', () => {
  assert.equal(plural(1, 'step'), '1 step');
  assert.equal(plural(10_000, 'step'), '10,000 steps');
});

test('a digest is cut to what an eye compares', () => {
  assert.equal(shortDigest(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test('characters that hide or reorder text are spelt out; scripts and emoji are left whole', () => {
  assert.equal(revealHidden('alice\u202Egnp.exe'), 'alice⟨U+202E⟩gnp.exe');
  assert.equal(revealHidden('a\u200Bb\u0000c\u2066d\uFEFF'), 'a⟨U+200B⟩b⟨U+0000⟩c⟨U+2066⟩d⟨U+FEFF⟩');
  const whole = 'Grüße, 支払い, हिन्दी, 👩\u200D💻,\ttab\nline';
  assert.equal(revealHidden(whole), whole);
});

test('nothing hidden is left after revealing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(revealHidden(text), /[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]/);
    }),
  );
});
