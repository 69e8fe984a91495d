// What a guarded call can throw. A denial is the policy's answer; an unavailable decision is a failure of ours, and the
// tool did not run unless `ran` says so.
import type { EngineProblem, Recorded } from '../engine/types.ts';
import type { Decision, Fix, Witness } from '../monitor/types.ts';
import type { FieldProblem } from '../step/json.ts';
import type { JsonObject } from '../step/types.ts';

/** Base of every error of the SDK; `code` is stable. */
export class InterlockError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Why a step was denied: by a rule, by a person, or because nobody approved it in time or the approval was used. */
export type DenialReason = 'rule' | 'refused' | 'expired' | 'used';

/** The policy does not allow the step. `repair` says what would be allowed; `witness` which earlier steps decided it. */
export class StepDenied extends InterlockError {
  readonly reason: DenialReason;
  readonly because: string;
  /** Ids of the rules that fired, strictest first. */
  readonly rules: readonly string[];
  readonly repair: string | undefined;
  readonly witness: readonly Witness[];
  /** Null when a hold from an earlier process ended without approval: the decision is then in the record only. */
  readonly decision: Decision | null;
  /** True when the tool ran and only its result is withheld. */
  readonly ran: boolean;
  constructor(denial: Denial) {
    super('step-denied', denial.because);
    const { decision } = denial;
    this.reason = denial.reason;
    this.because = denial.because;
    this.rules = denial.rules;
    this.repair = denial.reason === 'rule' ? decision?.repair : undefined;
    this.witness = decision?.witness ?? [];
    this.decision = decision;
    this.ran = denial.ran;
  }
}

export interface Denial {
  readonly reason: DenialReason;
  readonly because: string;
  readonly rules: readonly string[];
  readonly decision: Decision | null;
  readonly ran: boolean;
}

/** A rule stopped the whole session: it takes no further steps. */
export class SessionHalted extends InterlockError {
  readonly decision: Decision;
  readonly because: string;
  constructor(decision: Decision) {
    const because = becauseOf(decision);
    super('session-halted', because);
    this.decision = decision;
    this.because = because;
  }
}

/** Everything needed to continue a held call in any later process. Plain JSON: store it as it is. */
export interface HoldToken {
  readonly session: string;
  readonly hold: string;
  readonly callId: string;
  readonly name: string;
  readonly args: JsonObject;
}

/** The step waits for a person. Continue with `session.resume(token, tool)` once it is answered. */
export class StepHeld extends InterlockError {
  readonly token: HoldToken;
  constructor(token: HoldToken, because: string) {
    super('step-held', because);
    this.token = token;
  }
}

/** No decision could be had: the engine or its server failed or cannot be reached. Fails closed. */
export class DecisionUnavailable extends InterlockError {
  /** True when the tool had already run and only recording its result failed. */
  readonly ran: boolean;
  constructor(message: string, options: { cause?: unknown; ran?: boolean } = {}) {
    super('decision-unavailable', message, { cause: options.cause });
    this.ran = options.ran ?? false;
  }
}

/** The engine refused the request itself, e.g. `session-ended` or `duplicate-id`: the caller's mistake, not a denial. */
export class RequestRefused extends InterlockError {
  readonly mend: string | undefined;
  constructor(code: string, message: string, mend?: string) {
    super(code, mend === undefined ? message : `${message} ${mend}`);
    this.mend = mend;
  }
}

/** The arguments, token or proposal cannot be carried as JSON, or have the wrong shape. */
export class InvalidProposal extends InterlockError {
  readonly problems: readonly FieldProblem[];
  constructor(problems: readonly FieldProblem[]) {
    const first = problems[0]!;
    const mend = first.mend === undefined ? '' : ` ${first.mend}`;
    super(
      'invalid-proposal',
      `${first.at || 'value'}: expected ${first.expected}, found ${first.found}.${mend}`,
    );
    this.problems = problems;
  }
}

/** The spec given to `Interlock.open` does not check; the message has every problem with line and column. */
export class SpecInvalid extends InterlockError {
  constructor(message: string) {
    super('spec-invalid', message);
  }
}

/** The tool took longer than its `timeoutMs`. It may still take effect: its result is recorded when it settles. */
export class ToolTimeout extends InterlockError {
  constructor(name: string, timeoutMs: number) {
    super('tool-timeout', `${name} took longer than ${timeoutMs} ms`);
  }
}

/** What the model reads instead of a result when a call is denied and `onDeny` is `result`. */
export interface DeniedResult {
  readonly error: 'denied';
  readonly rules: readonly string[];
  readonly because: string;
  readonly repair?: string;
  /** What would be allowed, for a program; see `Fix`. */
  readonly fixes?: readonly Fix[];
}

export function deniedResult(denied: StepDenied): DeniedResult {
  const { rules, because, repair } = denied;
  const outcomes = denied.reason === 'rule' ? (denied.decision?.rules ?? []) : [];
  const fixes = outcomes.flatMap((outcome) => outcome.fixes ?? []);
  return {
    error: 'denied',
    rules,
    because,
    ...(repair === undefined ? {} : { repair }),
    ...(fixes.length === 0 ? {} : { fixes }),
  };
}

/** Throws what a refused ending means to the caller; the session stays open and may be ended later. */
export function checkEnded(recorded: Recorded): Recorded {
  const { decision } = recorded;
  if (decision.verdict === 'allow' || decision.verdict === 'transform') return recorded;
  if (decision.verdict === 'halt') throw new SessionHalted(decision);
  const rules = decision.rules.map((outcome) => outcome.rule);
  throw new StepDenied({ reason: 'rule', because: becauseOf(decision), rules, decision, ran: false });
}

export function becauseOf(decision: Decision): string {
  return decision.rules[0]?.because ?? 'No rule allows this step.';
}

/** Turns what an engine threw, or a server answered, into an error of the SDK. */
export function failure(
  problem: Pick<EngineProblem, 'message' | 'mend'> & { code: string },
  cause?: unknown,
): InterlockError {
  switch (problem.code) {
    case 'overloaded':
    case 'store-failed':
    case 'internal':
      return new DecisionUnavailable(`No decision: ${problem.message}`, { cause });
    default:
      return new RequestRefused(problem.code, problem.message, problem.mend);
  }
}
