// Holds and their answers: an approval lifts the hold on exactly one act with exactly those arguments, once, in time,
// and only when the rules' own terms are met, so that a replay proves it was rightly given. Pure.
import type { Ref } from '../spec/run.ts';
import { rolesAfter } from '../spec/terms.ts';
import type { Json, Step } from '../step/types.ts';
import type { SessionState } from './state.ts';
import type { ApprovalTerms, RuleOutcome, Verdict } from './types.ts';
import { VERDICTS } from './types.ts';

/** Unanswered holds one session may have; the oldest makes room, and cannot be approved any more. */
export const MAX_HOLDS = 1_000;

export function rememberHold(
  state: SessionState,
  binding: string,
  ref: Ref,
  outcomes: readonly RuleOutcome[],
  now: number,
): void {
  const holding = outcomes.filter((outcome) => outcome.verdict === 'hold' && outcome.mode === 'enforce');
  const terms = holding.map((outcome) => outcome.approve).filter((term) => term !== undefined);
  const expiresAt = now + Math.min(...terms.map((term) => term.expiresMs));
  const earlier = state.holds.get(binding);
  // Asked again while it waits, it has waited since it was first asked.
  const since = earlier !== undefined && now <= earlier.expiresAt ? earlier.since : now;
  state.holds.delete(binding);
  state.holds.set(binding, { ref, terms, rules: holding.map((outcome) => outcome.rule), since, expiresAt });
  if (state.holds.size > MAX_HOLDS) state.holds.delete(state.holds.keys().next().value as string);
}

/** An `approval` step answers the hold it is bound to. One that does not meet the terms changes nothing: false. */
export function applyApproval(state: SessionState, step: Step, ref: Ref, now: number): boolean {
  const binding = step.args?.binding;
  const hold = typeof binding === 'string' ? state.holds.get(binding) : undefined;
  if (hold === undefined || typeof binding !== 'string' || now > hold.expiresAt) return false;
  const by = texts(step.args?.by);
  const roles = texts(step.args?.roles);
  const approved = step.args?.approve === true;
  const { principal } = state.identity;
  if (approved && !hold.terms.every((terms) => meets(terms, by, roles, principal, now - hold.since)))
    return false;
  state.holds.delete(binding);
  // An earlier approval of other rules on the same act still counts; all end with the shortest of their terms.
  const earlier = state.answers.get(binding);
  const kept = approved && earlier?.approved && now <= earlier.expiresAt ? earlier : null;
  const shortest = now + Math.min(...hold.terms.map((terms) => terms.expiresMs));
  state.answers.delete(binding);
  state.answers.set(binding, {
    approved,
    ref,
    by: kept === null ? by : [...new Set([...kept.by, ...by])],
    rules: kept === null ? hold.rules : [...new Set([...kept.rules, ...hold.rules])],
    expiresAt: kept === null ? shortest : Math.min(kept.expiresAt, shortest),
  });
  if (state.answers.size > MAX_HOLDS) state.answers.delete(state.answers.keys().next().value as string);
  return true;
}

function meets(
  terms: ApprovalTerms,
  by: readonly string[],
  roles: readonly string[],
  principal: string | null,
  waitedMs: number,
): boolean {
  const answering = rolesAfter(terms, waitedMs);
  const people = new Set<string>();
  by.forEach((person, index) => {
    const role = roles[index];
    if (role === undefined || !answering.includes(role)) return;
    if (terms.notPrincipal && person === principal) return;
    people.add(person);
  });
  return people.size >= terms.quorum;
}

/**
 * The verdict on a held step once its answer counts: an approval turns the hold outcomes it answers into `allow` and is
 * used up; a refusal turns them into `deny`. Holds by rules that the approval did not answer stay.
 */
export function liftHolds(
  state: SessionState,
  binding: string,
  outcomes: RuleOutcome[],
  now: number,
): Verdict {
  const answer = state.answers.get(binding);
  if (answer !== undefined && now <= answer.expiresAt) {
    const who = answer.by.join(', ') || 'a reviewer';
    outcomes.forEach((outcome, index) => {
      if (outcome.verdict !== 'hold' || outcome.mode !== 'enforce' || !answer.rules.includes(outcome.rule))
        return;
      const witness = [
        ...outcome.witness,
        {
          seq: answer.ref.seq,
          id: answer.ref.id,
          kind: answer.ref.kind,
          name: answer.ref.name,
          note: `${answer.approved ? 'approved' : 'refused'} by ${who}`,
        },
      ];
      const { repair: _, approve: __, ...rest } = outcome;
      outcomes[index] = answer.approved
        ? { ...rest, verdict: 'allow', witness }
        : { ...rest, verdict: 'deny', witness, because: `${outcome.because} Refused by ${who}.` };
    });
  }
  let rank = 0;
  for (const outcome of outcomes)
    if (outcome.mode === 'enforce') rank = Math.max(rank, VERDICTS.indexOf(outcome.verdict));
  if (answer?.approved && rank < VERDICTS.indexOf('hold')) state.answers.delete(binding);
  return VERDICTS[rank]!;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
