// Section 7.3 and 7.5: several verdicts of one emission become one. Pure.
import type { Composition, Verdict, Warning } from './types.ts';
import { hostError, isLiftable, permits } from './types.ts';

export interface Aggregate {
  readonly combined: Verdict;
  readonly decidedBy: number | null;
  /** The combined verdict is a transform that has not been applied yet. */
  readonly isToApply: boolean;
}

/** `verdicts` in the order of registration. In a sequential profile their transforms have been applied already. */
export function aggregate(composition: Composition, verdicts: readonly Verdict[]): Aggregate {
  const made = (error: 'transform_conflict' | 'composition_disagreement', knob: 'deny' | 'approval') => {
    const deny = hostError(error);
    const combined = knob === 'approval' ? { ...deny, approval: {} } : deny;
    return { combined: withUnions(combined, verdicts), decidedBy: null, isToApply: false };
  };
  if (composition.profile === 'parallel/unanimous') {
    if (verdicts.every(({ decision }) => decision === 'allow'))
      return { combined: withUnions({ decision: 'allow' }, verdicts), decidedBy: null, isToApply: false };
    return made('composition_disagreement', composition.on_disagreement ?? 'deny');
  }
  const strongest = Math.max(0, ...verdicts.map(severity));
  if (strongest === 0)
    return { combined: withUnions({ decision: 'allow' }, verdicts), decidedBy: null, isToApply: false };
  const isParallel = composition.profile === 'parallel/strictest';
  if (strongest > 1) {
    const index = verdicts.findIndex((verdict) => severity(verdict) === strongest);
    return { combined: withUnions(verdicts[index]!, verdicts), decidedBy: index, isToApply: false };
  }
  if (isParallel && verdicts.filter(({ decision }) => decision === 'transform').length > 1)
    return made('transform_conflict', composition.on_transform_conflict ?? 'deny');
  const index = verdicts.findLastIndex(({ decision }) => decision === 'transform');
  return { combined: withUnions(verdicts[index]!, verdicts), decidedBy: index, isToApply: isParallel };
}

/** Section 5.1. */
function severity(verdict: Verdict): 0 | 1 | 2 | 3 {
  if (verdict.decision === 'allow') return 0;
  if (verdict.decision === 'transform') return 1;
  return isLiftable(verdict) ? 2 : 3;
}

/** Warnings of every verdict of the emission; labels of those that permit, when the emission proceeds. */
export function withUnions(combined: Verdict, pool: readonly Verdict[]): Verdict {
  const warnings: Warning[] = [];
  for (const warning of pool.flatMap((verdict) => verdict.warnings ?? [])) {
    const isKnown = warnings.some(
      ({ reason, message }) => reason === warning.reason && message === warning.message,
    );
    if (!isKnown) warnings.push(warning);
  }
  const { result_labels: _, ...bare } = combined;
  const labels = permits(combined)
    ? [...new Set(pool.filter(permits).flatMap((verdict) => verdict.result_labels ?? []))]
    : [];
  return {
    ...bare,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(labels.length === 0 ? {} : { result_labels: labels }),
  };
}

/** With the knobs that the profile asks at the values they have. */
export function resolved(composition: Composition): Composition {
  switch (composition.profile) {
    case 'sequential/first_deny':
      return { profile: composition.profile, on_approval: composition.on_approval ?? 'stop' };
    case 'sequential/run_all':
      return { profile: composition.profile };
    case 'parallel/strictest':
      return {
        profile: composition.profile,
        on_transform_conflict: composition.on_transform_conflict ?? 'deny',
      };
    case 'parallel/unanimous':
      return { profile: composition.profile, on_disagreement: composition.on_disagreement ?? 'deny' };
  }
}
