// One line of the decisions file: a decided step, flat and joined to the transcript it came from.
import type { ImportedSession } from '../../ingest/importers/types.ts';
import type { Decision, Mode, Verdict } from '../../monitor/types.ts';
import type { StepKind } from '../../step/types.ts';

export interface DecisionLine {
  readonly session: string;
  /** `seq` of the step. */
  readonly index: number;
  /** Index of the message it came from, or null. */
  readonly message: number | null;
  /** As recorded. */
  readonly call_id: string | null;
  readonly kind: StepKind;
  readonly name: string;
  /** In force. */
  readonly verdict: Verdict;
  /** What full enforcement would have said. */
  readonly would_be: Verdict;
  /** Ids of the rules that fired, strictest first. */
  readonly rules: readonly string[];
  /** `seq` of the steps of this session that made the verdict. */
  readonly witness: readonly number[];
  /** Steps of other sessions that made it; absent when there are none. */
  readonly elsewhere?: readonly { readonly session: string; readonly index: number }[];
  readonly repair: string | null;
  readonly mode: Mode;
}

export function decisionLine(imported: ImportedSession, decision: Decision): DecisionLine {
  const step = imported.steps[decision.seq]!;
  const elsewhere = decision.witness.flatMap(({ session, seq }) =>
    session === undefined ? [] : [{ session, index: seq }],
  );
  return {
    session: imported.session,
    index: decision.seq,
    message: imported.messageIndex[decision.seq] ?? null,
    call_id: imported.callIds[decision.seq] ?? null,
    kind: step.kind,
    name: step.name,
    verdict: decision.verdict,
    would_be: decision.wouldBe,
    rules: decision.rules.map((rule) => rule.rule),
    witness: decision.witness.flatMap(({ session, seq }) => (session === undefined ? [seq] : [])),
    ...(elsewhere.length === 0 ? {} : { elsewhere }),
    repair: decision.repair ?? null,
    mode: decision.mode,
  };
}
