// Every adapter does the same: each scenario of `scenarios.yaml` on each framework.
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
