// What a server answered, before anything runs on its word: only an answer that says what the SDK acts on counts. The
// rest is data of the record and is passed on as it came.
import type { Hold, Recorded, SessionSummary } from '../engine/types.ts';
import { VERDICTS } from '../monitor/types.ts';

const HOLD_STATES: readonly unknown[] = [
  'pending',
  'approved',
  'refused',
  'expired',
  'used',
] satisfies Hold['state'][];

export function asRecorded(answer: unknown): Recorded | null {
  const decision = field(answer, 'decision');
  const verdict = field(decision, 'verdict');
  if (!(VERDICTS as readonly unknown[]).includes(verdict)) return null;
  if (!Array.isArray(field(decision, 'rules')) || !Array.isArray(field(decision, 'witness'))) return null;
  if (verdict === 'transform' && !isObject(field(decision, 'transformed'))) return null;
  if (verdict === 'hold' && typeof field(answer, 'holdId') !== 'string') return null;
  return answer as Recorded;
}

export function asHold(answer: unknown): Hold | null {
  const known =
    HOLD_STATES.includes(field(answer, 'state')) && typeof field(answer, 'expiresAt') === 'number';
  const whole = Array.isArray(field(answer, 'answers')) && Array.isArray(field(answer, 'rules'));
  return known && whole && typeof field(answer, 'id') === 'string' ? (answer as Hold) : null;
}

export function asHolds(answer: unknown): readonly Hold[] | null {
  const holds = field(answer, 'holds');
  return Array.isArray(holds) && holds.every((hold) => asHold(hold) !== null) ? holds : null;
}

export function asSession(answer: unknown): SessionSummary | null {
  return typeof field(answer, 'id') === 'string' ? (answer as SessionSummary) : null;
}

/** A refusal as the server's problem details (RFC 9457) tell it. */
export function problemOf(answer: unknown): { code: string; message: string; mend?: string } | null {
  const code = field(answer, 'code');
  const message = field(answer, 'detail');
  const mend = field(answer, 'mend');
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  return typeof mend === 'string' ? { code, message, mend } : { code, message };
}

function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
