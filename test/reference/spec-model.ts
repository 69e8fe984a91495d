// Specs of the reference as data, and as the text that an author would write. Small on purpose: two tools, few values, so
// that random sessions meet every operator.

export type Pattern = { readonly kind: 'call' | 'call!' | 'result'; readonly tool: string };
export type Scope = 'session' | 'principal' | 'tenant';

/** A condition on the current step (`now`), or on a remembered one (`e`). */
export type Cond =
  | { readonly t: 'n'; readonly of: 'now' | 'e'; readonly op: '<' | '>='; readonly k: number }
  /** `opt` is often left out. */
  | { readonly t: 'opt'; readonly k: number }
  | { readonly t: 'past'; readonly past: Past }
  | {
      readonly t: 'since';
      readonly a: Pattern;
      readonly b: Pattern;
      readonly join: boolean;
      readonly windowMs: number | null;
      readonly scope: Scope;
    }
  | { readonly t: 'origin'; readonly sources: readonly string[]; readonly every: boolean }
  | { readonly t: 'and' | 'or'; readonly a: Cond; readonly b: Cond }
  | { readonly t: 'not'; readonly a: Cond };

export interface Past {
  readonly operator: 'exists' | 'none' | 'count' | 'sum' | 'min' | 'max' | 'last';
  readonly pattern: Pattern;
  /** `e.args.n >= local`. */
  readonly local: number | null;
  /** `e.args.id == args.id`. */
  readonly join: boolean;
  /** `e.args.n < args.n`: no equality. */
  readonly rest: boolean;
  /** `past.exists(nested, f, f.args.id == e.args.id)`: looks back from `e`. */
  readonly nested: Pattern | null;
  readonly windowMs: number | null;
  readonly scope: Scope;
  /** Numbers are compared: `… <= bound`. */
  readonly bound: number;
}

export type Form =
  | { readonly t: 'require' | 'deny' | 'hold'; readonly cond: Cond }
  | {
      readonly t: 'limit';
      readonly sum: boolean;
      readonly max: number;
      readonly perId: boolean;
      readonly scope: Scope;
      readonly windowMs: number | null;
      readonly by: 'success' | 'attempt';
    }
  | { readonly t: 'transform'; readonly set: number }
  | {
      readonly t: 'flow';
      readonly from: 'label' | 'untrusted' | 'tool';
      readonly track: 'context' | 'value';
      readonly free: boolean;
    }
  | { readonly t: 'order'; readonly back: boolean }
  | {
      readonly t: 'owed';
      readonly after: Pattern;
      readonly join: boolean;
      readonly withinMs: number | null;
      readonly event: 'end' | 'call b' | null;
    };

export interface Rule {
  readonly id: string;
  readonly on: readonly Pattern[];
  readonly when: Cond | null;
  readonly unless: Cond | null;
  readonly form: Form;
  readonly otherwise: 'deny' | 'hold' | 'halt';
  readonly mode: 'shadow' | 'warn' | 'enforce';
}

export const TOOLS = ['a', 'b'] as const;
/** More is refused by the contract. */
export const N_MAX = 6;

export function specText(rules: readonly Rule[], name = 'random'): string {
  return JSON.stringify({
    interlock: 1,
    name,
    tools: Object.fromEntries(
      TOOLS.map((tool) => [
        tool,
        {
          effect: tool === 'a' ? 'read' : 'write',
          trust: tool === 'a' ? 'untrusted' : 'trusted',
          ...(tool === 'a' ? { labels: ['secret'] } : {}),
          input: {
            type: 'object',
            properties: {
              id: { type: 'string' },
              n: { type: 'number', maximum: N_MAX },
              opt: { type: 'number' },
            },
          },
        },
      ]),
    ),
    rules: rules.map(ruleJson),
  });
}

