// Patterns over a growing text: what is let through never touches a match that RE2 finds, whatever the pieces.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RE2JS } from '@bufbuild/re2';
import fc from 'fast-check';
import { compileAutomaton } from './text-automaton.ts';

/** Patterns over a small alphabet, so that texts of it often match. */
const atom = fc.constantFrom(
  ...['a', 'b', 'k', '.', '[ab]', '[^a]', '\\d', '\\w', '\\s', '\\W', '[[:alpha:]]', '(?i:k)', '(?i:[a-c])'],
  ...[
    '\\.',
    '\\x61',
    '[a-c-]',
    '(?i)b',
    '\\b',
    '^',
    '$',
    '(?:)',
    '[]a]',
    '\\Qa.\\E',
    '(?i:[^k])',
    'é',
    '😀',
    '[^\\d]',
  ],
);
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{2,}', '*?', '{,2}'))
      .map(([a, q]) => `(${a})${q}`),
  ),
})).node;
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'k', 'K', '\u212a', '1', ' ', '\n', '.', 'é', 'É', '😀', '-', ']'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

function runs(): number {
  return Number(process.env.INTERLOCK_RUNS ?? 3_000);
}

describe('an automaton over a growing text', () => {
  it('keeps back every match of RE2, and all of it', () => {
    let followed = 0;
    fc.assert(
      fc.property(pattern, text, fc.array(fc.nat(3), { maxLength: 12 }), (source, whole, cuts) => {
        const automaton = compileAutomaton(source);
        if (automaton === null) return;
        const re2 = RE2JS.compile(source);
        if (automaton.matchesEmpty) return;
        followed++;
        assert.equal(re2.test(''), false, 'only a pattern that says so matches nothing');
        const walk = automaton.start();
        const characters = [...whole];
        let released = 0;
        for (let i = 0, cut = 0; i < characters.length; ) {
          const size = 1 + (cuts[cut++] ?? 0);
          walk.push(characters.slice(i, i + size).join(''));
          i += size;
          assert.ok(walk.pending >= released, 'what was let through is not taken back');
          released = walk.pending;
        }
        // No match begins in what was let through.
        const here = RE2JS.compile(`^(?:${source})`);
        for (let at = 0; at < released; at += (whole.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
          assert.ok(!here.test(whole.slice(at)), `${source} in ${JSON.stringify(whole)} at ${at}`);
      }),
      { numRuns: runs() },
    );
    assert.ok(followed > runs() / 4, `${followed} patterns were followed`);
  });

  it('lets through all but what may be the beginning of a match', () => {
    const walk = compileAutomaton('sk-[a-z0-9]{4,}')!.start();
    walk.push('the key is s');
    assert.equal(walk.pending, 11);
    walk.push('o long');
    assert.equal(walk.pending, 18);
    assert.equal(walk.found, null);
    walk.push(' sk-ab');
    assert.equal(walk.pending, 19);
    walk.push('cd and more');
    assert.equal(walk.pending, 19);
    assert.equal(walk.found, 19);
  });

  it('follows no pattern that it might read otherwise than RE2', () => {
    for (const source of [
      '\\p{Greek}',
      '\\pL',
      '(?P<n',
      '[b-a]',
      '\\1',
      '\\C',
      '(?=a)',
      '*a',
      '(a{500}){500}',
      '\\07',
    ])
      assert.equal(compileAutomaton(source), null, source);
  });

  it('reads a class of characters without case as RE2 does', () => {
    const missed: string[] = [];
    for (let code = 32; code < 128; code++) {
      const source = `(?i)\\x{${code.toString(16)}}`;
      const re2 = RE2JS.compile(source);
      const automaton = compileAutomaton(source)!;
      for (let other = 32; other < 0x2200; other++) {
        const character = String.fromCharCode(other);
        const walk = automaton.start();
        walk.push(character);
        if (re2.test(character) && walk.found === null) missed.push(`${source} ${character}`);
      }
    }
    assert.deepEqual(missed, []);
  });
});
