// Takes a decided step into the session's state: history views, limit slots, open calls, origins, labels. Pure.
import { BUDGET_SLOT } from '../spec/cel/compile.ts';
import { isCelError, type Value } from '../spec/cel/value.ts';
import { contentInfo } from '../spec/flow.ts';
import type { LimitPlan, Program, ToolPlan } from '../spec/program.ts';
import type { Ref, SourceInfo } from '../spec/run.ts';
import { scopeKeyOf } from '../spec/shared.ts';
import { addToCell, emptyCell, keyText, MAX_CELLS, UNDECIDED, type ViewPlan } from '../spec/view.ts';
import { ENFORCEABILITY, type Json, type JsonObject, type Step } from '../step/types.ts';
import { closeDuty, DEADLINE, discharged, matches, noticeOverdue, openDuty } from './duties.ts';
import type { Reservation } from './evaluate.ts';
import { nextState } from './evaluate-forms.ts';
import { stepView } from './frame.ts';
import type { SharedHistory } from './history.ts';
import { release, reserve } from './limits.ts';
import { arriveInPair } from './pairs.ts';
import type { OpenCall, SessionState } from './state.ts';
import type { Verdict } from './types.ts';

/** Calls without a result that one session may have; past it the oldest is forgotten (its slots stay taken). */
export const MAX_OPEN_CALLS = 10_000;
const MAX_LABELS = 1_000;

export interface Decided {
  readonly program: Program;
  readonly frame: Value[];
  readonly state: SessionState;
  readonly step: Step;
  readonly ref: Ref;
  readonly verdict: Verdict;
  /** It took effect: nothing stopped it, or nothing could. */
  readonly happened: boolean;
  /** What its session shares with others; null when they are not at hand. */
  readonly history: SharedHistory | null;
  readonly args: JsonObject | undefined;
  readonly labels: readonly string[];
  readonly tool: ToolPlan | undefined;
  readonly open: OpenCall | undefined;
  readonly reservations: readonly Reservation[];
  readonly now: number;
  /** The step came with both content and a result: the one was not parsed out of the other. */
  readonly contentApart: boolean;
}

/** Whether the step takes effect: nothing stopped it, or nothing could. */
export function takesEffect(step: Step, verdict: Verdict): boolean {
  return ENFORCEABILITY[step.kind] !== 'suppressable' || verdict === 'allow' || verdict === 'transform';
}

/** Changes the state; answers what changed, for the state digest. */
export function remember(decided: Decided): readonly Json[] {
  const changes: Json[] = [];
  const { step, happened } = decided;
  rememberViews(decided, happened && !isOfDenied(decided), changes);
  if (decided.program.obligations.length > 0 && happened && !isOfDenied(decided))
    rememberDuties(decided, changes);
  if (decided.program.orders.length > 0 && happened && !isOfDenied(decided)) rememberOrders(decided, changes);
  const reserved = happened ? reserveSlots(decided, changes) : [];
  if (step.kind === 'tool.call') rememberCall(decided, happened, reserved, changes);
  if (step.kind === 'tool.result') rememberResult(decided, changes);
  if (happened) rememberContent(decided, changes);
  return changes;
}

/** A result that claims to come of a call that was refused proves nothing; what it brought in is remembered all the same. */
function isOfDenied({ step, open }: Decided): boolean {
  return step.kind === 'tool.result' && open?.denied === true;
}

// Every view is asked before any is changed: the past is strictly before this step.
function rememberViews(decided: Decided, happened: boolean, changes: Json[]): void {
  const { program, step } = decided;
  const plans = program.viewsFor(step.kind, step.name);
  if (plans.length === 0) return;
  const view = stepView(step, decided.args, decided.labels, decided.now);
  const updates: { plan: ViewPlan; key: string; value: number | null; kept: Value }[] = [];
  for (const plan of plans) {
    if (!happened && !plan.pattern.attempts) continue;
    const update = arrive(plan, decided.frame, view);
    if (update !== null) updates.push({ plan, ...update });
  }
  for (const { plan, key: wanted, value, kept } of updates) {
    const cells = decided.state.views[plan.id]!;
    if (plan.pair !== null && !arriveInPair(plan.pair, cells, decided.state.views, wanted, decided.ref))
      continue;
    // No room for one more key: that this step matched is remembered, under which key is not.
    const key = cells.has(wanted) || cells.size < MAX_CELLS ? wanted : UNDECIDED;
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = emptyCell(plan.entries);
      cells.set(key, cell);
    }
    addToCell(plan, cell, decided.ref, decided.now, value, kept);
    changes.push(['view', plan.id, key, value, cell.count]);
  }
}

