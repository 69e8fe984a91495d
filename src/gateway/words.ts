// What the model reads in place of what it may not do. Written for a model: what happened, why, what would be allowed.
import type { Hold } from '../engine/types.ts';
import type { RuleOutcome } from '../monitor/types.ts';

type Reasons = Pick<RuleOutcome, 'rule' | 'because' | 'repair'>;

export function deniedCall(name: string, rules: readonly Reasons[]): string {
  return `[interlock] The call ${name} was denied and did not run. ${reasons(rules)}`;
}

export function deniedText(rules: readonly Reasons[]): string {
  return `[interlock] The rest of this answer was withheld. ${reasons(rules)}`;
}

export function reasons(rules: readonly Reasons[]): string {
  const [first] = rules;
  if (first === undefined) return 'No rule allows it.';
  const repair = first.repair === undefined ? '' : ` ${first.repair}`;
  return `${first.because}${repair} (rule ${first.rule})`;
}

export function unreadableCall(name: string, why: string): string {
  return `[interlock] The call ${name} did not run: ${why}. This is an error, not a denial: call again, mended.`;
}

/** Of a call that waits for people. */
export function heldCall(name: string, hold: Hold): string {
  return (
    `[interlock] The call ${name} waits for approval by ${hold.by.join(' or ')} and did not run. ${hold.because} ` +
    `Once it is approved, make exactly the same call again. (hold ${hold.id})`
  );
}

export function closedCall(name: string, hold: Hold): string {
  return `[interlock] The call ${name} did not run: ${whyClosed(hold)}`;
}

export function heldText(hold: Hold): string {
  return `[interlock] The rest of this answer waits for approval by ${hold.by.join(' or ')}. ${hold.because} (hold ${hold.id})`;
}

export function whyClosed(hold: Hold): string {
  if (hold.state === 'expired') return 'nobody approved it in time.';
  if (hold.state === 'used') return 'its approval was used already.';
  const refusal = hold.answers.findLast((answer) => !answer.approve);
  if (refusal === undefined) return 'it was refused.';
  return `${refusal.by} (${refusal.role}) refused it${refusal.reason === null ? '.' : `: ${refusal.reason}`}`;
}
