// Cedar expressions as CEL, from two sides: `sure` holds only where Cedar's does, `maybe` wherever Cedar's could. Where both
// are the same text, it is exact. Errors stay errors: Cedar reads `&&` and `||` from left to right, so they become `? :`
// where CEL, which does not, could see past an error. Pure.
import { allOf, anyOf, literal, quote } from '../cel.ts';
import type { EntityRef, Expr, PatternElement, ScopeConstraint } from './policy.ts';
import type { Members } from './schema.ts';
import { temporalText } from './temporal.ts';

export interface Side {
  /** What cannot be said is true; else false. */
  readonly over: boolean;
  /** What cannot be said and could be an error in Cedar is one here. */
  readonly strict: boolean;
}
/** Holds only where Cedar's condition does. */
export const SURE: Side = { over: false, strict: true };
/** Holds wherever Cedar's condition could. */
export const MAYBE: Side = { over: true, strict: false };
const ERROR = '1 / 0 == 0';

/** How requests and calls correspond. */
export interface Convention {
  /** Where the arguments are: the context itself, or its field `input`. */
  readonly args: 'context' | 'context.input';
  /** What `resource` is in every call; null when it is not known. */
  readonly resource: EntityRef | null;
  /** What actions are in a group; null when no schema says so. */
  readonly members: Members | null;
  /** The principal of a session, as text. */
  principal(entity: EntityRef): string;
  /** What the text begins with for principals of a type. */
  principalPrefix(type: string): string;
}

type Value =
  | { readonly t: 'cel'; readonly text: string; readonly kind: 'string' | 'number' | 'bool' | 'open' }
  | { readonly t: 'args' | 'context' | 'principal' | 'action' | 'resource' }
  | { readonly t: 'entity'; readonly entity: EntityRef }
  | { readonly t: 'set'; readonly items: readonly Value[] }
  | { readonly t: 'unknown' };
const UNKNOWN: Value = { t: 'unknown' };

/** What cannot be said: of the context or of attributes, it could be an error; what entities are in, never. */
const unknown = ({ over, strict }: Side) => (strict ? ERROR : String(over));
const flip = ({ over, strict }: Side): Side => ({ over: !over, strict });

/** A policy's whole condition: at the outside an error and a false are the same, so `&&` may stay. */
export function outer(expr: Expr, side: Side, convention: Convention): string[] {
  if (expr.t === 'binary' && expr.op === '&&')
    return [...outer(expr.left, side, convention), ...outer(expr.right, side, convention)];
  return [truth(expr, side, convention)];
}

export function truth(expr: Expr, side: Side, convention: Convention): string {
  const inner = (part: Expr, of = side) => truth(part, of, convention);
  switch (expr.t) {
    case 'not':
      return negated(inner(expr.arg, flip(side)));
    case 'binary':
      if (expr.op === '&&') return branch(expr.left, inner(expr.right), 'false', side, convention);
      if (expr.op === '||') return branch(expr.left, 'true', inner(expr.right), side, convention);
      return compared(expr, side, convention);
    case 'if':
      return branch(expr.test, inner(expr.yes), inner(expr.no), side, convention);
    case 'has':
      return hasText(expr, side, convention);
    case 'like': {
      const value = meaningOf(expr.left, convention);
      if (value.t !== 'cel' || value.kind === 'number' || value.kind === 'bool') return unknown(side);
      return `${value.text}.matches(${literal(`(?s)^${likePattern(expr.pattern)}$`)})`;
    }
    case 'is':
      return isText(meaningOf(expr.left, convention), expr.type, expr.in, side, convention);
    case 'temporal':
      // A condition on history is never an error.
      return temporalText(expr.formula) ?? String(side.over);
    case 'call':
      return called(expr.name, expr.args, side, convention);
    case 'value':
    case 'attr': {
      const value = meaningOf(expr, convention);
      return value.t === 'cel' && (value.kind === 'bool' || value.kind === 'open')
        ? value.text
        : unknown(side);
    }
    default:
      // A set, a record or an entity is no truth.
      return ERROR;
  }
}

function negated(text: string): string {
  if (text === 'true' || text === 'false') return String(text === 'false');
  return `!(${text})`;
}

/**
 * `test ? yes : no`. Where the test cannot be decided, both could be the answer; of a strict side an error in either is one,
 * because Cedar could have come upon it.
 */
function branch(test: Expr, yes: string, no: string, side: Side, convention: Convention): string {
  const never = truth(test, { ...side, over: false }, convention);
  const ever = truth(test, { ...side, over: true }, convention);
  const safe = test.t === 'has' && test.left.t === 'var';
  if (never === ever) return choice(never, yes, no, safe);
  const lax = side.over ? anyOf([yes, no]) : allOf([yes, no]);
  const both = side.over
    ? choice(yes, choice(no, 'true', 'true'), no)
    : choice(yes, no, choice(no, 'false', 'false'));
  return choice(never, yes, choice(ever, side.strict ? both : lax, no));
}

