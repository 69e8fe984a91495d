// Conditions on history in Dogwood as CEL over `past`, where they can be said exactly; null where they cannot. A request is
// an attempt of a call (`call!`), the one that is decided among them; a response is a result that is no error. Pure.
import { allOf, literal } from '../cel.ts';
import type { Temporal, Term } from './policy.ts';

type Event = Extract<Temporal, { t: 'event' }>;

/** `context.input.x` is the argument x. */
export function temporalText(formula: Temporal): string | null {
  switch (formula.t) {
    case 'and':
      return joined(formula.parts.map(temporalText));
    case 'not': {
      const inner = temporalText(formula.arg);
      return inner === null ? null : `!(${inner})`;
    }
    case 'formerly':
      return formerly(formula.seconds, formula.body, new Set());
    case 'since':
      return since(formula);
    case 'exists':
      return bound(formula.variable, formula.body);
    case 'compare':
      return compared(formula);
    default:
      return null;
  }
}

function joined(parts: readonly (string | null)[]): string | null {
  return parts.includes(null) ? null : allOf(parts as string[]);
}

/** One event under the operator, and what is asked beside it. */
interface Pattern {
  readonly event: Event;
  readonly beside: readonly Extract<Temporal, { t: 'compare' }>[];
}

function patternOf(body: Temporal, timepoints: ReadonlySet<string>): Pattern | null {
  const parts = flat(body);
  const events = parts.filter((part) => part.t === 'event');
  const beside = parts.filter((part) => part.t === 'compare');
  const others = parts.filter((part) => part.t !== 'event' && part.t !== 'compare');
  const [event] = events;
  if (event === undefined || events.length !== 1) return null;
  if (!others.every((part) => part.t === 'tp' && timepoints.has(part.variable))) return null;
  return event.kind === 'request' || event.kind === 'response' ? { event, beside } : null;
}

/** Conditions on an event, its fields read of `of`; `variables` are bound to them. Null when one cannot be said. */
function conditions({ event, beside }: Pattern, of: string, variables: ReadonlySet<string>): string[] | null {
  const values = new Map<string, string>();
  const out: string[] = [];
  for (const [path, value] of event.fields) {
    const field = fieldOf(path, of);
    if (field === null) {
      // Whose the event is: the session's own, like the request's.
      if ((path.join('.') === 'callerPrincipal' && value.t === 'principal') || isResource(path, value))
        continue;
      return null;
    }
    if (value.t === 'any') continue;
    if (value.t === 'variable' && variables.has(value.name)) {
      const same = values.get(value.name);
      if (same === undefined) values.set(value.name, field);
      else out.push(`${same} == ${field}`);
      continue;
    }
    const text = termText(value, values);
    if (text === null) return null;
    out.push(`${field} == ${text}`);
  }
  for (const { op, left, right } of beside) {
    const a = termText(left, values);
    const b = termText(right, values);
    if (a === null || b === null) return null;
    out.push(`${a} ${op} ${b}`);
  }
  // Each variable stands for a field: one that does not would range over nothing.
  return [...variables].every((name) => values.has(name)) ? out : null;
}

function isResource(path: readonly string[], value: Term): boolean {
  const field = path.join('.');
  return (
    (field === 'callerResource' || field === 'eventResource') &&
    value.t === 'resource' &&
    value.path.length === 0
  );
}

function fieldOf([group, ...path]: readonly string[], of: string): string | null {
  if (path.length === 0 || (group !== 'input' && group !== 'output')) return null;
  const place = group === 'input' ? 'args' : 'result';
  return `${of === '' ? '' : `${of}.`}${place}.${path.join('.')}`;
}

function termText(term: Term, values: ReadonlyMap<string, string>): string | null {
  switch (term.t) {
    case 'value':
      return typeof term.value === 'string' ? literal(term.value) : String(term.value);
    case 'context':
      return term.path[0] === 'input' && term.path.length > 1 ? `args.${term.path.slice(1).join('.')}` : null;
    case 'variable':
      return values.get(term.name) ?? null;
    default:
      return null;
  }
}

