// The vocabulary of the agent-hooks contract (AGENT-HOOKS-0.1): points, contexts, verdicts, composition, approvals,
// records. Data and interfaces only, named as on the wire.
import type { Json, JsonObject } from '../step/types.ts';

export const SPEC_VERSION = 'agent-hooks/0.1';

/** Section 3: the closed set, in the order of an agent's loop. */
export const POINTS = [
  'agent_startup',
  'input',
  'pre_model_call',
  'post_model_call',
  'pre_tool_call',
  'post_tool_call',
  'output',
  'agent_shutdown',
] as const;
export type Point = (typeof POINTS)[number];

/** Section 4. A plain object in the form of the wire; `validateEnvelope` says what it must have. */
export type AgentContext = Record<string, Json | undefined>;

export interface Warning {
  readonly reason?: string;
  readonly message?: string;
}

/** Section 5. `parseVerdict` makes one of what an interceptor returns. */
export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'transform';
  readonly reason?: string;
  readonly message?: string;
  readonly warnings?: readonly Warning[];
  /** Only with `deny`: the approval seam may lift it. */
  readonly approval?: JsonObject;
  /** Only with `transform`. An absent value is null. */
  readonly transform?: { readonly path: string; readonly value?: Json };
  readonly evidence?: {
    readonly artefact?: string;
    readonly verification_pointers?: Readonly<Record<string, string>>;
  };
  readonly result_labels?: readonly string[];
}

/** Section 11. */
export type HostError =
  | 'context_invalid'
  | 'interceptor_failed'
  | 'interceptor_timeout'
  | 'verdict_invalid'
  | 'transform_invalid'
  | 'transform_target_forbidden'
  | 'transform_conflict'
  | 'composition_disagreement'
  | 'approval_resolver_failed'
  | 'approval_unresolved'
  | 'approval_identity_mismatch'
  | 'no_interceptor'
  | 'streaming_unsupported';

/** Section 7.2. Knobs that are left out are `stop`, `deny`, `deny`. */
export type Composition =
  | { readonly profile: 'sequential/first_deny'; readonly on_approval?: 'stop' | 'resume' }
  | { readonly profile: 'sequential/run_all' }
  | { readonly profile: 'parallel/strictest'; readonly on_transform_conflict?: 'deny' | 'approval' }
  | { readonly profile: 'parallel/unanimous'; readonly on_disagreement?: 'deny' | 'approval' };

export type Mode = 'enforce' | 'evaluate_only';

/** What an interceptor returns is checked, so it may be anything; a promise may be waited for. */
export interface Interceptor {
  intercept(context: AgentContext): unknown;
}

/** Section 9. */
export interface ApprovalRequest {
  readonly context_identity: string | null;
  readonly interception_point: Point;
  /** The deny that may be lifted. */
  readonly verdict: Verdict;
  readonly context: AgentContext;
}
export type ApprovalResolution =
  | { readonly outcome: 'unresolved'; readonly context_identity: string | null }
  | {
      readonly outcome: 'approve' | 'reject';
      readonly context_identity: string | null;
      readonly verdict: Verdict;
    };
export interface ApprovalResolver {
  resolve(request: ApprovalRequest): ApprovalResolution | Promise<ApprovalResolution>;
}

/** Section 10.1: the default, a function of the host's own under its name, or none. */
export type IdentityProvider =
  | 'jcs-sha256'
  | { readonly name: string; readonly identify: (context: AgentContext) => string }
  | null;

/** Section 10.3: one for each emission, without content. */
export interface InterceptionRecord {
  readonly interception_point: string;
  readonly mode: Mode;
  /** The combined verdict without what it carries of the target. */
  readonly verdict: Verdict;
  readonly input_identity: string | null;
  readonly enforced_identity: string | null;
  readonly identity_provider: string | null;
  readonly session_id: string;
  readonly sequence: number;
  readonly timestamp?: string;
  readonly trace?: { readonly trace_id?: string; readonly span_id?: string };
  readonly decided_by: number | null;
  readonly composition: Composition;
  /** Of the document that set the host up, when there is one. */
  readonly declaration?: string;
  readonly verdicts: readonly VerdictSummary[];
  readonly fold_truncated?: boolean;
  readonly resolved_by?: 'approval' | 'rejection';
  readonly interceptors_registered: number;
}

export interface VerdictSummary {
  readonly index: number;
  readonly decision: Verdict['decision'];
  readonly reason?: string;
  readonly name?: string;
}

export function hostError(error: HostError, message?: string): Verdict {
  const reason = `host_error:${error}`;
  return message === undefined ? { decision: 'deny', reason } : { decision: 'deny', reason, message };
}

export function permits(verdict: Verdict): boolean {
  return verdict.decision !== 'deny';
}

export function isLiftable(verdict: Verdict): boolean {
  return verdict.decision === 'deny' && verdict.approval !== undefined;
}

/** Made by the host and not by an interceptor. */
export function isHostMade(verdict: Verdict): boolean {
  return verdict.reason?.startsWith('host_error:') === true;
}