/** Null when the view's own conditions do not hold of the step, or speak of what it does not have. */
export function arrive(
  plan: ViewPlan,
  frame: Value[],
  view: Value,
): { key: string; value: number | null; kept: Value } | null {
  const undecided = { key: UNDECIDED, value: null, kept: null };
  frame[BUDGET_SLOT] = 0;
  frame[plan.slot] = view;
  for (const condition of plan.local) {
    const holds = condition(frame);
    if (holds === true) continue;
    return holds === false || (isCelError(holds) && holds.code === 'absent') ? null : undecided;
  }
  const parts: Value[] = [];
  for (const key of plan.keys) {
    const part = key(frame);
    if (isCelError(part)) return part.code === 'absent' ? null : undecided;
    parts.push(part);
  }
  let value: number | null = null;
  if (plan.value !== null) {
    const folded = plan.value(frame);
    const number = typeof folded === 'bigint' ? Number(folded) : folded;
    value = typeof number === 'number' && Number.isFinite(number) ? number : Number.NaN;
  }
  return { key: keyText(parts), value, kept: plan.keep === null ? null : plan.keep(view) };
}

/** What was owed and is now done, then what this step makes owed. A failed act makes nothing owed. */
function rememberDuties(decided: Decided, changes: Json[]): void {
  const { program, state, step, frame } = decided;
  const view = stepView(step, decided.args, decided.labels, decided.now);
  for (const plan of program.obligations) {
    const { obligation } = plan.form;
    const duties = state.duties[obligation.id]!;
    if (step.kind === 'check' && step.name === DEADLINE) {
      const late = noticeOverdue(duties, decided.now);
      if (late > 0) changes.push(['late', obligation.id, late]);
    }
    if (duties.open.size > 0 && matches(obligation.due, step, program) && step.error === undefined) {
      for (const duty of discharged(obligation, duties, frame, view)) {
        closeDuty(duties, duty);
        changes.push(['done', obligation.id, duty.ref.seq]);
      }
    }
    if (step.error !== undefined || !obligation.owes.some((pattern) => matches(pattern, step, program)))
      continue;
    frame[BUDGET_SLOT] = 0;
    if (plan.when !== null && plan.when(frame) === false) continue;
    if (plan.unless !== null && plan.unless(frame) === true) continue;
    openDuty(obligation, duties, frame, view, decided.ref, decided.now);
    changes.push(['owed', obligation.id, decided.ref.seq]);
  }
}

function rememberOrders(decided: Decided, changes: Json[]): void {
  for (const plan of decided.program.orders) {
    const at = decided.state.orders[plan.id]!;
    const next = nextState(plan, at.state, decided.step, decided.program);
    if (next === null) continue;
    decided.state.orders[plan.id] = { state: next, ref: decided.ref };
    if (next !== at.state) changes.push(['state', plan.id, next]);
  }
}

/** Context flows: the first step that brought followed content in, until a declassifier sets it free. */
function rememberFlows(decided: Decided, source: SourceInfo, changes: Json[]): void {
  for (const plan of decided.program.flows) {
    if (plan.track !== 'context') continue;
    const { taints } = decided.state;
    if (plan.free(source)) {
      if (taints[plan.id] !== null) changes.push(['free', plan.id]);
      taints[plan.id] = null;
    } else if (taints[plan.id] === null && plan.from(source)) {
      taints[plan.id] = decided.ref;
      changes.push(['taint', plan.id]);
    }
  }
}

/** Takes the slots that the step's limits counted; answers those that a failure gives back. */
function reserveSlots(decided: Decided, changes: Json[]): Reservation[] {
  const reserved: Reservation[] = [];
  const counted = new Set<string>();
  for (const [limitId, key, amount] of decided.reservations) {
    const plan = decided.program.limits[limitId]!;
    // Rules that count the same, to different maxima, share one count where sessions do: a step is in it once.
    const shared = plan.shared === null ? null : `${plan.shared.id}\n${key}`;
    if (shared !== null && counted.has(shared)) continue;
    if (shared !== null) counted.add(shared);
    takeSlot(decided, plan, key, amount);
    if (plan.by === 'success') reserved.push([limitId, key, amount]);
    changes.push(['take', limitId, key, amount]);
  }
  return reserved;
}

