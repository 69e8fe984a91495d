// Evaluates the rule forms that read the session's own state: flows, orders and obligations. Pure.
import { isCelError, type Value } from '../spec/cel/value.ts';
import { carried } from '../spec/flow.ts';
import { globMatches, patternMatches } from '../spec/pattern.ts';
import type { FlowPlan, HandoffPlan, ObligationPlan, OrderPlan, Program } from '../spec/program.ts';
import { type Run, SLOT } from '../spec/run.ts';
import type { Evaluate } from '../spec/view.ts';
import { ENFORCEABILITY, type Step } from '../step/types.ts';
import { DEADLINE, discharged, matches, overdue } from './duties.ts';
import type { SessionState } from './state.ts';
import type { Cause, Witness } from './types.ts';
import { NO_WITNESS, Witnesses, witnessOf } from './witness.ts';

/** Why a form fires; null when it does not. */
export interface FormFiring {
  readonly cause: Cause;
  readonly witness: readonly Witness[];
  readonly detail?: string;
  readonly repair?: string;
}

const SHOWN = 8;

export function evaluateFlow(plan: FlowPlan, frame: Value[], state: SessionState): FormFiring | null {
  if (plan.track === 'context') {
    const taint = state.taints[plan.id] ?? null;
    return taint === null
      ? null
      : { cause: 'violated', witness: [witnessOf(taint, `brought in ${plan.text}`)] };
  }
  const run = frame[0] as unknown as Run;
  const value = plan.look === null ? lookedThrough(frame) : plan.look(frame);
  const found = carried(run, value, plan);
  if (found === null) return null;
  if (found === 'unknown')
    return { cause: 'error', witness: [], detail: 'too much was seen to say what this carries' };
  const { sighting, text } = found;
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return {
    cause: 'violated',
    witness: [witnessOf(sighting.ref, `\`${shown}\` is from ${sighting.source.name}`)],
    repair: `Leave out what ${sighting.source.name} gave.`,
  };
}

/** Arguments and content, as far as the step has them. */
function lookedThrough(frame: Value[]): Value {
  return [frame[SLOT.args] as Value, frame[SLOT.content] as Value].filter((value) => !isCelError(value));
}

/** Null when the condition is what is wanted. Evaluation is pure: one that is not is evaluated again, to hear what it rests on. */
export function unmet(test: Evaluate, wanted: boolean, frame: Value[]): FormFiring | null {
  const value = test(frame);
  if (value === wanted) return null;
  const run = frame[0] as unknown as Run;
  const witnesses = new Witnesses();
  run.witness = witnesses;
  test(frame);
  run.witness = null;
  const witness = witnesses.list();
  if (typeof value === 'boolean') return { cause: 'violated', witness };
  if (isCelError(value)) return { cause: value.code, witness, detail: value.message };
  return { cause: 'error', witness, detail: `the condition gave ${typeof value}, not true or false` };
}

/** The first thing that a hand-off lacks. */
export function evaluateHandoff(plan: HandoffPlan, frame: Value[], state: SessionState): FormFiring | null {
  const { step } = frame[0] as unknown as Run;
  const from = step.agent?.name ?? state.identity.agent ?? '';
  const receivers = plan.receivers?.(from) ?? null;
  if (receivers !== null && !receivers.some((glob) => globMatches(glob, step.name))) {
    const detail = `${from} may not hand over to ${step.name}`;
    const repair =
      receivers.length === 0
        ? `${from} may hand over to nobody.`
        : `${from} may hand over to ${receivers.join(', ')}.`;
    return { cause: 'violated', witness: NO_WITNESS, detail, repair };
  }
  const misfit = plan.checkInput?.(step.args ?? {}) ?? null;
  if (misfit !== null)
    return {
      cause: 'violated',
      witness: NO_WITNESS,
      detail: `what is handed to ${step.name} does not fit: ${misfit}`,
      repair: `Mend what is handed over: ${misfit}`,
    };
  const unproven = plan.proven === null ? null : unmet(plan.proven, true, frame);
  if (unproven !== null) return unproven;
  return plan.settled ? owing(state) : null;
}

