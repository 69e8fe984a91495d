// Checks: Interlock gets the evidence itself and records it as a step of the session, so that a rule can rest on it. A
// caller can ask for a check, and never say how it came out.
import { randomUUID } from 'node:crypto';
import type { Value } from '../spec/cel/value.ts';
import { nearest } from '../step/nearest.ts';
import type { Json, JsonObject, Proposal } from '../step/types.ts';
import { OWN_ID_PREFIX } from './build-step.ts';
import type { Memory } from './memory.ts';
import type { EngineOptions } from './options.ts';
import { refuse } from './problem.ts';
import type { Recorder } from './record.ts';
import type { CheckRequest, Recorded } from './types.ts';

/** Under way at once; more are refused. */
const RUNNING_MAX = 32;

export function createChecks(
  memory: Memory,
  recorder: Recorder,
  getEvidence: NonNullable<EngineOptions['getEvidence']> | undefined,
) {
  let running = 0;

  async function check(id: string, { name, subject, attestation }: CheckRequest): Promise<Recorded> {
    const session = memory.get(id) ?? (await memory.load(id));
    if (session === null) throw refuse('unknown-session', `there is no session ${id}`, 'Open it first.');
    if (session.row.state === 'ended')
      throw refuse('session-ended', `the session ${id} has ended`, 'Open a new one.');
    const checks = session.monitor.checks;
    const plan = checks?.get(name);
    if (plan === undefined) {
      const near = nearest(name, checks?.keys() ?? []);
      throw refuse(
        'invalid',
        `the session's spec declares no check ${JSON.stringify(name)}`,
        near === null ? 'See `checks` in the spec.' : `Did you mean ${near}?`,
      );
    }
    if (getEvidence === undefined)
      throw refuse('invalid', 'this Interlock makes no checks', 'Start it with what they need.');
    if (running >= RUNNING_MAX)
      throw refuse('overloaded', `${running} checks are under way`, 'Try again shortly.');
    running += 1;
    let outcome: Pick<Proposal, 'result' | 'error'>;
    try {
      const evidence = await getEvidence({ ...plan, subject, attestation });
      outcome = { result: { ...evidence, ...verdictOf(plan.passes(valuesOf(evidence, subject))) } };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      outcome = {
        result: { passed: false },
        error: { message: message.slice(0, 2_000), type: 'NoEvidence' },
      };
    } finally {
      running -= 1;
    }
    const live = memory.get(id) ?? (await memory.load(id));
    if (live === null || live.row.state === 'ended')
      throw refuse('session-ended', `the session ${id} has ended`, 'Open a new one.');
    return recorder.record(live, {
      id: `${OWN_ID_PREFIX}check:${randomUUID()}`,
      kind: 'check',
      name,
      args: { subject, ...(attestation === null ? {} : { attestation }) },
      ...outcome,
    });
  }

  return { check };
}

function verdictOf(passed: boolean | string): JsonObject {
  return typeof passed === 'boolean' ? { passed } : { passed: false, why: passed };
}

function valuesOf(evidence: JsonObject, subject: Json): Record<string, Value> {
  return { ...(evidence as Record<string, Value>), subject: subject as Value };
}
