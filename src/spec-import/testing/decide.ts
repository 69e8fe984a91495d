// For tests: what an imported spec decides about single calls, each in a session of its own.
import assert from 'node:assert/strict';
import { createMonitor } from '../../monitor/session-monitor.ts';
import { runSpecTests } from '../../replay/spec-tests.ts';
import { compileSpec, formatProblem } from '../../spec/index.ts';
import type { JsonObject, Step } from '../../step/types.ts';
import type { ImportResult } from '../types.ts';

export type Decide = (
  call: string,
  args?: JsonObject,
  who?: { readonly principal?: string; readonly time?: number },
) => string;

/** Compiles what was imported, runs the examples in it, and gives a way to ask it. */
export function decider(result: ImportResult): Decide {
  assert.ok(result.ok, 'imports');
  const compiled = compileSpec(result.text);
  assert.deepEqual(
    compiled.problems.map((problem) => formatProblem(problem)),
    [],
  );
  assert.ok(compiled.ok);
  const report = runSpecTests(compiled.spec, 'imported', result.text);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.results.flatMap((example) => example.failures),
    [],
  );
  const monitor = createMonitor(compiled.spec.program);
  return (name, args = {}, { principal, time = 0 } = {}) => {
    const step: Step = {
      id: 's',
      session: 'x',
      seq: 0,
      time,
      kind: 'tool.call',
      name,
      agent: { name: 'a' },
      callId: 'c',
      args,
      ...(principal === undefined ? {} : { principal }),
    };
    return monitor.step(monitor.start(), step).decision.verdict;
  };
}
