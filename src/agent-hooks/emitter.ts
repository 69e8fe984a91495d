// The host's side of the contract: a context goes through every interceptor that its profile asks, the verdicts become
// one, the approval seam is consulted where it may lift a deny, and one record says what came of it. Whatever fails is a
// deny; nothing here throws for what an interceptor, a resolver or a context does.
import { aggregate, withUnions } from './compose.ts';
import { consult, type Seam } from './consult.ts';
import { validateEnvelope } from './envelope.ts';
import { checkProvider, identityOf, NoIdentity, providerName } from './identity.ts';
import { transformContext } from './path.ts';
import { type Outcome, recordOf, summaryOf } from './record.ts';
import { within } from './time.ts';
import {
  type AgentContext,
  type ApprovalResolver,
  type Composition,
  type HostError,
  hostError,
  type IdentityProvider,
  type InterceptionRecord,
  type Interceptor,
  isHostMade,
  isLiftable,
  type Mode,
  type Point,
  permits,
  type Verdict,
} from './types.ts';
import { parseVerdict } from './verdict.ts';

export interface Registration {
  readonly interceptor: Interceptor;
  /** In the record, so without content. */
  readonly name?: string;
  /** The points it runs at; all when absent. */
  readonly at?: readonly Point[];
  /** In place of the emitter's `interceptorMs`; null for no bound. */
  readonly timeoutMs?: number | null;
}

export interface EmitterOptions {
  /** In the order in which a sequential profile asks them. */
  readonly interceptors: readonly Registration[];
  /** `sequential/first_deny` with `on_approval: stop` when absent, as the contract has it. */
  readonly composition?: Composition;
  readonly mode?: Mode;
  readonly resolver?: ApprovalResolver;
  /** What an approver sees in place of the context. */
  readonly redact?: (context: AgentContext) => AgentContext | Promise<AgentContext>;
  readonly identity?: IdentityProvider;
  /** For one interceptor; 5000 when absent, null for no bound. */
  readonly interceptorMs?: number | null;
  /** For one consultation; as long as it takes when absent: people answer. */
  readonly resolverMs?: number | null;
  /** The contract of the document that this comes from; in every record. */
  readonly declaration?: string;
  readonly onRecord?: (record: InterceptionRecord) => void;
}

export interface Emission {
  /** Whether the guarded action may happen. */
  readonly proceeds: boolean;
  /** With the target that the action must use. */
  readonly context: AgentContext;
  /** The combined verdict, whole. */
  readonly verdict: Verdict;
  readonly record: InterceptionRecord;
}

export interface Emitter {
  readonly mode: Mode;
  emit(context: AgentContext): Promise<Emission>;
  /** Denies an emission by the host itself, e.g. for a stream that it cannot assemble; nobody is asked. */
  deny(context: AgentContext, error: HostError): Emission;
}

const INTERCEPTOR_MS = 5_000;

