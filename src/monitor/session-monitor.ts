// The monitor of one session under one spec: decides a step, then remembers it. Deterministic, incremental, pure: the
// cost of a decision depends on the rules that match the step and not on the steps before it.

import { BUDGET_SLOT } from '../spec/cel/compile.ts';
import type { Value } from '../spec/cel/value.ts';
import { joinWatches } from '../spec/content-watch.ts';
import type { Program, ToolPlan } from '../spec/program.ts';
import { FIRST_LOCAL, type Ref } from '../spec/run.ts';
import { type SessionIdentity, scopeKeyOf } from '../spec/shared.ts';
import { canonicalize } from '../step/canonical.ts';
import { digestText } from '../step/digest.ts';
import { parseStructure } from '../step/structure.ts';
import { ENFORCEABILITY, type Json, type JsonObject, type Step } from '../step/types.ts';
import { ENGINE_VERSION } from '../step/version.ts';
import { applyApproval, liftHolds, rememberHold } from './approvals.ts';
import { contractOutcomes } from './contract.ts';
import { evaluateOwed, evaluateRule, type Firing, outcomeOf, type Reservation } from './evaluate.ts';
import { earliestDeadline } from './evaluate-forms.ts';
import { argsOf, fillFrame, stepLabels, stepView } from './frame.ts';
import type { SharedHistory } from './history.ts';
import type { Arrival, Foresight, Monitor, MonitorState, StepOutcome } from './monitor.ts';
import { arrive, remember, takesEffect } from './remember.ts';
import { SessionRun } from './run.ts';
import { freshState, loadState, type OpenCall, type SessionState, saveState } from './state.ts';
import { stoppedOutcome } from './stopped.ts';
import { transformedArgs } from './transform.ts';
import { type Decision, type RuleOutcome, VERDICTS, type Verdict } from './types.ts';
import { joinWitnesses, NO_WITNESS } from './witness.ts';

/** Rounds of rewriting one step: each rule rewrites it once. */
const MAX_REWRITES = 20;

export interface MonitorOptions {
  /** Index new content when it arrives (live: questions stay cheap) or when first asked for (replay: less work). The same verdicts either way. */
  readonly origins?: 'eager' | 'lazy';
}

/** What a step's evaluation found, before anything is remembered. */
interface Judgement {
  readonly outcomes: RuleOutcome[];
  readonly reservations: Reservation[];
  readonly transforms: Firing[];
}

