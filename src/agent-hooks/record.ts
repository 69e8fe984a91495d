// Section 10.3: the record of an emission. It carries nothing of the target: a verdict is cut to its projection.
import type { JsonObject } from '../step/types.ts';
import { resolved } from './compose.ts';
import type {
  AgentContext,
  Composition,
  InterceptionRecord,
  Mode,
  Verdict,
  VerdictSummary,
} from './types.ts';
import { isObject } from './verdict.ts';

const MESSAGE_BYTES_MAX = 256;
const CUT = '…';

/** What dispatch found, before it is a record. */
export interface Outcome {
  readonly combined: Verdict;
  readonly decidedBy: number | null;
  readonly verdicts: readonly VerdictSummary[];
  readonly foldTruncated?: boolean;
  readonly resolvedBy?: 'approval' | 'rejection';
}

export interface RecordParts {
  readonly context: AgentContext;
  readonly mode: Mode;
  readonly outcome: Outcome;
  readonly inputIdentity: string | null;
  readonly enforcedIdentity: string | null;
  readonly provider: string | null;
  readonly composition: Composition;
  readonly registered: number;
  readonly declaration: string | undefined;
}

export function recordOf(parts: RecordParts): InterceptionRecord {
  const { context, outcome } = parts;
  const { session, sequence, timestamp } = context;
  const trace = traceOf(context.trace);
  return {
    interception_point: typeof context.interception_point === 'string' ? context.interception_point : '',
    mode: parts.mode,
    verdict: projected(outcome.combined),
    input_identity: parts.inputIdentity,
    enforced_identity: parts.enforcedIdentity,
    identity_provider: parts.provider,
    session_id: isObject(session) && typeof session.id === 'string' ? session.id : '',
    sequence: typeof sequence === 'number' && Number.isSafeInteger(sequence) ? sequence : -1,
    ...(typeof timestamp === 'string' ? { timestamp } : {}),
    ...(trace === null ? {} : { trace }),
    decided_by: outcome.decidedBy,
    composition: resolved(parts.composition),
    ...(parts.declaration === undefined ? {} : { declaration: parts.declaration }),
    verdicts: outcome.verdicts,
    ...(outcome.foldTruncated === undefined ? {} : { fold_truncated: outcome.foldTruncated }),
    ...(outcome.resolvedBy === undefined ? {} : { resolved_by: outcome.resolvedBy }),
    interceptors_registered: parts.registered,
  };
}

export function summaryOf(verdict: Verdict, index: number, name: string | undefined): VerdictSummary {
  return {
    index,
    decision: verdict.decision,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Messages cut, the approval's members and the transform's value left out. */
export function projected(verdict: Verdict): Verdict {
  const { message, warnings, approval, transform, ...kept } = verdict;
  return {
    ...kept,
    ...(message === undefined ? {} : { message: cut(message) }),
    ...(warnings === undefined
      ? {}
      : {
          warnings: warnings.map((warning) =>
            warning.message === undefined ? warning : { ...warning, message: cut(warning.message) },
          ),
        }),
    ...(approval === undefined ? {} : { approval: {} }),
    ...(transform === undefined ? {} : { transform: { path: transform.path } }),
  };
}

/** At most 256 bytes of UTF-8, cut between characters. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= MESSAGE_BYTES_MAX) return text;
  const room = MESSAGE_BYTES_MAX - Buffer.byteLength(CUT);
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(room));
  return text.slice(0, read) + CUT;
}

function traceOf(trace: unknown): NonNullable<InterceptionRecord['trace']> | null {
  if (!isObject(trace)) return null;
  const { trace_id, span_id } = trace as JsonObject;
  const found: NonNullable<InterceptionRecord['trace']> = {
    ...(typeof trace_id === 'string' ? { trace_id } : {}),
    ...(typeof span_id === 'string' ? { span_id } : {}),
  };
  return Object.keys(found).length === 0 ? null : found;
}
