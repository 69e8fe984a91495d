// Whatever a door lets through, a monitor under a real spec answers: it never throws, says a verdict of the language, and
// goes on the same after being saved and loaded.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSpecFile } from '../src/cli/spec.ts';
import { createMonitor } from '../src/monitor/session-monitor.ts';
import { VERDICTS } from '../src/monitor/types.ts';
import { canonicalize } from '../src/step/canonical.ts';
import { type JsonObject, STEP_KINDS, type Step } from '../src/step/types.ts';

const RUNS = Number(process.env.INTERLOCK_RUNS ?? 60);
const odd = fc.constantFrom(
  '__proto__',
  'constructor',
  '\u202e',
  '\u0000',
  '{{ args }}',
  'a'.repeat(2_000),
  '-0',
  '1e400',
  'NaN',
  '%00',
  '',
);

for (const file of globSync('packs/*/*.yaml')) {
  const { result } = compileSpecFile(file);
  assert.ok(result.ok);
  const { program } = result.spec;
  const tools = [...program.tools.keys()];
  const fields = [
    ...new Set(
      tools.flatMap((tool) => {
        const type = program.tools.get(tool)!.input;
        return type.t === 'object' ? [...type.fields.keys()] : [];
      }),
    ),
  ];
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), odd, fc.double(), fc.integer());
  const args = fc.dictionary(fc.oneof(fc.constantFrom(...fields, 'x'), odd), value, { maxKeys: 6 });
  const step = fc.record(
    {
      kind: fc.constantFrom(...STEP_KINDS),
      name: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...tools) }, { weight: 1, arbitrary: odd }),
      wait: fc.integer({ min: -5_000, max: 90_000_000 }),
      callId: fc.constantFrom('c1', 'c2', 'c3'),
      args,
      content: fc.oneof(fc.string({ unit: 'grapheme' }), odd),
      result: value,
      error: fc.record({ message: odd }),
    },
    { requiredKeys: ['kind', 'name', 'wait'] },
  );

  test(`${file}: no step throws, and saving changes nothing`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (all) => {
        const live = createMonitor(program);
        const other = createMonitor(program, { origins: 'lazy' });
        const state = live.start();
        let reloaded = other.start();
        let time = 1_000_000_000;
        all.forEach(({ wait, ...rest }, seq) => {
          time += wait;
          const given = JSON.parse(
            JSON.stringify({ ...rest, id: `s${seq}`, session: 's', seq, time }),
          ) as Step & { args?: JsonObject };
          const outcome = live.step(state, given);
          assert.ok(VERDICTS.includes(outcome.decision.verdict));
          canonicalize(JSON.parse(JSON.stringify(outcome.decision)));
          reloaded = other.load(JSON.parse(JSON.stringify(other.save(reloaded))));
          assert.deepEqual(other.step(reloaded, given), outcome);
        });
      }),
      { numRuns: RUNS },
    );
  });
}
