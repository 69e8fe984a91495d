// Duties: what is owed in a session, found again by what discharges it. Pure.
import { isCelError, type Value } from '../spec/cel/value.ts';
import { patternMatches } from '../spec/pattern.ts';
import type { ObligationPlan, Program } from '../spec/program.ts';
import type { Ref } from '../spec/run.ts';
import { keyText } from '../spec/view.ts';
import type { Step } from '../step/types.ts';

/** Duties of one obligation that one session may have open; past it the rule fires until the session ends. */
export const MAX_DUTIES = 10_000;

/** The `check` step that a live owner records when a deadline has passed. */
export const DEADLINE = 'deadline';

export interface Duty {
  readonly ref: Ref;
  readonly key: string;
  /** Milliseconds since the epoch; null when only an event closes it. */
  readonly deadline: number | null;
  /** A recorded `check` step named `deadline` has come after it. */
  readonly noticed: boolean;
  readonly kept: Value;
}

/** The open duties of one obligation, oldest first: deadlines come in the same order. */
export interface DutyState {
  readonly open: Map<number, Duty>;
  readonly byKey: Map<string, Set<number>>;
  overflowed: boolean;
}

export function noDuties(): DutyState {
  return { open: new Map(), byKey: new Map(), overflowed: false };
}

export function matches(pattern: ObligationPlan['due'] | null, step: Step, program: Program): boolean {
  if (pattern === null) return false;
  return patternMatches(pattern, step.kind, step.name, program.tools.get(step.name)?.contract.effect ?? null);
}

/** The duties that this step discharges. */
export function discharged(plan: ObligationPlan, state: DutyState, frame: Value[], view: Value): Duty[] {
  frame[plan.thenSlot] = view;
  const parts: Value[] = [];
  for (const key of plan.paidKeys) {
    const part = key(frame);
    if (isCelError(part)) return [];
    parts.push(part);
  }
  const found: Duty[] = [];
  for (const seq of state.byKey.get(keyText(parts)) ?? []) {
    const duty = state.open.get(seq)!;
    frame[plan.afterSlot] = duty.kept;
    if (plan.rest.every((condition) => condition(frame) === true)) found.push(duty);
  }
  return found;
}

export function closeDuty(state: DutyState, duty: Duty): void {
  state.open.delete(duty.ref.seq);
  const same = state.byKey.get(duty.key);
  same?.delete(duty.ref.seq);
  if (same?.size === 0) state.byKey.delete(duty.key);
}

/** Opens a duty; false when the step lacks what the obligation is matched by, or there are too many. */
export function openDuty(
  plan: ObligationPlan,
  state: DutyState,
  frame: Value[],
  view: Value,
  ref: Ref,
  now: number,
): boolean {
  frame[plan.afterSlot] = view;
  const parts = plan.owedKeys.map((key) => key(frame));
  const key = parts.some(isCelError) ? '?' : keyText(parts);
  if (state.open.size >= MAX_DUTIES) {
    state.overflowed = true;
    return false;
  }
  const duty: Duty = {
    ref,
    key,
    deadline: plan.withinMs === null ? null : now + plan.withinMs,
    noticed: false,
    kept: plan.keep(view),
  };
  addDuty(state, duty);
  return true;
}

export function addDuty(state: DutyState, duty: Duty): void {
  state.open.set(duty.ref.seq, duty);
  let same = state.byKey.get(duty.key);
  if (same === undefined) {
    same = new Set();
    state.byKey.set(duty.key, same);
  }
  same.add(duty.ref.seq);
}

/** The oldest duties whose deadline has passed. */
export function overdue(state: DutyState, now: number, most: number): Duty[] {
  const late: Duty[] = [];
  for (const duty of state.open.values()) {
    if (duty.deadline === null || duty.deadline >= now || late.length >= most) break;
    late.push(duty);
  }
  return late;
}

/** Marks what is late as announced, so that its owner is not woken for it again. Answers how many there were. */
export function noticeOverdue(state: DutyState, now: number): number {
  let count = 0;
  for (const [seq, duty] of state.open) {
    if (duty.deadline === null || duty.deadline >= now) break;
    if (duty.noticed) continue;
    state.open.set(seq, { ...duty, noticed: true });
    count++;
  }
  return count;
}