function owing(state: SessionState): FormFiring | null {
  const owed = state.duties.flatMap(({ open }) => [...open.values()]);
  if (owed.length === 0 && !state.duties.some(({ overflowed }) => overflowed)) return null;
  return {
    cause: 'violated',
    witness: owed.slice(0, SHOWN).map(({ ref }) => witnessOf(ref, 'made something owed')),
    detail: `${owed.length === 1 ? 'one thing is' : `${owed.length} things are`} still owed`,
    repair: 'Do first what is still owed.',
  };
}

export function evaluateOrder(
  plan: OrderPlan,
  step: Step,
  state: SessionState,
  program: Program,
): FormFiring | null {
  const at = state.orders[plan.id]!;
  const moves = plan.states.get(at.state) ?? [];
  if (nextState(plan, at.state, step, program) !== null) return null;
  const allowed = moves.map((move) => `\`${move.pattern.text}\``).join(', ');
  return {
    cause: 'violated',
    witness: at.ref === null ? [] : [witnessOf(at.ref, `led to the state ${at.state}`)],
    repair:
      allowed === ''
        ? `In the state ${at.state} nothing more may happen.`
        : `In the state ${at.state} there may follow: ${allowed}.`,
  };
}

/** The state the step leads to; null when it may not happen in this one. */
export function nextState(plan: OrderPlan, state: string, step: Step, program: Program): string | null {
  const effect = program.tools.get(step.name)?.contract.effect ?? null;
  const move = plan.states
    .get(state)
    ?.find((item) => patternMatches(item.pattern, step.kind, step.name, effect));
  return move?.to ?? null;
}

/** Fires on the closing event while something is owed, and on anything that can be stopped once a deadline has passed. */
export function evaluateObligation(
  plan: ObligationPlan,
  halts: boolean,
  frame: Value[],
  view: () => Value,
  step: Step,
  state: SessionState,
  program: Program,
): FormFiring | null {
  const duties = state.duties[plan.id]!;
  // A recorded deadline cannot be stopped, and is where the record says what was missed.
  const stoppable =
    ENFORCEABILITY[step.kind] === 'suppressable' || (step.kind === 'check' && step.name === DEADLINE);
  if (duties.overflowed && (plan.event === null ? stoppable || halts : matches(plan.event, step, program))) {
    return { cause: 'error', witness: [], detail: 'more is owed than can be kept' };
  }
  if (duties.open.size === 0) return null;
  const run = frame[0] as unknown as Run;
  const late = stoppable || halts ? overdue(duties, run.now, SHOWN) : [];
  const closing = matches(plan.event, step, program);
  if (!closing && late.length === 0) return null;
  const paying = matches(plan.due, step, program) && discharged(plan, duties, frame, view()).length > 0;
  if (paying && !closing) return null;
  const owed = closing ? [...duties.open.values()].slice(0, SHOWN) : late;
  const count = closing ? duties.open.size : late.length;
  return {
    cause: 'violated',
    witness: owed.map((duty) =>
      witnessOf(duty.ref, late.includes(duty) ? 'its deadline has passed' : 'made it owed'),
    ),
    detail: `${count === 1 ? 'one step is' : `${count} steps are`} owed: \`${plan.due.text}\``,
    repair: `Still owed: \`${plan.due.text}\`.`,
  };
}

/** The earliest deadline of what is owed, milliseconds since the epoch; null when there is none. */
export function earliestDeadline(state: SessionState): number | null {
  let earliest: number | null = null;
  for (const duties of state.duties) {
    for (const duty of duties.open.values()) {
      if (duty.deadline === null) break;
      if (duty.noticed) continue;
      if (earliest === null || duty.deadline < earliest) earliest = duty.deadline;
      break;
    }
  }
  return earliest;
}