export function createMonitor(program: Program, options: MonitorOptions = {}): Monitor {
  const frame: Value[] = new Array<Value>(Math.max(program.frameSize, FIRST_LOCAL)).fill(null);
  const run = new SessionRun();
  frame[0] = run as unknown as Value;
  const eager = options.origins !== 'lazy';
  const shares = [...program.sharedViews, ...program.limits].flatMap(({ shared }) => shared?.id ?? []);

  function judge(state: SessionState, step: Step, tool: ToolPlan | undefined): Judgement {
    const judgement: Judgement = { outcomes: [], reservations: [], transforms: [] };
    const stopped = stoppedOutcome(step);
    if (stopped !== null) {
      judgement.outcomes.push(stopped);
      return judgement;
    }
    if (
      state.halted !== null &&
      ENFORCEABILITY[step.kind] === 'suppressable' &&
      step.kind !== 'session.end'
    ) {
      judgement.outcomes.push(haltedOutcome(state.halted.ref, state.halted.rule));
      return judgement;
    }
    if (step.kind === 'tool.call') contractOutcomes(program, step, tool, judgement.outcomes);
    for (const plan of program.rulesFor(step.kind, step.name)) {
      const firing = evaluateRule(plan, frame, state, program, judgement.reservations);
      if (firing === null) continue;
      judgement.outcomes.push(outcomeOf(firing));
      if (plan.form.t === 'transform' && plan.mode === 'enforce') judgement.transforms.push(firing);
    }
    if (program.obligations.length > 0) judgeOwed(state, step, tool, judgement.outcomes);
    return judgement;
  }

  function judgeOwed(
    state: SessionState,
    step: Step,
    tool: ToolPlan | undefined,
    outcomes: RuleOutcome[],
  ): void {
    if (state.halted !== null) return;
    const open = step.kind === 'tool.result' ? openCall(state, step) : undefined;
    const view = () => stepView(step, argsOf(step, open), stepLabels(step, tool), run.now);
    for (const plan of program.obligations) {
      const firing = evaluateOwed(plan, frame, view, step, state, program);
      if (firing !== null) outcomes.push(outcomeOf(firing));
    }
  }

  function step(opaque: MonitorState, proposed: Step, history?: SharedHistory): StepOutcome {
    const given = withStructure(proposed);
    const state = opaque as unknown as SessionState;
    const now = Math.max(state.time, given.time);
    const ref: Ref = { seq: given.seq, id: given.id, kind: given.kind, name: given.name };
    if (given.kind === 'session.start') state.identity = identityOf(given);
    const open = given.kind === 'tool.result' ? openCall(state, given) : undefined;
    const tool = program.tools.get(given.name);
    run.enter(state, given, now, history ?? null);
    fillFrame(frame, given, state, open, tool, now);
    let judgement = judge(state, given, tool);
    let verdict = strictest(judgement.outcomes, true);
    let effective = given;
    let transformed: JsonObject | undefined;
    // A rewritten step is judged like any other, so that no rewrite slips past a rule, nor past another rewrite.
    const rewriting = new Map<string, RuleOutcome>();
    for (let round = 0; verdict === 'transform' || verdict === 'hold'; round++) {
      const fresh = judgement.transforms.filter((firing) => !rewriting.has(firing.plan.id));
      if (fresh.length === 0 || round >= MAX_REWRITES) break;
      for (const firing of fresh) rewriting.set(firing.plan.id, outcomeOf(firing));
      transformed = transformedArgs(fresh, frame, effective.args ?? {});
      effective = { ...given, args: transformed };
      fillFrame(frame, effective, state, open, tool, now);
      judgement = judge(state, effective, tool);
      const others = judgement.outcomes.filter((outcome) => !rewriting.has(outcome.rule));
      judgement = { ...judgement, outcomes: [...others, ...rewriting.values()] };
      verdict = strictest(judgement.outcomes, true);
    }
    let binding: string | undefined;
    const answers: Json[] = [];
    if (verdict === 'hold') {
      binding = bindingOf(effective);
      verdict = liftHolds(state, binding, judgement.outcomes, now);
      if (verdict === 'hold') rememberHold(state, binding, ref, judgement.outcomes, now);
      answers.push([verdict === 'hold' ? 'hold' : 'answered', binding]);
    }
    const sorted = sortOutcomes(judgement.outcomes, program);
    const decision = decisionOf(
      given,
      verdict,
      sorted,
      verdict === 'transform' || verdict === 'hold' ? transformed : undefined,
      verdict === 'hold' ? binding : undefined,
    );
    if (given.kind === 'approval' && applyApproval(state, effective, ref, now))
      answers.push(['answer', effective.args?.binding ?? null, effective.args?.approve === true]);
    const metrics = program.metrics.length === 0 ? [] : counted(program, frame, effective, verdict);
    const args = argsOf(effective, open);
    const labels = stepLabels(given, tool);
    const happened = takesEffect(effective, verdict);
    const changes = remember({
      program,
      history: run.history,
      verdict,
      happened,
      frame,
      state,
      step: effective,
      ref,
      args,
      labels,
      tool,
      open,
      reservations: judgement.reservations,
      now,
      contentApart: proposed.result !== undefined && proposed.content !== undefined,
    });
    if (verdict === 'halt' && state.halted === null) state.halted = { ref, rule: sorted[0]!.rule };
    if (eager && program.usesOrigins) state.origins.settle();
    state.steps++;
    state.time = now;
    const facts = run.asked();
    return {
      decision,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(facts.length === 0 ? {} : { facts }),
      ...(history === undefined
        ? {}
        : {
            arrival: {
              step: effective,
              happened: happened && open?.denied !== true,
              args,
              now,
              identity: state.identity,
            },
          }),
      changes: JSON.stringify([
        given.seq,
        now,
        verdict,
        ...sorted.map((outcome) => outcome.rule),
        [...answers, ...changes],
      ]),
    };
  }

  function foresee(opaque: MonitorState, proposed: Step, history?: SharedHistory): Foresight {
    const given = withStructure(proposed);
    const state = opaque as unknown as SessionState;
    const now = Math.max(state.time, given.time);
    const open = given.kind === 'tool.result' ? openCall(state, given) : undefined;
    const tool = program.tools.get(given.name);
    run.enter(state, given, now, history ?? null);
    fillFrame(frame, given, state, open, tool, now);
    const { outcomes } = judge(state, given, tool);
    const owed = program.obligations.filter((plan) => plan.watch.t !== 'free');
    const asked = [...program.rulesFor(given.kind, given.name), ...owed];
    return {
      verdict: strictest(outcomes, true),
      rules: sortOutcomes(outcomes, program),
      watch: joinWatches(asked.filter((plan) => plan.mode === 'enforce').map((plan) => plan.watch)),
    };
  }

  function feed(arrival: Arrival, history: SharedHistory, done: Set<string>): void {
    const { happened, now, identity } = arrival;
    const plans = program.sharedViewsFor(arrival.step.kind, arrival.step.name);
    if (plans.length === 0) return;
    const taken = withStructure(arrival.step);
    const labels = stepLabels(taken, program.tools.get(taken.name));
    const { session, seq, id, kind, name } = taken;
    const view = stepView(taken, arrival.args, labels, now);
    for (const plan of plans) {
      const shared = plan.shared!;
      if (done.has(shared.id) || (!happened && !plan.pattern.attempts)) continue;
      done.add(shared.id);
      const scope = scopeKeyOf(shared.scope, identity);
      const arrived = scope === null ? null : arrive(plan, frame, view);
      if (arrived !== null) history.add(plan, scope!, arrived, { session, seq, id, kind, name }, now);
    }
  }

  function decisionOf(
    given: Step,
    verdict: Verdict,
    rules: readonly RuleOutcome[],
    transformed: JsonObject | undefined,
    binding: string | undefined,
  ): Decision {
    const acting = rules.find((outcome) => outcome.mode === 'enforce' && outcome.verdict === verdict);
    const repair = (acting ?? rules[0])?.repair;
    return {
      session: given.session,
      seq: given.seq,
      step: given.id,
      verdict,
      wouldBe: strictest(rules, false),
      mode: acting === undefined && rules.length > 0 && verdict === 'allow' ? rules[0]!.mode : 'enforce',
      rules,
      witness: rules.length === 0 ? NO_WITNESS : joinWitnesses(rules),
      ...(repair === undefined ? {} : { repair }),
      ...(transformed === undefined ? {} : { transformed }),
      ...(binding === undefined ? {} : { binding }),
      spec: program.digest,
      engine: ENGINE_VERSION,
    };
  }

  return {
    spec: program.digest,
    start: () => freshState(program) as unknown as MonitorState,
    step,
    foresee,
    feed,
    shares,
    checks: program.checks,
    deadline: (state) => earliestDeadline(state as unknown as SessionState),
    save: (state) => saveState(state as unknown as SessionState, program),
    load: (saved: Json) => loadState(saved, program) as unknown as MonitorState,
  };
}

