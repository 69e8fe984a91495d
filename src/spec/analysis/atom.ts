// The smallest conditions that an analysis looks into: a value compared with constants, or anything else taken whole.
// An atom is true, false, or neither (absent, an error, no truth value). Pure.
import type { Constant, Expr } from '../cel/tree.ts';
import { childrenOf } from '../free.ts';

export type Scalar = number | string | boolean;
/** `null` is neither. */
export type Truth = boolean | null;

/** Stands for every value that is no number, text or truth value. */
const OTHER = Symbol('other');
/** Stands for a value that cannot be had. */
const BROKEN = Symbol('broken');
export type Candidate = Scalar | typeof OTHER | typeof BROKEN;

type Order = '<' | '<=' | '>' | '>=';
export type Atom =
  | { readonly t: 'whole'; readonly term: string }
  | { readonly t: 'in'; readonly term: string; readonly values: readonly Scalar[] }
  | { readonly t: 'order'; readonly term: string; readonly order: Order; readonly bound: number };

const MIRRORED: Readonly<Record<Order, Order>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** An expression as an atom; `negated` when it says the opposite of it. */
export function atomOf(expr: Expr): { readonly atom: Atom; readonly negated: boolean } {
  const kind = expr.exprKind;
  if (kind.case === 'callExpr' && kind.value.args.length === 2 && kind.value.target === undefined) {
    const { function: name, args } = kind.value;
    const [left, right] = args as [Expr, Expr];
    if (name === '_==_' || name === '_!=_') {
      const [term, value] = scalarOf(right) === null ? [right, scalarOf(left)] : [left, scalarOf(right)];
      if (value !== null)
        return { atom: { t: 'in', term: shapeOf(term), values: [value] }, negated: name === '_!=_' };
      if (name === '_!=_')
        return { atom: { t: 'whole', term: `==${shapeOf(left)} ${shapeOf(right)}` }, negated: true };
      return { atom: { t: 'whole', term: `==${shapeOf(left)} ${shapeOf(right)}` }, negated: false };
    }
    if (name === '@in' && right.exprKind.case === 'listExpr') {
      const values = right.exprKind.value.elements.map(scalarOf);
      if (values.every((value) => value !== null))
        return { atom: { t: 'in', term: shapeOf(left), values }, negated: false };
    }
    const order = name.slice(1, -1);
    if (order === '<' || order === '<=' || order === '>' || order === '>=') {
      const [l, r] = [scalarOf(left), scalarOf(right)];
      if (typeof r === 'number')
        return { atom: { t: 'order', term: shapeOf(left), order, bound: r }, negated: false };
      if (typeof l === 'number')
        return {
          atom: { t: 'order', term: shapeOf(right), order: MIRRORED[order], bound: l },
          negated: false,
        };
    }
  }
  return { atom: { t: 'whole', term: shapeOf(expr) }, negated: false };
}

function scalarOf(expr: Expr): Scalar | null {
  if (expr.exprKind.case === 'callExpr' && expr.exprKind.value.function === '-_') {
    const inner = scalarOf(expr.exprKind.value.args[0]!);
    return typeof inner === 'number' ? -inner : null;
  }
  return expr.exprKind.case === 'constExpr' ? constantOf(expr.exprKind.value) : null;
}

function constantOf({ constantKind: kind }: Constant): Scalar | null {
  switch (kind.case) {
    case 'boolValue':
    case 'stringValue':
      return kind.value;
    case 'int64Value':
      return Number.isSafeInteger(Number(kind.value)) ? Number(kind.value) : null;
    case 'doubleValue':
      return Number.isFinite(kind.value) ? kind.value : null;
    default:
      return null;
  }
}

/** The expression without its node numbers: equal for two uses of one text. */
export function shapeOf(expr: Expr): string {
  return JSON.stringify(expr, (key, value: unknown) => {
    if (key === 'id' || key === '$typeName') return undefined;
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

/** Whether its evaluation can run out of its budget: only loops spend it (src/spec/cel/budget.ts). */
export function hasLoop(expr: Expr): boolean {
  return expr.exprKind.case === 'comprehensionExpr' || childrenOf(expr).some((child) => hasLoop(child.expr));
}

/** Values of a term of which every value behaves like one, in all these atoms. */
export function candidatesOf(atoms: readonly Atom[]): Candidate[] {
  if (atoms.every((atom) => atom.t === 'whole')) return [true, false, BROKEN];
  const scalars = new Set<Scalar>();
  for (const atom of atoms) {
    if (atom.t === 'in') for (const value of atom.values) scalars.add(value);
    if (atom.t === 'order') scalars.add(atom.bound);
  }
  const numbers = [...scalars].filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const between: number[] = [Number.NaN];
  for (const [i, number] of numbers.entries()) {
    if (i === 0) between.push(Number.NEGATIVE_INFINITY);
    const next = numbers[i + 1];
    between.push(next === undefined ? Number.POSITIVE_INFINITY : number + (next - number) / 2);
  }
  return [...scalars, ...between, OTHER, BROKEN];
}

/** What the atom is when its term has this value: CEL's `==` and `in` over all types, its order over numbers. */
export function truthOf(atom: Atom, value: Candidate): Truth {
  if (value === BROKEN) return null;
  switch (atom.t) {
    case 'whole':
      return value === true;
    case 'in':
      return value !== OTHER && atom.values.includes(value) && !Number.isNaN(value);
    case 'order':
      if (typeof value !== 'number') return null;
      if (atom.order === '<') return value < atom.bound;
      if (atom.order === '<=') return value <= atom.bound;
      return atom.order === '>' ? value > atom.bound : value >= atom.bound;
  }
}
