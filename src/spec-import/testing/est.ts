// For tests: a policy as Cedar's own JSON, to compare with what the official parser gives.
import type { EntityRef, Expr, Policy, ScopeConstraint } from '../cedar/policy.ts';

const entity = ({ type, id }: EntityRef) => ({ __entity: { type, id } });

function expr(e: Expr): unknown {
  switch (e.t) {
    case 'value':
      return { Value: e.value };
    case 'entity':
      return { Value: entity(e.entity) };
    case 'var':
      return { Var: e.name };
    case 'not':
      return { '!': { arg: expr(e.arg) } };
    case 'neg':
      return { neg: { arg: expr(e.arg) } };
    case 'binary':
      return { [e.op]: { left: expr(e.left), right: expr(e.right) } };
    case 'attr':
      return { '.': { left: expr(e.left), attr: e.attr } };
    case 'has':
      return { has: { left: expr(e.left), attr: e.attrs } };
    case 'like':
      return { like: { left: expr(e.left), pattern: e.pattern } };
    case 'is':
      return {
        is: { left: expr(e.left), entity_type: e.type, ...(e.in === null ? {} : { in: expr(e.in) }) },
      };
    case 'if':
      return {
        'if-then-else': Object.fromEntries([
          ['if', expr(e.test)],
          ['then', expr(e.yes)],
          ['else', expr(e.no)],
        ]),
      };
    case 'set':
      return { Set: e.items.map(expr) };
    case 'record':
      return { Record: Object.fromEntries(e.fields.map(([key, value]) => [key, expr(value)])) };
    case 'call': {
      const [left, right] = e.args.map(expr);
      if (['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag'].includes(e.name))
        return { [e.name]: { left, right } };
      return e.name === 'isEmpty' ? { isEmpty: { arg: left } } : { [e.name]: e.args.map(expr) };
    }
  }
}

function scope(constraint: ScopeConstraint): unknown {
  switch (constraint.op) {
    case '==':
      return { op: '==', entity: { ...constraint.entity } };
    case 'in':
      return 'entities' in constraint
        ? { op: 'in', entities: constraint.entities }
        : { op: 'in', entity: constraint.entity };
    default:
      return constraint;
  }
}

/** Spellings of the same: texts of patterns by letter, one attribute or a list of one, negative numbers, empty annotations. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as Record<string, unknown>;
  if ('neg' in map) {
    const { Value } = normal((map.neg as { arg: unknown }).arg) as { Value?: unknown };
    if (typeof Value === 'number') return { Value: -Value };
  }
  const entries = Object.entries(map).flatMap(([key, item]): [string, unknown][] => {
    if (key === 'pattern') return [[key, letters(item as readonly unknown[])]];
    if (key === 'has') {
      const { left, attr } = item as { left: unknown; attr: unknown };
      return [[key, { left: normal(left), attr: typeof attr === 'string' ? [attr] : attr }]];
    }
    if (key === 'annotations') {
      const notes = Object.entries(item as object).map(([name, text]) => [name, text ?? '']);
      return notes.length === 0 ? [] : [[key, Object.fromEntries(notes)]];
    }
    return [[key, normal(item)]];
  });
  return Object.fromEntries(entries);
}

function letters(pattern: readonly unknown[]): unknown[] {
  return pattern.flatMap((part): unknown[] =>
    part === 'Wildcard' ? [part] : [...(part as { Literal: string }).Literal].map((c) => ({ Literal: c })),
  );
}

export const toEst = {
  normal,
  policy: ({ effect, principal, action, resource, conditions, annotations }: Policy) => ({
    effect,
    principal: scope(principal),
    action: scope(action),
    resource: scope(resource),
    conditions: conditions.map(({ kind, body }) => ({ kind, body: expr(body) })),
    annotations,
  }),
};
