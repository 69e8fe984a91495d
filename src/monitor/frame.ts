// Fills the frame that a step's rules read. Pure.

import type { Value } from '../spec/cel/value.ts';
import type { ToolPlan } from '../spec/program.ts';
import { SLOT } from '../spec/run.ts';
import type { Json, JsonObject, Step } from '../step/types.ts';
import type { OpenCall, SessionState } from './state.ts';
import { absent, timestampOf } from './view-value.ts';

const NO_TOOL: Json = {
  declared: false,
  name: '',
  effect: 'write',
  reversible: false,
  trust: 'untrusted',
  labels: [],
};

/** A door that knows nothing more says an empty map: `has(attributes.x)` can be asked of any step. */
const NO_ATTRIBUTES: JsonObject = {};

/** The step's own values; `args` of a result are those of its call. */
export function fillFrame(
  frame: Value[],
  step: Step,
  state: SessionState,
  call: OpenCall | undefined,
  tool: ToolPlan | undefined,
  now: number,
): void {
  const labels = stepLabels(step, tool);
  frame[SLOT.args] = argsOf(step, call) ?? absent('args');
  frame[SLOT.result] = (step.result ?? absent('result')) as Value;
  frame[SLOT.content] = step.content ?? absent('content');
  frame[SLOT.name] = step.name;
  frame[SLOT.kind] = step.kind;
  frame[SLOT.principal] = step.principal ?? state.identity.principal ?? absent('principal');
  frame[SLOT.agent] = step.agent
    ? { name: step.agent.name, version: step.agent.version ?? '' }
    : { name: '', version: '' };
  frame[SLOT.time] = timestampOf(now);
  frame[SLOT.labels] = labels as Value;
  frame[SLOT.tool] = (tool ? tool.value : NO_TOOL) as Value;
  frame[SLOT.context] = contextValue(state);
  frame[SLOT.session] = step.session;
  frame[SLOT.error] = step.error
    ? { message: step.error.message, type: step.error.type ?? '' }
    : absent('error');
  frame[SLOT.call] = step.callId ?? absent('call');
  frame[SLOT.attributes] = (step.attributes ?? NO_ATTRIBUTES) as Value;
}

export function argsOf(step: Step, call: OpenCall | undefined): JsonObject | undefined {
  return step.kind === 'tool.result' ? (call?.args ?? step.args) : step.args;
}

/** Labels the step itself carries: from its door and, for a result, from the tool's contract. */
export function stepLabels(step: Step, tool: ToolPlan | undefined): readonly string[] {
  const own = step.labels ?? [];
  if (step.kind !== 'tool.result' || tool === undefined || tool.labels.length === 0) return own;
  return own.length === 0 ? tool.labels : [...new Set([...own, ...tool.labels])];
}

/** `context`: what has come into the session so far. */
function contextValue(state: SessionState): Value {
  return { labels: [...state.labels.keys()], untrusted: state.untrusted !== null } as unknown as Value;
}

/** The value a history view's variable is bound to when the step arrives. */
export function stepView(
  step: Step,
  args: JsonObject | undefined,
  labels: readonly string[],
  now: number,
): Value {
  const view: Record<string, unknown> = {
    name: step.name,
    kind: step.kind,
    time: timestampOf(now),
    labels,
    id: step.id,
    attributes: step.attributes ?? NO_ATTRIBUTES,
  };
  if (args !== undefined) view.args = args;
  if (step.result !== undefined) view.result = step.result;
  if (step.content !== undefined) view.content = step.content;
  if (step.error !== undefined) view.error = step.error;
  if (step.principal !== undefined) view.principal = step.principal;
  if (step.agent !== undefined) view.agent = step.agent;
  if (step.callId !== undefined) view.call = step.callId;
  return view as Value;
}
