import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepRow } from '../../../src/engine/types.ts';
import type { Decision, Verdict } from '../../../src/monitor/types.ts';
import { marksOf, matchesShow, type Show } from './marks.ts';

function row(
  seq: number,
  verdict: Verdict | null,
  wouldBe: Verdict | null = verdict,
  unguarded = false,
): StepRow {
  const decision = verdict && ({ verdict, wouldBe } as Decision);
  const finding = unguarded ? ({ kind: 'unguarded-step' } as StepRow['finding']) : null;
  return { step: { seq }, decision, finding } as StepRow;
}

const rows = [
  row(0, 'allow'),
  row(1, 'deny'),
  row(2, 'allow', 'hold'),
  row(3, null, null, true),
  row(4, null),
  row(5, 'halt'),
  row(6, 'transform'),
  row(7, 'hold', 'deny'),
];

test('what is not a plain allow is marked; an observed step without a finding is not', () => {
  assert.deepEqual(
    marksOf(rows).map((mark) => mark.seq),
    [1, 2, 3, 5, 6, 7],
  );
});

test('a filter counts what shadow and warn rules would have done', () => {
  const shown = (show: Show) => marksOf(rows).flatMap((mark) => (matchesShow(mark, show) ? [mark.seq] : []));
  assert.deepEqual(shown('denied'), [1, 5, 7]);
  assert.deepEqual(shown('held'), [2, 7]);
  assert.deepEqual(shown('unguarded'), [3]);
});
