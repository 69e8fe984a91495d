// Is a rule in shadow or warn ready to be enforced? What it would have stopped on record, and how rare that must be at
// least. Pure.
import type { Decision, Mode, Verdict, Witness } from '../monitor/types.ts';
import type { Program } from '../spec/index.ts';
import type { Step } from '../step/types.ts';

export interface RuleRecord {
  readonly rule: string;
  readonly mode: Mode;
  /** Steps it is about. */
  asked: number;
  fired: number;
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly sessions: Set<string>;
  /** By tool, or by kind where there is none. */
  readonly names: Map<string, number>;
  firstAt: number | null;
  lastAt: number | null;
  example: {
    readonly session: string;
    readonly seq: number;
    readonly because: string;
    readonly witness: readonly Witness[];
  } | null;
}

/** Counts what the spec's watching rules said of one recorded session. */
export function countWatching(
  program: Program,
  records: Map<string, RuleRecord>,
  steps: readonly Step[],
  decisions: readonly Decision[],
): void {
  for (const [i, step] of steps.entries()) {
    for (const plan of program.rulesFor(step.kind, step.name)) {
      if (plan.mode === 'enforce') continue;
      const record = recordOf(records, plan.id, plan.mode);
      record.asked++;
      const outcome = decisions[i]?.rules.find(({ rule }) => rule === plan.id);
      if (outcome === undefined) continue;
      record.fired++;
      record.verdicts[outcome.verdict] = (record.verdicts[outcome.verdict] ?? 0) + 1;
      record.sessions.add(step.session);
      const name = step.name === '' ? step.kind : step.name;
      record.names.set(name, (record.names.get(name) ?? 0) + 1);
      record.firstAt = Math.min(record.firstAt ?? step.time, step.time);
      record.lastAt = Math.max(record.lastAt ?? step.time, step.time);
      const { because, witness } = outcome;
      record.example = { session: step.session, seq: step.seq, because, witness };
    }
  }
}

function recordOf(records: Map<string, RuleRecord>, rule: string, mode: Mode): RuleRecord {
  const known = records.get(rule);
  if (known !== undefined) return known;
  const fresh: RuleRecord = {
    rule,
    mode,
    asked: 0,
    fired: 0,
    verdicts: {},
    sessions: new Set(),
    names: new Map(),
    firstAt: null,
    lastAt: null,
    example: null,
  };
  records.set(rule, fresh);
  return fresh;
}

/** z of a one-sided interval of 95 %. */
const Z = 1.6449;

/**
 * The rate at which a rule fires is at most this, one-sided at 95 % (Wilson's score interval, 1927): with nothing seen
 * of few steps it is still large. 1 when it was never asked.
 */
export function rateAtMost(fired: number, asked: number): number {
  if (asked === 0) return 1;
  const share = fired / asked;
  const z2 = (Z * Z) / asked;
  const spread = Z * Math.sqrt((share * (1 - share)) / asked + z2 / (4 * asked));
  return Math.min(1, (share + z2 / 2 + spread) / (1 + z2));
}
