// Evaluates one rule on the step in the frame: does it fire, why, and on what evidence. Pure.
import { BUDGET_SLOT } from '../spec/cel/compile.ts';
import { type CelError, celError, isCelError, type Value } from '../spec/cel/value.ts';
import { fixText } from '../spec/fix.ts';
import type { LimitPlan, Program, RulePlan } from '../spec/program.ts';
import type { Ref, Run } from '../spec/run.ts';
import { scopeKeyOf } from '../spec/shared.ts';
import { addDecimal, keyText } from '../spec/view.ts';
import type { Step } from '../step/types.ts';
import {
  evaluateFlow,
  evaluateHandoff,
  evaluateObligation,
  evaluateOrder,
  type FormFiring,
  unmet,
} from './evaluate-forms.ts';
import { canCount, usedAt } from './limits.ts';
import { refOf, type SessionRun } from './run.ts';
import type { SessionState } from './state.ts';
import type { Cause, Fix, RuleOutcome, Witness } from './types.ts';
import { NO_WITNESS, witnessOf } from './witness.ts';

/** What an allowed step takes from a limit. */
export type Reservation = readonly [limit: number, key: string, amount: number];

export interface Firing {
  readonly plan: RulePlan;
  readonly cause: Cause;
  readonly because: string;
  readonly repair: string | undefined;
  readonly fixes: readonly Fix[];
  readonly witness: readonly Witness[];
}

const NO_FIXES: readonly Fix[] = [];

/** Null when the rule does not apply or is satisfied. Adds to `reservations` what the step would take from a limit. */
export function evaluateRule(
  plan: RulePlan,
  frame: Value[],
  state: SessionState,
  program: Program,
  reservations: Reservation[],
): Firing | null {
  const run = frame[0] as unknown as Run;
  frame[BUDGET_SLOT] = 0;
  // A guard that cannot be decided does not switch the rule off; an exemption that cannot be decided does not exempt.
  if (plan.when !== null && plan.when(frame) === false) return null;
  if (plan.unless !== null && plan.unless(frame) === true) return null;
  const { form } = plan;
  if (form.t === 'limit') return evaluateLimit(plan, frame, state, reservations);
  if (form.t === 'flow') return fireForm(plan, frame, evaluateFlow(form.flow, frame, state));
  if (form.t === 'order') return fireForm(plan, frame, evaluateOrder(form.order, run.step, state, program));
  if (form.t === 'obligation') return null;
  if (form.t === 'handoff') return fireForm(plan, frame, evaluateHandoff(form.handoff, frame, state));
  if (form.t === 'transform')
    return {
      plan,
      cause: 'violated',
      because: plan.because,
      repair: undefined,
      fixes: NO_FIXES,
      witness: NO_WITNESS,
    };
  if (form.test === null) return fire(plan, frame, 'violated', NO_WITNESS);
  const found = unmet(form.test, form.t === 'require', frame);
  return found === null ? null : fire(plan, frame, found.cause, found.witness, found.detail);
}

/** An obligation is asked on every step while something is owed; its `when` is about the step that made it so. */
export function evaluateOwed(
  plan: Program['obligations'][number],
  frame: Value[],
  view: () => Value,
  step: Step,
  state: SessionState,
  program: Program,
): Firing | null {
  frame[BUDGET_SLOT] = 0;
  const halts = plan.verdict === 'halt';
  return fireForm(
    plan,
    frame,
    evaluateObligation(plan.form.obligation, halts, frame, view, step, state, program),
  );
}

function fireForm(plan: RulePlan, frame: Value[], found: FormFiring | null): Firing | null {
  if (found === null) return null;
  const detail = plan.because === '' || found.cause !== 'violated' ? found.detail : undefined;
  const firing = fire(plan, frame, found.cause, found.witness, detail);
  return firing.repair === undefined ? { ...firing, repair: found.repair } : firing;
}

function fire(
  plan: RulePlan,
  frame: Value[],
  cause: Cause,
  witness: readonly Witness[],
  detail?: string,
): Firing {
  const because =
    detail === undefined ? plan.because : plan.because === '' ? detail : `${plan.because} (${detail})`;
  const fixes = fixesOf(plan, frame);
  return {
    plan,
    cause,
    because: because === '' ? `Rule ${plan.id}.` : because,
    repair: repairOf(plan, frame, fixes),
    fixes,
    witness,
  };
}

function fixesOf(plan: RulePlan, frame: Value[]): readonly Fix[] {
  if (plan.verdict === 'hold') return [{ t: 'approval', by: plan.approve.by, quorum: plan.approve.quorum }];
  return plan.fixes === null ? NO_FIXES : plan.fixes(frame);
}