/** @throws TypeError for a provider's name that the contract forbids */
export function createEmitter(options: EmitterOptions): Emitter {
  const { composition = { profile: 'sequential/first_deny' }, mode = 'enforce' } = options;
  const { identity = 'jcs-sha256', interceptorMs = INTERCEPTOR_MS, onRecord = () => {} } = options;
  checkProvider(identity);
  const isSequential = composition.profile.startsWith('sequential/');
  const seam: Seam = {
    resolver: mode === 'enforce' ? options.resolver : undefined,
    redact: options.redact,
    identity,
    resolverMs: options.resolverMs ?? null,
  };

  async function emit(given: AgentContext): Promise<Emission> {
    const active = options.interceptors.filter(
      ({ at }) => at === undefined || at.includes(given.interception_point as Point),
    );
    let context = given;
    let inputIdentity: string | null;
    try {
      // The host's own copy: nobody else can change what is decided and recorded.
      context = structuredClone(given);
      const wrong = validateEnvelope(context);
      if (wrong !== null) throw new NoIdentity(wrong);
      inputIdentity = identityOf(context, identity);
    } catch (error) {
      const outcome = {
        combined: hostError('context_invalid', sayable(error)),
        decidedBy: null,
        verdicts: [],
      };
      return finish(context, outcome, null, active.length);
    }
    const dispatched = await dispatch(context, active);
    return finish(dispatched.context, dispatched.outcome, inputIdentity, active.length);
  }

  function finish(
    context: AgentContext,
    found: Outcome,
    inputIdentity: string | null,
    registered: number,
  ): Emission {
    let outcome = found;
    let enforcedIdentity: string | null = null;
    if (inputIdentity !== null) {
      try {
        enforcedIdentity = identityOf(context, identity);
      } catch (error) {
        // A transform put something into the context that has no identity.
        const combined = hostError('context_invalid', sayable(error));
        outcome = { ...found, combined, decidedBy: null };
      }
    }
    const record = recordOf({
      context,
      mode,
      outcome,
      inputIdentity,
      enforcedIdentity,
      provider: providerName(identity),
      composition,
      registered,
      declaration: options.declaration,
    });
    try {
      onRecord(record);
    } catch {
      // The outcome stands whether or not somebody took the record.
    }
    const proceeds = mode === 'evaluate_only' || permits(outcome.combined);
    return { proceeds, context, verdict: outcome.combined, record };
  }

  async function dispatch(
    context: AgentContext,
    active: readonly Registration[],
  ): Promise<{ context: AgentContext; outcome: Outcome }> {
    if (active.length === 0)
      return {
        context,
        outcome: { combined: hostError('no_interceptor'), decidedBy: null, verdicts: [] },
      };
    if (composition.profile === 'sequential/first_deny') return firstDeny(context, active);
    return everyOne(context, active);
  }

  /** Section 7.4: the first deny that is not lifted ends it. */
  async function firstDeny(start: AgentContext, active: readonly Registration[]) {
    const onApproval = composition.profile === 'sequential/first_deny' ? composition.on_approval : undefined;
    let context = start;
    const returned: Verdict[] = [];
    const pool: Verdict[] = [];
    let last: { verdict: Verdict; index: number } | null = null;
    let resolvedBy: 'approval' | 'rejection' | undefined;

    const ended = (combined: Verdict, decidedBy: number | null) => ({
      context,
      outcome: {
        combined,
        decidedBy,
        verdicts: returned.map((verdict, i) => summaryOf(verdict, i, active[i]?.name)),
        foldTruncated: returned.length < active.length,
        ...(resolvedBy === undefined ? {} : { resolvedBy }),
      },
    });

    for (const [index, one] of active.entries()) {
      let verdict = await ask(one, context);
      returned.push(verdict);
      pool.push(verdict);
      if (verdict.decision === 'deny') {
        const answer = isLiftable(verdict) ? await consult(seam, context, verdict) : null;
        if (answer === null) return ended(withUnions(verdict, pool), index);
        resolvedBy = answer.isLifted ? 'approval' : 'rejection';
        if (!answer.isLifted)
          return ended(withUnions(answer.verdict, pool), isHostMade(answer.verdict) ? null : index);
        verdict = answer.verdict;
        pool.push(verdict);
      }
      if (verdict.decision === 'transform') {
        const folded = fold(context, verdict);
        if ('error' in folded) return ended(folded.error, null);
        context = folded.context;
        last = { verdict, index };
      }
      if (resolvedBy === 'approval' && onApproval !== 'resume' && returned.at(-1)!.decision === 'deny')
        return ended(withUnions(verdict, pool), index);
    }
    return ended(withUnions(last?.verdict ?? { decision: 'allow' }, pool), last?.index ?? null);
  }

  /** Sections 7.4 and 7.5: everyone is asked, and the strictest counts. */
  async function everyOne(start: AgentContext, active: readonly Registration[]) {
    let context = start;
    const returned: Verdict[] = [];
    const ended = (
      combined: Verdict,
      decidedBy: number | null,
      resolvedBy?: 'approval' | 'rejection',
    ): { context: AgentContext; outcome: Outcome } => ({
      context,
      outcome: {
        combined,
        decidedBy,
        verdicts: returned.map((verdict, i) => summaryOf(verdict, i, active[i]?.name)),
        ...(isSequential ? { foldTruncated: returned.length < active.length } : {}),
        ...(resolvedBy === undefined ? {} : { resolvedBy }),
      },
    });

    for (const one of active) {
      const verdict = await ask(one, context);
      if (isSequential && verdict.decision === 'transform') {
        const folded = fold(context, verdict);
        if ('error' in folded) {
          returned.push(folded.error);
          return ended(folded.error, null);
        }
        context = folded.context;
      }
      returned.push(verdict);
    }
    const { combined, decidedBy, isToApply } = aggregate(composition, returned);
    if (isToApply) {
      const folded = fold(context, combined);
      if ('error' in folded) return ended(folded.error, null);
      context = folded.context;
      return ended(combined, decidedBy);
    }
    const answer = isLiftable(combined) ? await consult(seam, context, combined) : null;
    if (answer === null) return ended(combined, decidedBy);
    if (!answer.isLifted) {
      const by = isHostMade(answer.verdict) ? null : decidedBy;
      return ended(withUnions(answer.verdict, returned), by, 'rejection');
    }
    if (answer.verdict.decision === 'transform') {
      const folded = fold(context, answer.verdict);
      if ('error' in folded) return ended(folded.error, null, 'approval');
      context = folded.context;
    }
    return ended(withUnions(answer.verdict, [...returned, answer.verdict]), decidedBy, 'approval');
  }

  /** Applied in `enforce`, only tried in `evaluate_only`. */
  function fold(context: AgentContext, verdict: Verdict): { context: AgentContext } | { error: Verdict } {
    const transformed = transformContext(context, verdict.transform!);
    if (!transformed.ok) return { error: hostError(transformed.error) };
    return { context: mode === 'enforce' ? transformed.context : context };
  }

  /** Section 6.3: a failure takes the place of the verdict. */
  async function ask(
    { interceptor, timeoutMs = interceptorMs }: Registration,
    context: AgentContext,
  ): Promise<Verdict> {
    let returned: unknown;
    try {
      const answered = await within(timeoutMs, () => interceptor.intercept(structuredClone(context)));
      if (answered.isLate) return hostError('interceptor_timeout');
      returned = answered.value;
    } catch (error) {
      return hostError('interceptor_failed', error instanceof Error ? error.name : typeof error);
    }
    return parseVerdict(returned);
  }

  return {
    mode,
    emit,
    deny(context, error) {
      let inputIdentity: string | null = null;
      try {
        inputIdentity = identityOf(context, identity);
      } catch {
        // Denied either way.
      }
      const outcome = { combined: hostError(error), decidedBy: null, verdicts: [] };
      return { ...finish(context, outcome, inputIdentity, options.interceptors.length), proceeds: false };
    },
  };
}

/** Only our own words: an error's message may carry what was in the context. */
function sayable(error: unknown): string {
  if (error instanceof NoIdentity) return error.message;
  return error instanceof Error ? error.name : typeof error;
}
