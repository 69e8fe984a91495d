import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, VERDICTS, type Verdict } from '../../src/monitor/types.ts';
import { STEP_KINDS } from '../../src/step/types.ts';
import { verdictInWords, wouldBeInWords } from './words.ts';

const decided = (verdict: Verdict, wouldBe = verdict): Decision => ({ verdict, wouldBe }) as Decision;

test('what could still be stopped did not run; what had happened was withheld', () => {
  assert.equal(verdictInWords(decided('deny'), 'tool.call', null), 'Denied: the call did not run.');
  assert.equal(
    verdictInWords(decided('deny'), 'tool.result', null),
    'Denied: the result had happened, but was withheld from the model.',
  );
});

test('every verdict on every kind has its own whole sentence', () => {
  for (const kind of STEP_KINDS) {
    const said = VERDICTS.map((verdict) => verdictInWords(decided(verdict), kind, null));
    assert.equal(new Set(said).size, VERDICTS.length, kind);
    for (const sentence of said) assert.match(sentence, /^[A-Z].*\.$/);
  }
});

test('an answered hold no longer waits', () => {
  assert.match(verdictInWords(decided('hold'), 'tool.call', 'pending'), /waits/);
  assert.doesNotMatch(verdictInWords(decided('hold'), 'tool.call', 'used'), /waits/);
});

test('only a stricter would-be verdict is said', () => {
  assert.equal(wouldBeInWords(decided('deny')), null);
  assert.equal(
    wouldBeInWords(decided('allow', 'deny')),
    'With every rule enforced it would have been denied.',
  );
});
