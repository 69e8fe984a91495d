import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, showDuration } from './duration.ts';
import { globMatches, parsePattern, patternMatches } from './pattern.ts';

test('patterns name a kind and a glob or an effect', () => {
  const call = parsePattern('call refund_*');
  assert.ok('pattern' in call);
  assert.ok(patternMatches(call.pattern, 'tool.call', 'refund_order', null));
  assert.ok(!patternMatches(call.pattern, 'tool.result', 'refund_order', null));
  assert.ok(!patternMatches(call.pattern, 'tool.call', 'get_order', null));
  const effect = parsePattern('call effect:send');
  assert.ok('pattern' in effect && patternMatches(effect.pattern, 'tool.call', 'mail', 'send'));
  const attempts = parsePattern('call! refund');
  assert.ok('pattern' in attempts && attempts.pattern.attempts);
});

test('a wrong pattern says what it should be', () => {
  for (const [text, says] of [
    ['cal refund', /kind of step/],
    ['result! x', /goes with `call` only/],
    ['call a b', /more than/],
    ['input effect:send', /`effect:` goes with/],
    ['constructor x', /kind of step/],
  ] as const) {
    const parsed = parsePattern(text);
    assert.ok('message' in parsed && says.test(parsed.message), text);
  }
});

test('law: a glob of stars and letters agrees with the definition', () => {
  const definition = (glob: string, name: string): boolean => {
    if (glob === '') return name === '';
    if (glob[0] === '*')
      return definition(glob.slice(1), name) || (name !== '' && definition(glob, name.slice(1)));
    return (
      name !== '' && (glob[0] === '?' || glob[0] === name[0]) && definition(glob.slice(1), name.slice(1))
    );
  };
  const letters = (alphabet: string[], maxLength: number) =>
    fc.array(fc.constantFrom(...alphabet), { maxLength }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters(['a', 'b', '*', '?'], 8), letters(['a', 'b'], 10), (glob, name) => {
      assert.equal(globMatches(glob, name), definition(glob, name));
    }),
  );
});

test('durations read and show', () => {
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('250ms'), 250);
  for (const wrong of ['', 'h', '3', '3 h', '-1h', '1y', '1..5h'])
    assert.equal(parseDuration(wrong), null, wrong);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 12 }), (ms) =>
      assert.equal(parseDuration(showDuration(ms)), ms),
    ),
  );
});
