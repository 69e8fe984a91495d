// Every adapter does the same: each scenario of `scenarios.yaml` on each framework.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { RIGS } from './rigs.ts';
import { playScenario, SCENARIOS } from './stage.ts';

for (const rig of RIGS) {
  describe(`the adapter for ${rig.name}`, () => {
    for (const scenario of SCENARIOS) {
      const why = rig.cannot[scenario.name];
      test(scenario.name, { skip: why ?? false, timeout: 20_000 }, () => playScenario(rig, scenario, false));
      if (scenario.stream === true && rig.streams && why === undefined)
        test(`${scenario.name}, streamed`, { timeout: 20_000 }, () => playScenario(rig, scenario, true));
    }
  });
}

test('the documentation says what an adapter cannot do', () => {
  const text = readFileSync(new URL('../../docs/adapters.md', import.meta.url), 'utf8')
    .replace(/\s+/g, ' ')
    .toLowerCase();
  for (const { name, cannot } of RIGS)
    for (const [scenario, why] of Object.entries(cannot)) {
      const said = text.includes(why.toLowerCase());
      assert.ok(said, `${name}: ${scenario}: ${why}`);
    }
});
