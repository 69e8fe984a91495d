// A step that people's orders stop: denied before any rule is asked. The orders stand in the step itself. Pure.
import { STOP_FACT } from '../spec/shared.ts';
import type { JsonObject, Step } from '../step/types.ts';
import type { RuleOutcome } from './types.ts';

/** Null when nothing stops it. */
export function stoppedOutcome({ facts }: Step): RuleOutcome | null {
  const stop = facts?.find((fact) => fact.id === STOP_FACT);
  if (stop === undefined) return null;
  const { by, reason } = (stop.value ?? {}) as JsonObject;
  return {
    rule: '$stopped',
    verdict: 'deny',
    mode: 'enforce',
    cause: 'violated',
    because: `${String(by)} stopped this: ${String(reason)}`,
    repair: 'Nothing can be done until it is lifted; tell the user.',
    witness: [],
    controls: [],
  };
}
