// Holds as data: what a held step waits for, who may answer, when the answer is complete, when an approval is used. No
// I/O and no clock; the monitor holds an approval to the same terms (`src/monitor/approvals.ts`).
import type { ApprovalTerms, Decision } from '../monitor/types.ts';
import { rolesAfter } from '../spec/terms.ts';
import type { Step } from '../step/types.ts';
import type { StoredHold } from '../store/store.ts';
import { nativeSha256 } from './native-sha256.ts';
import type { LiveSession } from './session.ts';
import type { Hold } from './types.ts';

/** For a hold by a rule without terms: nobody may approve it, and it closes by itself. */
const NO_TERMS: ApprovalTerms = { by: [], quorum: 1, notPrincipal: true, expiresMs: 3_600_000 };

export function isExpired({ hold }: StoredHold, now: number): boolean {
  return now > hold.expiresAt;
}

/**
 * The hold of a step with the verdict `hold`. A session has one pending hold per binding, as its monitor has: the same
 * act proposed again renews it instead of asking people twice.
 */
export function holdOf(session: LiveSession, step: Step, decision: Decision): StoredHold {
  const { binding } = decision;
  if (binding === undefined) throw new TypeError(`step ${step.seq} is held, but its decision has no binding`);
  const rules = decision.rules.filter((rule) => rule.verdict === 'hold' && rule.mode === 'enforce');
  const given = rules.map((rule) => rule.approve).filter((terms) => terms !== undefined);
  const terms = given.length === 0 ? [NO_TERMS] : given;
  const earlier = session.holds.get(binding);
  const renewed = earlier !== undefined && !isExpired(earlier, step.time) ? earlier.hold : null;
  const hold: Hold = {
    id: renewed?.id ?? holdId(step),
    session: step.session,
    seq: step.seq,
    callId: step.callId ?? null,
    kind: step.kind,
    name: step.name,
    args: decision.transformed ?? step.args ?? {},
    binding,
    rules: rules.map((rule) => rule.rule),
    because: rules.map((rule) => rule.because).join(' '),
    by: [...new Set(terms.flatMap((terms) => terms.by))],
    quorum: Math.max(...terms.map((terms) => terms.quorum)),
    state: 'pending',
    createdAt: renewed?.createdAt ?? step.time,
    expiresAt: step.time + Math.min(...terms.map((terms) => terms.expiresMs)),
    ...escalationOf(terms, renewed?.createdAt ?? step.time),
    answers: renewed?.answers ?? [],
  };
  return { hold, terms, answeredSeq: null, usableUntil: null };
}

/** When, of several rules, the first asks others too, and all whom they ask. */
function escalationOf(terms: readonly ApprovalTerms[], since: number): Pick<Hold, 'escalation'> {
  const given = terms.flatMap(({ escalate }) => (escalate === undefined ? [] : [escalate]));
  if (given.length === 0) return {};
  const at = since + Math.min(...given.map(({ afterMs }) => afterMs));
  return { escalation: { at, to: [...new Set(given.flatMap(({ to }) => to))] } };
}

/** The roles that may answer at a time. */
export function rolesAt({ hold, terms }: StoredHold, now: number): readonly string[] {
  return [...new Set(terms.flatMap((term) => rolesAfter(term, now - hold.createdAt)))];
}

/** The same for the same step, so that a replay can make it again: its digest is part of the approval that follows. */
function holdId({ session, seq }: Step): string {
  return nativeSha256(`hold\n${session}\n${seq}`).slice(0, 32);
}

/** Whether the approvals so far satisfy every rule that holds the step: enough different people, of its roles. */
export function isApproved(
  answers: Hold['answers'],
  terms: readonly ApprovalTerms[],
  principal: string | null,
  waitedMs: number,
) {
  return terms.every((term) => {
    const { quorum, notPrincipal } = term;
    const roles = rolesAfter(term, waitedMs);
    const people = new Set<string>();
    for (const answer of answers) {
      if (!answer.approve || !roles.includes(answer.role)) continue;
      if (notPrincipal && answer.by === principal) continue;
      people.add(answer.by);
    }
    return people.size >= quorum;
  });
}

/** The hold with the `approval` step that recorded its answer. The monitor counts the same time for its use. */
export function answeredBy(stored: StoredHold, step: Step): StoredHold {
  const longestMs = Math.max(...stored.terms.map((terms) => terms.expiresMs));
  return { ...stored, answeredSeq: step.seq, usableUntil: step.time + longestMs };
}

/**
 * Approved holds that this decision used up. A monitor that lets an act through because of an approval turns the rules
 * it answers to `allow` and names the approval step among their witnesses.
 */
export function consumedBy(session: LiveSession, decision: Decision): StoredHold[] {
  if (session.approved.size === 0) return [];
  if (decision.verdict !== 'allow' && decision.verdict !== 'transform') return [];
  const used: StoredHold[] = [];
  for (const rule of decision.rules) {
    if (rule.verdict !== 'allow') continue;
    for (const { kind, seq } of rule.witness) {
      const approved = kind === 'approval' ? session.approved.get(seq) : undefined;
      if (approved === undefined) continue;
      session.approved.delete(seq);
      used.push({ ...approved, hold: { ...approved.hold, state: 'used' } });
    }
  }
  return used;
}

/** An ended session waits for nobody. */
export function closeAll(session: LiveSession): StoredHold[] {
  const closed = [...session.holds.values()].map(
    (stored): StoredHold => ({ ...stored, hold: { ...stored.hold, state: 'expired' } }),
  );
  session.holds.clear();
  return closed;
}