/** The author's words, else those of what was derived. */
function repairOf(plan: RulePlan, frame: Value[], fixes: readonly Fix[]): string | undefined {
  if (plan.repair !== null) return plan.repair(frame);
  const derived = fixes.filter((fix) => fix.t !== 'approval');
  if (derived.length > 0) return derived.map(fixText).join(' ');
  if (plan.form.t !== 'require' || plan.needs.length === 0) return undefined;
  return `Needed first, as the rule asks: ${plan.needs.map((pattern) => `\`${pattern}\``).join(', ')}.`;
}

interface LimitUse {
  readonly used: number;
  readonly hasRoom: boolean;
  readonly refs: readonly Ref[];
}

/** What is taken of a limit: of the session's own, or as the sessions that share it have it. */
function takenOf(limit: LimitPlan, key: string, state: SessionState, run: Run): LimitUse | CelError {
  const { shared, windowMs } = limit;
  if (shared === null) {
    const own = state.limits[limit.id]!;
    const slot = own.slots.get(key);
    return {
      used: usedAt(slot, windowMs, run.now),
      hasRoom: canCount(own, key, windowMs),
      refs: slot?.refs ?? [],
    };
  }
  const session = run as SessionRun;
  const { error, value, seen } = session.fact(shared.id, key, shared.scope, (sink) => {
    const scope = scopeKeyOf(shared.scope, state.identity)!;
    const { used, hasRoom, refs } = session.history!.used(shared.id, scope, key, windowMs, run.now);
    for (const ref of refs) sink.add(ref);
    return hasRoom ? used : null;
  });
  if (error !== undefined) return celError(error.code, error.message) as CelError;
  return {
    used: value === null ? 0 : (value as number),
    hasRoom: value !== null,
    refs: seen.map((step) => refOf(step, run.step.session)),
  };
}

function evaluateLimit(
  plan: RulePlan,
  frame: Value[],
  state: SessionState,
  reservations: Reservation[],
): Firing | null {
  const limit = (plan.form as Extract<RulePlan['form'], { t: 'limit' }>).limit;
  const run = frame[0] as unknown as Run;
  const amountValue = limit.sum === null ? 1 : limit.sum(frame);
  const keyValue = limit.key === null ? '' : limit.key(frame);
  for (const value of [amountValue, keyValue]) {
    if (isCelError(value)) return fire(plan, frame, value.code, NO_WITNESS, value.message);
  }
  const amount = typeof amountValue === 'bigint' ? Number(amountValue) : amountValue;
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0) {
    return fire(
      plan,
      frame,
      'error',
      NO_WITNESS,
      'the amount that the limit sums must be a number of at least 0',
    );
  }
  const key = keyText([keyValue]);
  const taken = takenOf(limit, key, state, run);
  if (isCelError(taken as Value))
    return fire(plan, frame, (taken as CelError).code, NO_WITNESS, (taken as CelError).message);
  const { used, hasRoom, refs } = taken as LimitUse;
  if (!hasRoom) return fire(plan, frame, 'error', NO_WITNESS, 'the limit has more to count than it can keep');
  // Counted also when it fires: the step may still happen, approved or under a rule that only watches.
  if (amount > 0) reservations.push([limit.id, key, amount]);
  if (addDecimal(used, amount) <= limit.max) return null;
  const witness = refs.map((ref) => witnessOf(ref));
  const left = Math.max(0, addDecimal(limit.max, -used));
  const firing = fire(
    plan,
    frame,
    'violated',
    witness,
    plan.because === '' ? `The limit is ${limit.text}; ${used} used.` : undefined,
  );
  const bound: Fix[] =
    limit.path === null ? [] : [{ t: 'at-most', path: limit.path, value: left, exclusive: false }];
  const fixes = [...firing.fixes, ...bound];
  if (firing.repair !== undefined) return { ...firing, fixes };
  return {
    ...firing,
    fixes,
    repair:
      limit.sum === null
        ? `The limit is ${limit.text} and it is used up.`
        : `The limit is ${limit.text}: ${left} is left.`,
  };
}

export function outcomeOf(firing: Firing): RuleOutcome {
  const { plan } = firing;
  return {
    rule: plan.id,
    verdict: plan.verdict,
    mode: plan.mode,
    cause: firing.cause,
    because: firing.because,
    witness: firing.witness,
    controls: plan.controls,
    ...(firing.repair === undefined ? {} : { repair: firing.repair }),
    ...(firing.fixes.length === 0 ? {} : { fixes: firing.fixes }),
    ...(plan.verdict === 'hold' ? { approve: plan.approve } : {}),
  };
}