function stepPattern({ action, kind }: Event): string | null {
  if (!/^[^\s*?:"\\]+$/.test(action.id)) return null;
  return literal(`${kind === 'request' ? 'call!' : 'result'} ${action.id}`);
}

/** The condition on an earlier event, for an operator of `past`. */
function earlier(pattern: Pattern, variables: ReadonlySet<string>, name = 'e'): string | null {
  const asked = conditions(pattern, name, variables);
  if (asked === null) return null;
  return allOf(pattern.event.kind === 'response' ? [`!has(${name}.error)`, ...asked] : asked);
}

/** Whether the request that is decided is such an event itself. Null when that cannot be said. */
function now(pattern: Pattern, variables: ReadonlySet<string>): string | null {
  const { event } = pattern;
  if (event.kind !== 'request') return 'false';
  const asked = conditions(pattern, '', variables);
  return asked === null ? null : allOf([`name == ${literal(event.action.id)}`, ...asked]);
}

function formerly(seconds: number, body: Temporal, variables: ReadonlySet<string>): string | null {
  const pattern = patternOf(body, NONE);
  if (pattern === null) return null;
  const step = stepPattern(pattern.event);
  const then = earlier(pattern, variables);
  const here = now(pattern, variables);
  if (step === null || then === null || here === null) return null;
  const past = `past.exists(${step}, e, ${then})${within(seconds)}`;
  return here === 'false' ? past : `((${here}) || ${past})`;
}

/** `!left since right`: the last `right` has no `left` after it. Other lefts would have to hold at every step. */
function since({ left, seconds, right }: Extract<Temporal, { t: 'since' }>): string | null {
  const begun = patternOf(right, NONE);
  const ended = left.t === 'not' ? patternOf(left.arg, NONE) : null;
  if (begun === null || ended === null) return null;
  const parts = [
    stepPattern(begun.event),
    earlier(begun, NONE, 'a'),
    stepPattern(ended.event),
    earlier(ended, NONE, 'b'),
    now(begun, NONE),
    now(ended, NONE),
  ];
  if (parts.includes(null)) return null;
  const [a, begins, b, ends, beginsNow, endsNow] = parts as string[];
  const past = `past.since(${a}, a, ${begins}, ${b}, b, ${ends})${within(seconds)}`;
  const open = endsNow === 'false' ? past : `(!(${endsNow}) && ${past})`;
  return beginsNow === 'false' ? open : `((${beginsNow}) || ${open})`;
}

/** `exists (n: Long). ((count …) == n && n < 3)`, or a field of an earlier event that the rest speaks of. */
function bound(variable: string, body: Temporal): string | null {
  const all = flat(body);
  const parts = all.filter((part) => mentions(part, variable));
  // `exists` reaches as far as it can; what does not speak of its variable stands beside it.
  return joined([
    boundHere(variable, parts),
    ...all.filter((part) => !parts.includes(part)).map(temporalText),
  ]);
}

function flat(body: Temporal): Temporal[] {
  return body.t === 'and' ? body.parts.flatMap(flat) : [body];
}

function mentions(formula: Temporal, variable: string): boolean {
  const inTerm = (term: Term): boolean =>
    term.t === 'variable' ? term.name === variable : isAggregate(term) && mentions(term.body, variable);
  switch (formula.t) {
    case 'and':
      return formula.parts.some((part) => mentions(part, variable));
    case 'not':
      return mentions(formula.arg, variable);
    case 'since':
      return mentions(formula.left, variable) || mentions(formula.right, variable);
    case 'formerly':
    case 'previous':
      return mentions(formula.body, variable);
    case 'exists':
      return formula.variable !== variable && mentions(formula.body, variable);
    case 'event':
      return formula.fields.some(([, value]) => inTerm(value));
    case 'tp':
      return formula.variable === variable;
    case 'compare':
      return inTerm(formula.left) || inTerm(formula.right);
  }
}

function boundHere(variable: string, parts: readonly Temporal[]): string | null {
  const defining = parts.find(
    (part) =>
      part.t === 'compare' &&
      part.op === '==' &&
      [part.left, part.right].some(isAggregate) &&
      [part.left, part.right].some((term) => term.t === 'variable' && term.name === variable),
  );
  if (defining?.t === 'compare') {
    const aggregate = [defining.left, defining.right].find(isAggregate)!;
    const replace = (term: Term): Term =>
      term.t === 'variable' && term.name === variable ? aggregate : term;
    const rest = parts
      .filter((part) => part !== defining)
      .map((part): string | null =>
        part.t === 'compare'
          ? compared({ ...part, left: replace(part.left), right: replace(part.right) })
          : null,
      );
    return joined(rest);
  }
  const [operator, ...others] = parts.filter((part) => part.t !== 'compare');
  const beside = parts.filter((part) => part.t === 'compare');
  if (operator?.t !== 'formerly' || others.length > 0) return null;
  return formerly(
    operator.seconds,
    { t: 'and', parts: [...flat(operator.body), ...beside] },
    new Set([variable]),
  );
}

function isAggregate(term: Term): term is Extract<Term, { t: 'count' | 'sum' }> {
  return term.t === 'count' || term.t === 'sum';
}

function compared({ op, left, right }: Extract<Temporal, { t: 'compare' }>): string | null {
  const side = (term: Term) => (isAggregate(term) ? aggregateText(term) : termText(term, NO_VALUES));
  const [a, b] = [side(left), side(right)];
  return a === null || b === null ? null : `${a} ${op} ${b}`;
}

/** Distinct timepoints, so each event counts once. */
function aggregateText(term: Extract<Term, { t: 'count' | 'sum' }>): string | null {
  if (term.body.t !== 'formerly') return null;
  const { seconds, body } = term.body;
  const timepoints = new Set(flat(body).flatMap((part) => (part.t === 'tp' ? [part.variable] : [])));
  const summed = term.t === 'sum' ? term.variable : null;
  const bindsAll = term.variables.every((name) => timepoints.has(name) || name === summed);
  const pattern = patternOf(body, timepoints);
  // Without a timepoint equal values would count once.
  if (pattern === null || timepoints.size !== 1 || !bindsAll) return null;
  const variables = summed === null ? NONE : new Set([summed]);
  const step = stepPattern(pattern.event);
  const then = earlier(pattern, variables);
  const here = now(pattern, variables);
  if (step === null || then === null || here === null) return null;
  if (summed === null) {
    const past = `past.count(${step}, e, ${then})${within(seconds)}`;
    return here === 'false' ? past : `(${past} + ((${here}) ? 1 : 0))`;
  }
  const path = pattern.event.fields.find(([, value]) => value.t === 'variable' && value.name === summed)?.[0];
  const field = path === undefined ? null : fieldOf(path, 'e');
  const own = path === undefined ? null : fieldOf(path, '');
  if (field === null || own === null) return null;
  const past = `past.sum(${step}, e, ${then}, ${field})${within(seconds)}`;
  return here === 'false' ? past : `(${past} + ((${here}) ? ${own} : 0))`;
}

function within(seconds: number): string {
  return `.within(duration("${seconds}s"))`;
}

const NONE: ReadonlySet<string> = new Set();
const NO_VALUES: ReadonlyMap<string, string> = new Map();
