// What the packs do to the recorded sessions, as counts: violating calls stopped, good sessions disturbed. Pure.
import { type Call, isDenied, isHeld, type Session } from './read.ts';

/** One line of the table: a share and the bound it must keep. */
export interface Measure {
  readonly name: string;
  readonly count: number;
  readonly of: number;
  readonly reach: { readonly atLeast: number } | { readonly atMost: number };
  /** How the count came about, in words. */
  readonly note?: string;
  /** Sessions and calls behind what is missing, for `--verbose`. */
  readonly detail: readonly string[];
}

/** A recorded run cannot react to a block, so a session's first true block ends its count: what follows is stopped too. */
export function violationsStopped(name: string, sessions: readonly Session[], atLeast: number): Measure {
  let of = 0;
  let count = 0;
  let firstDenied = 0;
  let firstHeld = 0;
  const detail: string[] = [];
  for (const session of sessions) {
    const violating = new Set(session.labels.violating_calls as string[] | undefined);
    let stopped = false;
    for (const call of session.calls) {
      if (call.id === null || !violating.has(call.id)) continue;
      of++;
      if (!stopped && isDenied(call)) firstDenied++;
      if (!stopped && isHeld(call)) firstHeld++;
      stopped ||= isDenied(call) || isHeld(call);
      if (stopped) count++;
      else detail.push(`missed  ${showCall(session, call)}`);
    }
  }
  const note = `first stop: ${firstDenied} denied, ${firstHeld} held`;
  return { name, count, of, reach: { atLeast }, note, detail };
}

/** Sessions in which any call meets `is`. */
export function sessionsWith(
  name: string,
  sessions: readonly Session[],
  is: (call: Call) => boolean,
  atMost: number,
): Measure {
  const hit = sessions.filter((session) => session.calls.some(is));
  const detail = hit.flatMap((session) =>
    session.calls.filter(is).map((call) => `${call.decision.verdict}  ${showCall(session, call)}`),
  );
  return { name, count: hit.length, of: sessions.length, reach: { atMost }, detail };
}

export interface RuleCount {
  readonly rule: string;
  /** Whether the rule acts or only reports. */
  readonly mode: string;
  readonly sessions: number;
  readonly calls: number;
  /** Calls of these that the tool itself refused in the recording. */
  readonly refused: number;
}

/** For each rule that fired: in how many sessions and on how many calls. */
export function byRule(sessions: readonly Session[]): RuleCount[] {
  const found = new Map<string, { mode: string; sessions: Set<string>; calls: number; refused: number }>();
  for (const session of sessions) {
    for (const call of session.calls) {
      for (const { rule, mode } of call.decision.rules) {
        const entry = found.get(rule) ?? { mode, sessions: new Set<string>(), calls: 0, refused: 0 };
        found.set(rule, entry);
        entry.sessions.add(session.id);
        entry.calls++;
        if (call.refused) entry.refused++;
      }
    }
  }
  return [...found]
    .map(([rule, entry]) => ({ rule, ...entry, sessions: entry.sessions.size }))
    .sort((a, b) => b.sessions - a.sessions || a.rule.localeCompare(b.rule));
}

const ARGS_SHOWN = 160;

export function showCall(session: Session, call: Call): string {
  const args = JSON.stringify(call.step.args ?? {});
  const shown = args.length > ARGS_SHOWN ? `${args.slice(0, ARGS_SHOWN)}…` : args;
  const rules = call.decision.rules.map(
    (rule) => `${rule.rule}${rule.mode === 'enforce' ? '' : `:${rule.mode}`}`,
  );
  return `${session.id}  ${call.id ?? '-'} ${call.step.name} ${shown}  [${rules.join(', ')}]${call.refused ? ' (refused by the tool)' : ''}`;
}

export function holds(measure: Measure): boolean {
  const share = shareOf(measure);
  return 'atLeast' in measure.reach ? share >= measure.reach.atLeast : share <= measure.reach.atMost;
}

export function shareOf(measure: Measure): number {
  return measure.of === 0 ? 0 : measure.count / measure.of;
}