/** As an operator where the test cannot be an error: CEL's operators see past errors on either side. */
function choice(test: string, yes: string, no: string, safe = false): string {
  if (test === 'true') return yes;
  if (test === 'false') return no;
  if (safe && no === 'false') return `(${test} && ${yes})`;
  if (safe && yes === 'true') return `(${test} || ${no})`;
  return `(${test} ? ${yes} : ${no})`;
}

function likePattern(pattern: readonly PatternElement[]): string {
  return pattern.map((part) => (part === 'Wildcard' ? '.*' : quote(part.Literal))).join('');
}

function meaningOf(expr: Expr, convention: Convention): Value {
  const cel = (text: string, kind: Extract<Value, { t: 'cel' }>['kind']): Value => ({ t: 'cel', text, kind });
  switch (expr.t) {
    case 'value':
      return cel(
        JSON.stringify(expr.value),
        typeof expr.value === 'boolean' ? 'bool' : typeof expr.value === 'number' ? 'number' : 'string',
      );
    case 'entity':
      return { t: 'entity', entity: expr.entity };
    case 'var':
      if (expr.name === 'resource')
        return convention.resource === null
          ? { t: 'resource' }
          : { t: 'entity', entity: convention.resource };
      if (expr.name === 'context') return { t: convention.args === 'context' ? 'args' : 'context' };
      return { t: expr.name };
    case 'attr': {
      const left = meaningOf(expr.left, convention);
      if (left.t === 'context') return expr.attr === 'input' ? { t: 'args' } : UNKNOWN;
      if (left.t === 'args') return cel(`args${access(expr.attr)}`, 'open');
      return left.t === 'cel' && left.kind === 'open' ? cel(left.text + access(expr.attr), 'open') : UNKNOWN;
    }
    case 'neg': {
      const text = numberText(meaningOf(expr.arg, convention));
      return text === null ? UNKNOWN : cel(`(0 - ${text})`, 'number');
    }
    case 'binary': {
      if (expr.op !== '+' && expr.op !== '-' && expr.op !== '*') break;
      const left = numberText(meaningOf(expr.left, convention));
      const right = numberText(meaningOf(expr.right, convention));
      return left === null || right === null ? UNKNOWN : cel(`(${left} ${expr.op} ${right})`, 'number');
    }
    case 'set':
      return { t: 'set', items: expr.items.map((item) => meaningOf(item, convention)) };
    case 'not':
    case 'has':
    case 'like':
    case 'is':
    case 'temporal':
    case 'call':
      break;
  }
  // Yes or no as a value: only where it is exact.
  const sure = expr.t === 'if' || expr.t === 'record' ? null : truth(expr, SURE, convention);
  return sure !== null && sure === truth(expr, MAYBE, convention) ? cel(`(${sure})`, 'bool') : UNKNOWN;
}

function access(attr: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(attr) ? `.${attr}` : `[${literal(attr)}]`;
}

/** A number, or an error: Cedar's numbers are no texts. */
function numberText(value: Value): string | null {
  if (value.t !== 'cel') return null;
  return value.kind === 'number' ? value.text : value.kind === 'open' ? `(${value.text} + 0)` : null;
}

/** Known to be none: to compare it is an error in Cedar. */
function isNoNumber(value: Value): boolean {
  return value.t === 'cel' && (value.kind === 'string' || value.kind === 'bool');
}

function compared(expr: Extract<Expr, { t: 'binary' }>, side: Side, convention: Convention): string {
  const left = meaningOf(expr.left, convention);
  const right = meaningOf(expr.right, convention);
  switch (expr.op) {
    case '==':
      return equal(left, right, side, convention);
    case '!=':
      return negated(equal(left, right, flip(side), convention));
    case 'in': {
      const group = right.t === 'set' ? right.items : [right];
      return anyOf(group.map((item) => within(left, item, side, convention, right.t === 'set')));
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const a = numberText(left);
      const b = numberText(right);
      if (isNoNumber(left) || isNoNumber(right)) return ERROR;
      return a === null || b === null ? unknown(side) : `${a} ${expr.op} ${b}`;
    }
    default:
      // A sum is no truth.
      return unknown(side);
  }
}

function sameEntity(a: EntityRef, b: EntityRef): boolean {
  return a.type === b.type && a.id === b.id;
}

function equal(a: Value, b: Value, side: Side, convention: Convention): string {
  if (a.t === 'entity' && b.t === 'entity') return String(sameEntity(a.entity, b.entity));
  const [one, other] = a.t === 'entity' ? [b, a] : [a, b];
  if (other.t === 'entity') {
    if (one.t === 'resource') return String(side.over);
    if (one.t === 'principal') return `principal == ${literal(convention.principal(other.entity))}`;
    if (one.t === 'action') return isAction(other.entity) ? `name == ${literal(other.entity.id)}` : 'false';
    return unknown(side);
  }
  if (a.t !== 'cel' || b.t !== 'cel') return unknown(side);
  if (a.kind === 'open' && b.kind === 'open')
    // Sets are equal in any order, which lists are not: of these nothing is said.
    return `(type(${a.text}) == list || type(${a.text}) == map ? 1 / 0 == 0 : ${a.text} == ${b.text})`;
  if (a.kind !== 'open' && b.kind !== 'open' && a.kind !== b.kind) return 'false';
  return `${a.text} == ${b.text}`;
}