/** Whose a session is; nothing that comes later changes it. */
function identityOf({ principal, tenant, agent }: Step): SessionIdentity {
  return { principal: principal ?? null, tenant: tenant ?? null, agent: agent?.name ?? null };
}

/** Structure in the text of what came in, parsed here so that live and replayed sessions see the same. */
function withStructure(step: Step): Step {
  if (step.content === undefined || step.result !== undefined || step.error !== undefined) return step;
  if (step.kind !== 'tool.result' && step.kind !== 'retrieval' && step.kind !== 'memory.read') return step;
  const result = parseStructure(step.content);
  return result === undefined ? step : { ...step, result };
}

/** The call that a result answers: of its own tool. */
function openCall(state: SessionState, result: Step): OpenCall | undefined {
  const open = result.callId === undefined ? undefined : state.calls.get(result.callId);
  return open?.name === result.name ? open : undefined;
}

/** What an approval binds to: the digest of the act's kind, name, exact arguments and attributes (RFC 8785 canonical form). */
export function bindingOf({ kind, name, args = {}, content, attributes }: Step): string {
  const act = { kind, name, args, content: content ?? null };
  return digestText(canonicalize(attributes === undefined ? act : { ...act, attributes }));
}

export function strictest(outcomes: readonly RuleOutcome[], enforcedOnly: boolean): Verdict {
  let rank = 0;
  for (const outcome of outcomes) {
    if (enforcedOnly && outcome.mode !== 'enforce') continue;
    rank = Math.max(rank, VERDICTS.indexOf(outcome.verdict));
  }
  return VERDICTS[rank]!;
}

function sortOutcomes(outcomes: RuleOutcome[], program: Program): readonly RuleOutcome[] {
  if (outcomes.length < 2) return outcomes;
  const place = new Map(program.rules.map((rule) => [rule.id, rule.index]));
  const enforced = (outcome: RuleOutcome) => (outcome.mode === 'enforce' ? 1 : 0);
  return outcomes.sort(
    (a, b) =>
      enforced(b) - enforced(a) ||
      VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict) ||
      (place.get(a.rule) ?? -1) - (place.get(b.rule) ?? -1),
  );
}

/** The metrics that count the step; asked before it becomes history. */
function counted(
  program: Program,
  frame: Value[],
  step: Step,
  verdict: Verdict,
): { metric: string; bad: boolean | null }[] {
  const found: { metric: string; bad: boolean | null }[] = [];
  for (const metric of program.metricsFor(step.kind, step.name)) {
    frame[BUDGET_SLOT] = 0;
    if (metric.when !== null && metric.when(frame) === false) continue;
    if (metric.unless !== null && metric.unless(frame) === true) continue;
    frame[metric.verdictSlot] = verdict;
    const bad = metric.bad(frame);
    found.push({ metric: metric.id, bad: typeof bad === 'boolean' ? bad : null });
  }
  return found;
}

function haltedOutcome(ref: Ref, rule: string): RuleOutcome {
  return {
    rule: '$halted',
    verdict: 'deny',
    mode: 'enforce',
    cause: 'violated',
    because: `The session was halted by rule ${rule}; nothing more may happen in it.`,
    witness: [{ seq: ref.seq, id: ref.id, kind: ref.kind, name: ref.name }],
    controls: [],
  };
}