function ruleJson(rule: Rule): object {
  const { id, on, when, unless, form, otherwise, mode } = rule;
  const common = {
    id,
    mode,
    because: 'random',
    ...(when === null ? {} : { when: condText(when) }),
    ...(unless === null ? {} : { unless: condText(unless) }),
    ...(form.t === 'transform' ? {} : { otherwise }),
  };
  if (form.t === 'owed') {
    const { after, join, withinMs, event } = form;
    return {
      ...common,
      after: patternText(after),
      // biome-ignore lint/suspicious/noThenProperty: a key of the language
      then: 'call b',
      ...(join ? { where: 'then.args.id == after.args.id' } : {}),
      before: {
        ...(withinMs === null ? {} : { within: `${withinMs}ms` }),
        ...(event === null ? {} : { event }),
      },
    };
  }
  if (form.t === 'order')
    return {
      ...common,
      order: {
        start: 'new',
        states: {
          new: { 'call a': 'read' },
          read: { 'call b': 'done', 'call a': 'read' },
          done: form.back ? { 'call a': 'read' } : null,
        },
      },
    };
  return { ...common, on: on.map(patternText), ...formJson(form) };
}

function formJson(form: Exclude<Form, { t: 'owed' | 'order' }>): object {
  switch (form.t) {
    case 'require':
    case 'deny':
    case 'hold':
      return { [form.t]: condText(form.cond) };
    case 'limit': {
      const what = form.sum ? { sum: 'args.n', max: form.max } : { count: form.max };
      const per = form.perId ? { per: 'args.id', of: form.scope } : { per: form.scope };
      const window = form.windowMs === null ? {} : { window: `${form.windowMs}ms` };
      return { limit: { ...what, ...per, ...window, by: form.by } };
    }
    case 'transform':
      return { transform: { set: { 'args.n': String(form.set) } } };
    case 'flow': {
      const from =
        form.from === 'label'
          ? { labels: ['secret'] }
          : form.from === 'tool'
            ? { tools: ['a'] }
            : { trust: 'untrusted' };
      return { flow: { from, track: form.track, ...(form.free ? { free: ['user'] } : {}) } };
    }
  }
}

export function patternText({ kind, tool }: Pattern): string {
  return `${kind} ${tool}`;
}

export function condText(cond: Cond): string {
  switch (cond.t) {
    case 'n':
      return `${cond.of === 'e' ? 'e.' : ''}args.n ${cond.op} ${cond.k}.0`;
    case 'opt':
      return `args.opt >= ${cond.k}.0`;
    case 'origin':
      return `origin(args.id).${cond.every ? 'within' : 'any'}(${JSON.stringify(cond.sources)})`;
    case 'and':
      return `(${condText(cond.a)} && ${condText(cond.b)})`;
    case 'or':
      return `(${condText(cond.a)} || ${condText(cond.b)})`;
    case 'not':
      return `!(${condText(cond.a)})`;
    case 'since': {
      const join = (v: string) => (cond.join ? `${v}.args.id == args.id` : 'true');
      return `past.since("${patternText(cond.a)}", x, ${join('x')}, "${patternText(cond.b)}", y, ${join('y')})${reach(cond)}`;
    }
    case 'past':
      return pastText(cond.past);
  }
}

function pastText(past: Past): string {
  const parts = [
    ...(past.local === null ? [] : [`e.args.n >= ${past.local}.0`]),
    ...(past.nested === null
      ? []
      : [`past.exists("${patternText(past.nested)}", f, f.args.id == e.args.id)`]),
    ...(past.join ? ['e.args.id == args.id'] : []),
    ...(past.rest ? ['e.args.n < args.n'] : []),
  ];
  const folded = ['sum', 'min', 'max'].includes(past.operator) ? ', e.args.n' : '';
  const reads = past.operator === 'last' ? '.args.n' : '';
  const text = `past.${past.operator}("${patternText(past.pattern)}", e, ${parts.join(' && ') || 'true'}${folded})${reach(past)}${reads}`;
  return past.operator === 'exists' || past.operator === 'none' ? text : `${text} <= ${past.bound}.0`;
}

function reach({ windowMs, scope }: Pick<Past, 'windowMs' | 'scope'>): string {
  return `${windowMs === null ? '' : `.within(duration("${windowMs}ms"))`}${scope === 'session' ? '' : `.of("${scope}")`}`;
}
