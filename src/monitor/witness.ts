// The earlier steps that a verdict rests on. Pure.
import type { Ref, WitnessSink } from '../spec/run.ts';
import type { RuleOutcome, Witness } from './types.ts';

export const NO_WITNESS: readonly Witness[] = [];

export function witnessOf({ seq, id, kind, name, session }: Ref, note?: string): Witness {
  return {
    seq,
    id,
    kind,
    name,
    ...(session === undefined ? {} : { session }),
    ...(note === undefined ? {} : { note }),
  };
}

/** Collects each step once, with what was said of it first. */
export class Witnesses implements WitnessSink {
  readonly #found = new Map<string, Witness>();

  add(ref: Ref, note?: string): void {
    const place = placeOf(ref);
    if (!this.#found.has(place)) this.#found.set(place, witnessOf(ref, note));
  }

  list(): readonly Witness[] {
    return this.#found.size === 0 ? NO_WITNESS : [...this.#found.values()].sort(byPlace);
  }
}

/** What all of the rules rest on, each step once. */
export function joinWitnesses(rules: readonly RuleOutcome[]): readonly Witness[] {
  if (rules.length === 1) return rules[0]!.witness;
  const found = new Map<string, Witness>();
  for (const rule of rules)
    for (const witness of rule.witness) {
      const place = placeOf(witness);
      if (!found.has(place)) found.set(place, witness);
    }
  return [...found.values()].sort(byPlace);
}

function placeOf({ session = '', seq }: Pick<Witness, 'session' | 'seq'>): string {
  return `${session}\n${seq}`;
}

/** Steps of other sessions first, then the session's own in order. */
function byPlace(a: Witness, b: Witness): number {
  const [one, other] = [a.session ?? '', b.session ?? ''];
  if (one === other) return a.seq - b.seq;
  return one === '' ? 1 : other === '' ? -1 : one < other ? -1 : 1;
}
