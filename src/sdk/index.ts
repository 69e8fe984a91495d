// The public face of the SDK. What is not exported here is not promised.
export type { Answer, Hold, Proposal, Recorded, SessionInit, SessionSummary } from '../engine/types.ts';
export type { Decision, Fix, RuleOutcome, Verdict, Witness } from '../monitor/types.ts';
export type { Json, JsonObject } from '../step/types.ts';
export {
  DecisionUnavailable,
  type DeniedResult,
  type HoldToken,
  InterlockError,
  InvalidProposal,
  RequestRefused,
  SessionHalted,
  SpecInvalid,
  StepDenied,
  StepHeld,
  ToolTimeout,
} from './errors.ts';
export type { CallOptions, Guarded, GuardOptions, Tool, ToolContext } from './guard.ts';
export { Interlock } from './interlock.ts';
export type { OpenOptions } from './open.ts';
export type { HoldOptions } from './permit.ts';
export type { ConnectOptions } from './remote.ts';
export type { Session } from './session.ts';
