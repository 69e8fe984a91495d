// When a rule fires, as a formula. A guard that is neither true nor false does not switch a rule off, and a condition that
// is neither does not satisfy it, so a rule fires exactly when none of `when`, not `unless`, and what it forbids is false.
// "Is not false" goes through && and || (Kleene's strong three-valued logic), down to literals. Pure.
import { type Atom, type Candidate, candidatesOf, truthOf } from './atom.ts';

export interface Literal {
  readonly atom: Atom;
  readonly negated: boolean;
}

/** Each node says that something is not false. */
export type Formula =
  | { readonly t: 'const'; readonly value: boolean }
  | { readonly t: 'literal'; readonly literal: Literal }
  | { readonly t: 'all' | 'some'; readonly parts: readonly Formula[] };

export const YES: Formula = { t: 'const', value: true };
export const NO: Formula = { t: 'const', value: false };

export function literal(atom: Atom, negated: boolean): Formula {
  return { t: 'literal', literal: { atom, negated } };
}

export function all(parts: readonly Formula[]): Formula {
  return joined('all', parts, false);
}

export function some(parts: readonly Formula[]): Formula {
  return joined('some', parts, true);
}

function joined(t: 'all' | 'some', parts: readonly Formula[], decisive: boolean): Formula {
  if (parts.some((part) => part.t === 'const' && part.value === decisive)) return decisive ? YES : NO;
  const open = parts.filter((part) => part.t !== 'const');
  if (open.length === 0) return decisive ? NO : YES;
  return open.length === 1 ? open[0]! : { t, parts: open };
}

/** Assignments that are tried before an analysis gives up, and claims nothing. */
const MAX_ASSIGNMENTS = 20_000;

/** Whether `claim` holds of the formulas whatever their atoms are; false also where that is too much to try. */
function always(formulas: readonly Formula[], claim: (values: readonly boolean[]) => boolean): boolean {
  const groups = [...groupsOf(formulas)];
  const size = groups.reduce((product, [, candidates]) => product * candidates.length, 1);
  if (size > MAX_ASSIGNMENTS) return false;
  const assigned = new Map<string, Candidate>();
  const tryAll = (at: number): boolean => {
    const group = groups[at];
    if (group === undefined) return claim(formulas.map((formula) => isSo(formula, assigned)));
    const [term, candidates] = group;
    return candidates.every((candidate) => {
      assigned.set(term, candidate);
      return tryAll(at + 1);
    });
  };
  return tryAll(0);
}

/** Terms, each with values of which every value behaves like one. */
function groupsOf(formulas: readonly Formula[]): Map<string, Candidate[]> {
  const atoms = new Map<string, Atom[]>();
  const collect = (formula: Formula): void => {
    if (formula.t === 'all' || formula.t === 'some') formula.parts.forEach(collect);
    else if (formula.t === 'literal') {
      const key = keyOf(formula.literal.atom);
      const same = atoms.get(key);
      if (same === undefined) atoms.set(key, [formula.literal.atom]);
      else same.push(formula.literal.atom);
    }
  };
  formulas.forEach(collect);
  return new Map([...atoms].map(([key, same]) => [key, candidatesOf(same)]));
}

function keyOf(atom: Atom): string {
  return `${atom.t === 'whole' ? 'whole' : 'value'} ${atom.term}`;
}

function isSo(formula: Formula, assigned: ReadonlyMap<string, Candidate>): boolean {
  switch (formula.t) {
    case 'const':
      return formula.value;
    case 'all':
      return formula.parts.every((part) => isSo(part, assigned));
    case 'some':
      return formula.parts.some((part) => isSo(part, assigned));
    case 'literal': {
      const { atom, negated } = formula.literal;
      const truth = truthOf(atom, assigned.get(keyOf(atom))!);
      return truth === null || truth !== negated;
    }
  }
}

export function never(formula: Formula): boolean {
  return formula.t === 'const' ? !formula.value : always([formula], ([value]) => !value);
}

export function holds(formula: Formula): boolean {
  if (formula.t === 'const') return formula.value;
  // A literal alone can be false; of `x in []` nothing is claimed.
  if (formula.t === 'literal') return false;
  if (formula.t === 'all') return formula.parts.every(holds);
  return always([formula], ([value]) => value!);
}

/** Whether `b` is so wherever `a` is; `a` can be so. Each part of `b` is asked for by itself, of the parts of `a` that bear on it. */
export function implies(a: Formula, b: Formula): boolean {
  if (b.t === 'all') return b.parts.every((part) => implies(a, part));
  if (holds(b)) return true;
  const bearing = bearingOn(a, b);
  return bearing !== null && always([bearing, b], ([left, right]) => !left || right!);
}

/** Whether one of them holds, whatever is so. */
export function eitherHolds(a: Formula, b: Formula): boolean {
  if (a.t === 'all') return a.parts.every((part) => eitherHolds(part, b));
  if (b.t === 'all') return b.parts.every((part) => eitherHolds(a, part));
  if (holds(a) || holds(b)) return true;
  return share(a, b) && always([a, b], ([left, right]) => left! || right!);
}

/** The parts of `a` that have terms of `b`, or of such a part; null when there are none: then `a` says nothing of `b`. */
function bearingOn(a: Formula, b: Formula): Formula | null {
  const left = a.t === 'all' ? [...a.parts] : [a];
  const found: Formula[] = [];
  const about = [b];
  for (let next = about.pop(); next !== undefined; next = about.pop()) {
    for (const part of [...left]) {
      if (!share(part, next)) continue;
      left.splice(left.indexOf(part), 1);
      found.push(part);
      about.push(part);
    }
  }
  return found.length === 0 ? null : all(found);
}

/** Without a common term, two formulas are independent. */
function share(a: Formula, b: Formula): boolean {
  const terms = termsOf(a);
  return [...termsOf(b)].some((term) => terms.has(term));
}

const TERMS = new WeakMap<Formula, ReadonlySet<string>>();

function termsOf(formula: Formula): ReadonlySet<string> {
  let terms = TERMS.get(formula);
  if (terms === undefined) {
    terms = new Set(groupsOf([formula]).keys());
    TERMS.set(formula, terms);
  }
  return terms;
}