export function isAction(entity: EntityRef): boolean {
  return entity.type === 'Action' || entity.type.endsWith('::Action');
}

function isEntity({ t }: Value): boolean {
  return t === 'entity' || t === 'principal' || t === 'action' || t === 'resource';
}

/** The same entity is in itself; what else is in it, only its hierarchy knows. Actions in a list are tools. */
function within(value: Value, group: Value, side: Side, convention: Convention, listed: boolean): string {
  if (group.t !== 'entity' || !isEntity(value)) return unknown(side);
  if (value.t === 'action' && convention.members !== null) {
    const names = isAction(group.entity) ? convention.members(group.entity) : [];
    return names.length === 0 ? 'false' : `name in ${JSON.stringify(names)}`;
  }
  const same = equal(value, group, { ...side, over: false }, convention);
  if (value.t === 'action' && listed) return same;
  return !side.over || same === 'true' ? same : 'true';
}

function isText(
  value: Value,
  type: string,
  within_: Expr | null,
  side: Side,
  convention: Convention,
): string {
  if (within_ !== null) {
    const right = meaningOf(within_, convention);
    const typed = isText(value, type, null, side, convention);
    return typed === 'false' ? typed : `(${typed} && ${within(value, right, side, convention, false)})`;
  }
  // Calls say no namespace of their actions.
  if (value.t === 'resource' || value.t === 'action') return String(side.over);
  if (value.t === 'entity') return String(value.entity.type === type);
  if (value.t === 'principal') return `principal.startsWith(${literal(convention.principalPrefix(type))})`;
  return unknown(side);
}

function hasText(expr: Extract<Expr, { t: 'has' }>, side: Side, convention: Convention): string {
  let value = meaningOf(expr.left, convention);
  const conditions: string[] = [];
  for (const attr of expr.attrs) {
    if (value.t === 'context' && attr === 'input') {
      value = { t: 'args' };
      continue;
    }
    const text = value.t === 'args' ? 'args' : value.t === 'cel' && value.kind === 'open' ? value.text : null;
    if (text === null) return unknown(side);
    const field = text + access(attr);
    conditions.push(field.endsWith(']') ? `${literal(attr)} in ${text}` : `has(${field})`);
    value = { t: 'cel', text: field, kind: 'open' };
  }
  const [first = 'true', ...rest] = conditions;
  return rest.length === 0 ? first : `(${[first, ...rest].join(' && ')})`;
}

/** Sets, as lists of which the order is not asked. */
function called(name: string, args: readonly Expr[], side: Side, convention: Convention): string {
  const [receiver, argument] = args.map((arg) => meaningOf(arg, convention));
  const set = receiver === undefined ? null : listText(receiver);
  if (set === null) return unknown(side);
  if (name === 'isEmpty') return `size(${set}) == 0`;
  if (argument === undefined) return unknown(side);
  if (name === 'contains') {
    const item = scalarText(argument);
    return item === null ? unknown(side) : `${item} in ${set}`;
  }
  const others = listText(argument);
  if (others === null || argument.t !== 'set') return unknown(side);
  if (name === 'containsAll') return `${others}.all(x, x in ${set})`;
  return name === 'containsAny' ? `${others}.exists(x, x in ${set})` : unknown(side);
}

/** A list, or an error for what is none. */
function listText(value: Value): string | null {
  if (value.t === 'cel') return value.kind === 'open' ? `(${value.text} + [])` : null;
  if (value.t !== 'set') return null;
  const items = value.items.map(scalarText);
  return items.includes(null) ? null : `[${items.join(', ')}]`;
}

/** A text, number or truth written out: what else could be a set in a set. */
function scalarText(value: Value): string | null {
  return value.t === 'cel' && value.kind !== 'open' ? value.text : null;
}

/** What a policy's scope asks of the principal or the resource. */
export function scopeTruth(
  variable: 'principal' | 'resource',
  constraint: ScopeConstraint,
  side: Side,
  convention: Convention,
): string {
  const left: Expr = { t: 'var', name: variable };
  switch (constraint.op) {
    case 'All':
      return 'true';
    case '==':
      return truth(
        { t: 'binary', op: '==', left, right: { t: 'entity', entity: constraint.entity } },
        side,
        convention,
      );
    case 'in': {
      const items: Expr[] = ('entities' in constraint ? constraint.entities : [constraint.entity]).map(
        (entity) => ({
          t: 'entity',
          entity,
        }),
      );
      const right: Expr = items.length === 1 ? items[0]! : { t: 'set', items };
      return truth({ t: 'binary', op: 'in', left, right }, side, convention);
    }
    case 'is': {
      const group: Expr | null =
        constraint.in === undefined ? null : { t: 'entity', entity: constraint.in.entity };
      return truth({ t: 'is', left, type: constraint.entity_type, in: group }, side, convention);
    }
  }
}
