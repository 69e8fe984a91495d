// The Interlock session behind a connection: opened at the first step, and where every step of it is decided.
import type { Proposal, SessionInit, SessionSummary } from '../../engine/types.ts';
import {
  DecisionUnavailable,
  type DeniedResult,
  deniedResult,
  InterlockError,
  InvalidProposal,
  SessionHalted,
  StepDenied,
  StepHeld,
} from '../../sdk/errors.ts';
import { permit } from '../../sdk/permit.ts';
import type { Transport } from '../../sdk/transport.ts';
import { parseProposal } from '../../step/parse.ts';
import type { JsonObject } from '../../step/types.ts';

/** What a step may do. Only `allowed` lets it happen; `failed` is no policy's answer. */
export type Ruling =
  | { readonly t: 'allowed'; readonly rewritten: JsonObject | null }
  | { readonly t: 'denied'; readonly denied: DeniedResult; readonly halted: boolean }
  | { readonly t: 'held'; readonly hold: string; readonly because: string }
  | { readonly t: 'invalid'; readonly message: string }
  | { readonly t: 'failed'; readonly code: string; readonly message: string }
  | { readonly t: 'cancelled' };

export interface RuleOptions {
  /** It has happened, and only its delivery is decided. */
  readonly ran?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told when a person is asked. */
  readonly onHold?: (hold: string) => void;
  /** Told when the step is allowed as it is, while its record is being written. */
  readonly onEarly?: (() => void) | undefined;
}

export interface GuardedSession {
  /** Opens the session at the first use; a failure is not kept. */
  opened(): Promise<SessionSummary>;
  decide(proposal: Proposal, options?: RuleOptions): Promise<Ruling>;
  /** Ends it, when it was opened here and anything happened in it. */
  end(): Promise<void>;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly init: SessionInit;
  /** How long a held step waits before the client hears that it is held. */
  readonly holdWaitMs: number;
  /** Ends with the connection it is for; one that others share goes on. */
  readonly own: boolean;
}

export function guardedSession({ transport, init, holdWaitMs, own }: SessionOptions): GuardedSession {
  let opening: Promise<SessionSummary> | null = null;

  function opened(): Promise<SessionSummary> {
    opening ??= transport.openSession(init).catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  }

  return {
    opened,
    async decide(proposal, { ran = false, signal, onHold, onEarly } = {}) {
      const parsed = parseProposal(proposal);
      try {
        if (!parsed.ok) throw new InvalidProposal(parsed.problems);
        const { id } = await opened();
        const watched: Transport =
          onHold === undefined && onEarly === undefined
            ? transport
            : {
                ...transport,
                async decide(session, step) {
                  const recorded = await transport.decide(session, step, (early) => {
                    if (early.decision.verdict === 'allow') onEarly?.();
                  });
                  if (recorded.decision.verdict === 'hold') onHold?.(recorded.holdId ?? '');
                  return recorded;
                },
              };
        const { decision } = await permit(watched, id, parsed.value, {
          onHold: 'wait',
          holdTimeoutMs: holdWaitMs,
          signal,
          ran,
        });
        const rewritten = decision.verdict === 'transform' ? (decision.transformed ?? null) : null;
        if (decision.verdict === 'transform' && rewritten === null)
          throw new DecisionUnavailable('The step is to be rewritten, but not said how.');
        return { t: 'allowed', rewritten };
      } catch (error) {
        return rulingOf(error, signal);
      }
    },
    async end() {
      if (!own || opening === null) return;
      const { id } = await opening;
      // A rule may refuse the ending, e.g. while something is owed: then it stays open, and the record shows it.
      await transport.endSession(id);
    },
  };
}

function rulingOf(error: unknown, signal: AbortSignal | undefined): Ruling {
  if (error instanceof StepDenied) return { t: 'denied', denied: deniedResult(error), halted: false };
  if (error instanceof SessionHalted) {
    const { because, decision } = error;
    const rules = decision.rules.map((outcome) => outcome.rule);
    return { t: 'denied', denied: { error: 'denied', rules, because }, halted: true };
  }
  if (error instanceof StepHeld) return { t: 'held', hold: error.token.hold, because: error.message };
  if (error instanceof InvalidProposal) return { t: 'invalid', message: error.message };
  if (signal?.aborted === true) return { t: 'cancelled' };
  if (error instanceof InterlockError) return { t: 'failed', code: error.code, message: error.message };
  return { t: 'failed', code: 'internal', message: 'The step could not be decided.' };
}
