// From a proposal to permission: decides, waits for people where the verdict is a hold, and throws for everything that
// does not allow the step. The one place where a verdict becomes control flow.
import { randomUUID } from 'node:crypto';
import type { Hold, Proposal, Recorded } from '../engine/types.ts';
import type { Decision } from '../monitor/types.ts';
import {
  becauseOf,
  DecisionUnavailable,
  type HoldToken,
  SessionHalted,
  StepDenied,
  StepHeld,
} from './errors.ts';
import type { Transport } from './transport.ts';

export interface HoldOptions {
  /** `wait` for the answer (the default), or `suspend`: throw `StepHeld` at once, to be resumed in any later process. */
  readonly onHold?: 'wait' | 'suspend';
  /** With `wait`: how long before `StepHeld` is thrown all the same. By default as long as the hold itself lasts. */
  readonly holdTimeoutMs?: number;
}

export interface CheckOptions {
  /** `run` has checks made that a denial asks for, and proposes again once they pass; `report` (the default) throws. */
  readonly onMissingCheck?: 'run' | 'report';
}

export interface PermitOptions extends HoldOptions, CheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** The step has already happened and only its delivery is decided. */
  readonly ran?: boolean;
  /** Told of each decision on the step as it comes. */
  readonly onDecision?: (recorded: Recorded) => void;
}

/** One wait on the server; a longer wait is several of these. */
const WAIT_MS_MAX = 30_000;
/** What every step of a session is denied by once a rule has halted it. */
const HALTED = '$halted';
/** Added to a hold's end, so that its owner has marked it expired when it is read again. */
const EXPIRY_SLACK_MS = 100;

/** Resolves with the decision once it is `allow` or `transform`. Each attempt is a new step with an id of its own. */
export async function permit(
  transport: Transport,
  session: string,
  proposal: Proposal,
  options: PermitOptions,
): Promise<Recorded> {
  const ran = options.ran ?? false;
  const made = new Set<string>();
  for (;;) {
    const recorded = await transport.decide(session, { ...proposal, id: randomUUID() });
    options.onDecision?.(recorded);
    const { decision } = recorded;
    switch (decision.verdict) {
      case 'allow':
      case 'transform':
        return recorded;
      case 'deny':
        if (decision.rules[0]?.rule === HALTED) throw new SessionHalted(decision);
        if (options.onMissingCheck === 'run' && (await madeChecks(transport, session, decision, made))) break;
        throw new StepDenied({
          reason: 'rule',
          because: becauseOf(decision),
          rules: rulesOf(decision),
          decision,
          ran,
        });
      case 'halt':
        throw new SessionHalted(decision);
      case 'hold': {
        const token = tokenOf(session, proposal, recorded);
        if (options.onHold === 'suspend') throw new StepHeld(token, becauseOf(decision));
        await approved(transport, token, decision, options);
      }
    }
  }
}

/** Makes each check that the denial asks for, once; true when all of them passed and there was one. */
async function madeChecks(
  transport: Transport,
  session: string,
  decision: Decision,
  made: Set<string>,
): Promise<boolean> {
  let passed = false;
  for (const fix of decision.rules.flatMap((rule) => rule.fixes ?? [])) {
    if (fix.t !== 'run-check') continue;
    const key = JSON.stringify([fix.check, fix.subject]);
    if (made.has(key)) return false;
    made.add(key);
    const request = { name: fix.check, subject: fix.subject, attestation: null };
    if (!hasPassed(await transport.check(session, request))) return false;
    passed = true;
  }
  return passed;
}

export function hasPassed({ step }: Recorded): boolean {
  return (step.result as { passed?: unknown } | undefined)?.passed === true;
}

function tokenOf(session: string, proposal: Proposal, recorded: Recorded): HoldToken {
  if (recorded.holdId === undefined)
    throw new DecisionUnavailable('The step is held, but the hold has no id.');
  const { name, callId = '', args = {} } = proposal;
  return { session, hold: recorded.holdId, callId, name, args };
}

/** Resolves when the hold is approved; throws when it is refused, over, or still pending after `holdTimeoutMs`. */
export async function approved(
  transport: Transport,
  token: HoldToken,
  decision: Decision | null,
  options: PermitOptions,
): Promise<void> {
  const giveUpAt =
    Date.now() + (options.onHold === 'suspend' ? 0 : (options.holdTimeoutMs ?? Number.POSITIVE_INFINITY));
  let waitMs = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const hold = await transport.holdChange(token.hold, waitMs, options.signal);
    if (hold === null) throw new DecisionUnavailable(`The hold ${token.hold} is not known.`);
    switch (hold.state) {
      case 'approved':
        return;
      case 'refused':
      case 'expired':
      case 'used':
        throw closed(hold, hold.state, decision, options.ran ?? false);
      case 'pending': {
        const now = Date.now();
        if (now >= giveUpAt) throw new StepHeld(token, hold.because);
        const untilExpiryMs = Math.max(0, hold.expiresAt - now) + EXPIRY_SLACK_MS;
        waitMs = Math.min(WAIT_MS_MAX, giveUpAt - now, untilExpiryMs);
      }
    }
  }
}

function closed(
  hold: Hold,
  reason: 'refused' | 'expired' | 'used',
  decision: Decision | null,
  ran: boolean,
): StepDenied {
  return new StepDenied({ reason, because: closedBecause(hold), rules: hold.rules, decision, ran });
}

function closedBecause(hold: Hold): string {
  switch (hold.state) {
    case 'refused': {
      const refusal = hold.answers.findLast((answer) => !answer.approve);
      if (refusal === undefined) return 'The approval was refused.';
      return `${refusal.by} (${refusal.role}) refused${refusal.reason === null ? '.' : `: ${refusal.reason}`}`;
    }
    case 'used':
      return 'The approval was already used; an approval is good for one call.';
    default:
      return 'Nobody approved the step in time.';
  }
}

function rulesOf(decision: Decision): readonly string[] {
  return decision.rules.map((outcome) => outcome.rule);
}
