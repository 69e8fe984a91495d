import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { driftEvidence } from './drift.ts';

test('law: while the rate keeps the budget, one more step never raises what the evidence is expected to be', () => {
  const share = fc.double({ min: 0.001, max: 0.98, noNaN: true });
  fc.assert(
    fc.property(
      fc.nat(500),
      fc.nat(60),
      share,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (good, bad, budget, part) => {
        const rate = budget * part;
        const now = driftEvidence(good, bad, budget);
        const next =
          rate * driftEvidence(good, bad + 1, budget) + (1 - rate) * driftEvidence(good + 1, bad, budget);
        assert.ok(next <= now * (1 + 1e-9), `${next} > ${now}`);
      },
    ),
  );
});

test('evidence grows with what is beyond the budget, and starts at none', () => {
  assert.ok(Math.abs(driftEvidence(0, 0, 0.01) - 1) < 1e-12);
  assert.ok(driftEvidence(990, 10, 0.01) < 100);
  assert.ok(driftEvidence(970, 30, 0.01) > 100);
  assert.ok(driftEvidence(10_000, 0, 0.01) < 1e-6);
  assert.ok(driftEvidence(0, 30, 0.95) > 1);
});