function takeSlot(decided: Decided, plan: LimitPlan, key: string, amount: number): void {
  const { state, history, now, ref, step } = decided;
  const { windowMs, shared } = plan;
  if (shared === null) {
    reserve(state.limits[plan.id]!, key, amount, windowMs, now, ref);
    return;
  }
  const scope = scopeKeyOf(shared.scope, state.identity);
  if (scope !== null)
    history?.take(shared.id, scope, key, { amount, windowMs, now, ref: { ...ref, session: step.session } });
}

function returnSlot(decided: Decided, plan: LimitPlan, key: string, amount: number, ref: Ref): void {
  const { state, history, step } = decided;
  const scope = plan.shared === null ? null : scopeKeyOf(plan.shared.scope, state.identity);
  if (plan.shared === null) release(state.limits[plan.id]!, key, amount, ref.seq);
  else if (scope !== null)
    history?.giveBack(plan.shared.id, scope, key, amount, { ...ref, session: step.session });
}

function rememberCall(
  decided: Decided,
  happened: boolean,
  reserved: readonly Reservation[],
  changes: Json[],
): void {
  const { state, step, ref } = decided;
  // An allowed call keeps its id until its result: another one under the same id must not take its place.
  if (step.callId === undefined || state.calls.get(step.callId)?.allowed) return;
  state.calls.delete(step.callId);
  state.calls.set(step.callId, {
    ref,
    name: step.name,
    args: step.args ?? {},
    allowed: happened,
    denied: decided.verdict === 'deny' || decided.verdict === 'halt',
    reserved,
  });
  if (state.calls.size > MAX_OPEN_CALLS) state.calls.delete(state.calls.keys().next().value as string);
  changes.push(['call', step.callId]);
}

function rememberResult(decided: Decided, changes: Json[]): void {
  const { state, step, open } = decided;
  if (open === undefined || step.callId === undefined) return;
  state.calls.delete(step.callId);
  changes.push(['result', step.callId]);
  if (step.error === undefined) return;
  for (const [limitId, key, amount] of open.reserved) {
    returnSlot(decided, decided.program.limits[limitId]!, key, amount, open.ref);
    changes.push(['return', limitId, key, amount]);
  }
}

/** Content that has come in: its labels, its trust, and where its values were seen. */
function rememberContent(decided: Decided, changes: Json[]): void {
  const { state, step, ref, program, tool } = decided;
  for (const label of decided.labels) {
    if (state.labels.has(label) || state.labels.size >= MAX_LABELS) continue;
    state.labels.set(label, ref);
    changes.push(['label', label]);
  }
  const source = sourceOf(step, tool, decided.labels);
  if (source === null) return;
  const untrusted = step.kind === 'tool.result' ? (tool?.untrusted ?? true) : !source.trusted;
  if (untrusted && state.untrusted === null) {
    state.untrusted = ref;
    changes.push(['untrusted']);
  }
  if (program.flows.length > 0) rememberFlows(decided, contentInfo(source, untrusted), changes);
  if (!program.usesOrigins) return;
  changes.push(['origin', source.name]);
  const annotations = tool?.annotations ?? null;
  // Text that stands beside structure, or has none, is as trusted as the least of the tool's fields.
  const text: SourceInfo = { ...source, trusted: source.trusted && !untrusted };
  if (step.result !== undefined && step.result !== null)
    state.origins.add(ref, source, step.result, annotations);
  if (step.content !== undefined) {
    if (step.result === undefined) state.origins.add(ref, text, step.content, null);
    else if (decided.contentApart) state.origins.add(ref, text, step.content, null, step.result);
  }
  if (step.error !== undefined) state.origins.add(ref, { ...text, trusted: false }, step.error.message, null);
}

/** Where a step's content comes from; null for what the model itself made. */
function sourceOf(step: Step, tool: ToolPlan | undefined, labels: readonly string[]): SourceInfo | null {
  switch (step.kind) {
    case 'input':
      return { name: step.name === 'system' ? 'system' : 'user', trusted: true, labels };
    case 'tool.result':
      return {
        name: `tool:${step.name}`,
        tool: step.name,
        trusted: tool?.contract.trust === 'trusted',
        labels,
      };
    case 'retrieval':
      return { name: `retrieval:${step.name}`, trusted: false, labels };
    case 'memory.read':
      return { name: 'memory', trusted: false, labels };
    case 'handoff':
      return { name: `handoff:${step.agent?.name ?? step.name}`, trusted: false, labels };
    default:
      return null;
  }
}
