// One session under a spec given as text, for tests: the steps number themselves.
import assert from 'node:assert/strict';
import { compileSpec } from '../../spec/index.ts';
import type { Json, JsonObject, Step, StepKind } from '../../step/types.ts';
import { createMonitor } from '../session-monitor.ts';
import type { Decision } from '../types.ts';

export interface SessionOptions {
  readonly principal?: string;
  /** Saves and loads the state before every step, so that every test is a test of that too. */
  readonly reload?: boolean;
}

export function sessionOf(text: string, { principal = 'user:1', reload = true }: SessionOptions = {}) {
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems, null, 2));
  const monitor = createMonitor(compiled.spec.program);
  let state = monitor.start();
  let seq = 0;
  let time = 1_000_000;
  const step = (kind: StepKind, name: string, rest: Partial<Step> = {}): Decision => {
    if (reload) state = monitor.load(JSON.parse(JSON.stringify(monitor.save(state))));
    const full: Step = { id: `s${seq}`, session: 'one', seq: seq++, time: time++, kind, name, ...rest };
    return monitor.step(state, full).decision;
  };
  step('session.start', 'agent', { principal });
  return {
    step,
    input: (content: string) => step('input', 'user', { content }),
    call: (name: string, args: JsonObject = {}, callId = `c${seq}`) =>
      step('tool.call', name, { args, callId }),
    result: (name: string, callId: string, result: Json) => step('tool.result', name, { callId, result }),
    fail: (name: string, callId: string) => step('tool.result', name, { callId, error: { message: 'no' } }),
    end: () => step('session.end', ''),
    deadline: () => monitor.deadline(state),
    /** A call and its result; a string is the result's text. */
    done: (name: string, args: JsonObject, result: Json) => {
      const callId = `c${seq}`;
      step('tool.call', name, { args, callId });
      return step('tool.result', name, {
        callId,
        ...(typeof result === 'string' ? { content: result } : { result }),
      });
    },
    approve: (binding: string | undefined, by: string[] = ['ann'], roles: string[] = ['reviewer']) =>
      step('approval', 'review', { args: { binding: binding ?? '', approve: true, by, roles } }),
    wait: (ms: number) => {
      time += ms;
    },
  };
}

/** `rule:cause` of each rule that fired, strictest first. */
export const fired = (decision: Decision): string[] =>
  decision.rules.map((rule) => `${rule.rule}:${rule.cause}`);
