// The reference meaning of specs: every operator and every form of rule by its definition over the whole history, as short
// and obvious as it can be, and as slow as it likes. It knows nothing of the compiler and the monitor. docs/spec-language.md
// is what it follows.
import type { Json, JsonObject, Step } from '../../src/step/types.ts';
import { type Cond, N_MAX, type Past, type Pattern, type Rule, TOOLS } from './spec-model.ts';

export type Verdict = 'allow' | 'transform' | 'hold' | 'deny' | 'halt';
const STRICT: readonly Verdict[] = ['allow', 'transform', 'hold', 'deny', 'halt'];
type Cause = 'violated' | 'absent';
/** A truth value, or that there is none. */
type Truth = boolean | 'absent';

/** A step as it took its place. */
export interface Recorded {
  readonly step: Step;
  /** As it took effect; of a result those of its call. */
  readonly args: { readonly id?: string; readonly n?: number; readonly opt?: number };
  readonly happened: boolean;
  readonly denied: boolean;
  /** What its limits took: rule, for whom, how much. */
  readonly taken: readonly {
    readonly rule: string;
    readonly scope: string;
    readonly key: string;
    readonly amount: number;
  }[];
  readonly owner: Owner;
}

export interface Owner {
  readonly session: string;
  readonly principal: string | null;
  readonly tenant: string | null;
}

export interface Judged {
  readonly verdict: Verdict;
  readonly wouldBe: Verdict;
  /** `rule verdict cause`, in no order. */
  readonly fired: readonly string[];
  /** Of rules whose condition is one operator: the steps it rests on, `rule session:seq …`. */
  readonly witness: readonly string[];
}

interface Fired {
  readonly rule: Rule | null;
  readonly id: string;
  readonly verdict: Verdict;
  readonly cause: Cause;
  readonly enforced: boolean;
}

interface Approval {
  readonly binding: string;
  readonly rules: readonly string[];
  used: boolean;
}

/** One session; `shared` is the history of all sessions, in the order of decisions, this one's among them. */
export class ReferenceSession {
  readonly history: Recorded[] = [];
  readonly #rules: readonly Rule[];
  readonly #shared: Recorded[];
  readonly #owner: Owner;
  readonly #approvals: Approval[] = [];
  #held: { binding: string; rules: string[] }[] = [];
  #halted = false;
  /** Names the act that was held last, for an approval of exactly that. */
  lastHeld: string | null = null;

  constructor(rules: readonly Rule[], owner: Owner, shared: Recorded[]) {
    this.#rules = rules;
    this.#owner = owner;
    this.#shared = shared;
  }

  step(step: Step): Judged {
    const call = step.kind === 'tool.result' ? this.#openCall(step) : null;
    const canStop = ['tool.call', 'session.end', 'output'].includes(step.kind);
    let args = (call?.args ?? step.args ?? {}) as Recorded['args'];
    if (step.kind === 'approval') this.#approve(step);
    let fired: Fired[] = [];
    let verdict: Verdict = 'allow';
    if (this.#halted && canStop && step.kind !== 'session.end')
      fired = [{ rule: null, id: '$halted', verdict: 'deny', cause: 'violated', enforced: true }];
    else {
      fired = this.#judge(step, args, canStop);
      const rewriting = fired.filter(({ verdict: one, enforced }) => one === 'transform' && enforced);
      const before = strictest(fired, true);
      if (rewriting.length > 0 && (before === 'transform' || before === 'hold')) {
        for (const { rule } of rewriting)
          if (rule?.form.t === 'transform') args = { ...args, n: rule.form.set };
        const again = this.#judge(step, args, canStop).filter(
          ({ id }) => !rewriting.some((one) => one.id === id),
        );
        fired = [...again, ...rewriting];
      }
    }
    verdict = strictest(fired, true);
    if (verdict === 'hold') verdict = this.#lift(step, args, fired);
    const happened = !canStop || verdict === 'allow' || verdict === 'transform';
    const judged: Judged = {
      verdict,
      wouldBe: strictest(fired, false),
      fired: fired.map(({ id, verdict: one, cause }) => `${id} ${one} ${cause}`),
      witness: fired.flatMap((one) => this.#witness(one, step, args)),
    };
    const record: Recorded = {
      step,
      args,
      happened: happened && call?.denied !== true,
      denied: verdict === 'deny' || verdict === 'halt',
      taken: happened && canStop ? this.#taken(step, args) : [],
      owner: this.#owner,
    };
    this.history.push(record);
    this.#shared.push(record);
    if (verdict === 'halt') this.#halted = true;
    return judged;
  }

  /** The latest call under the id of a result, of the same tool, that has no result yet; an allowed one keeps its id. */
  #openCall({ callId, name }: Step): Recorded | null {
    let open: Recorded | null = null;
    for (const past of this.history) {
      if (past.step.callId !== callId) continue;
      if (past.step.kind === 'tool.call' && !open?.happened) open = past;
      if (past.step.kind === 'tool.result' && past.step.name === open?.step.name) open = null;
    }
    return open?.step.name === name ? open : null;
  }

  #judge(step: Step, args: Recorded['args'], canStop: boolean): Fired[] {
    const fired: Fired[] = [];
    const tools: readonly string[] = TOOLS;
    if (step.kind === 'tool.call') {
      if (!tools.includes(step.name) || (args.n ?? 0) > N_MAX)
        fired.push({ rule: null, id: '$contract', verdict: 'deny', cause: 'violated', enforced: true });
    }
    for (const rule of this.#rules) {
      const cause = this.#fires(rule, step, args, canStop);
      if (cause === null) continue;
      const verdict = rule.form.t === 'transform' ? 'transform' : rule.otherwise;
      fired.push({ rule, id: rule.id, verdict, cause, enforced: rule.mode === 'enforce' });
    }
    return fired;
  }

  /** Null when the rule is not about the step, or is kept. */
  #fires(rule: Rule, step: Step, args: Recorded['args'], canStop: boolean): Cause | null {
    const { form } = rule;
    if (form.t === 'owed') return this.#owes(rule, step, args, canStop);
    const on: readonly Pattern[] =
      form.t === 'order' ? TOOLS.map((tool) => ({ kind: 'call', tool })) : rule.on;
    if (!on.some((pattern) => isKind(pattern, step))) return null;
    // A guard that cannot be decided does not switch the rule off; an exemption that cannot be decided does not exempt.
    if (rule.when !== null && this.#truth(rule.when, step, args) === false) return null;
    if (rule.unless !== null && this.#truth(rule.unless, step, args) === true) return null;
    switch (form.t) {
      case 'require':
      case 'deny':
      case 'hold': {
        const truth = this.#truth(form.cond, step, args);
        if (truth === 'absent') return 'absent';
        return truth === (form.t === 'require') ? null : 'violated';
      }
      case 'limit': {
        const counted = countedBy(form, step, args, this.#owner);
        if (counted === 'absent') return 'absent';
        return add(this.#used(rule, counted, step.time), counted.amount) > form.max ? 'violated' : null;
      }
      case 'transform':
        return 'violated';
      case 'flow':
        return this.#flows(form, args) ? 'violated' : null;
      case 'order':
        return this.#place(form.back, step.name) === null ? 'violated' : null;
    }
  }

  /** What is taken of a limit before now: by steps that happened, in the window, whose call has not failed. */
  #used(rule: Rule, counted: { scope: string; key: string }, now: number): number {
    const { form } = rule;
    if (form.t !== 'limit') return 0;
    let used = 0;
    for (const past of this.#shared) {
      const taken = past.taken.find(
        (one) => one.rule === rule.id && one.scope === counted.scope && one.key === counted.key,
      );
      if (taken === undefined) continue;
      if (form.windowMs !== null && past.step.time < now - form.windowMs) continue;
      if (form.by === 'success' && this.#hasFailed(past)) continue;
      used = add(used, taken.amount);
    }
    return used;
  }

  #hasFailed(call: Recorded): boolean {
    const later = this.#shared.slice(this.#shared.indexOf(call) + 1);
    const result = later.find(
      ({ step, owner }) =>
        owner.session === call.owner.session &&
        step.kind === 'tool.result' &&
        step.callId === call.step.callId &&
        step.name === call.step.name,
    );
    return result?.step.error !== undefined;
  }

  #taken(step: Step, args: Recorded['args']): Recorded['taken'] {
    return this.#rules.flatMap((rule) => {
      const { form } = rule;
      if (form.t !== 'limit' || !rule.on.some((pattern) => isKind(pattern, step))) return [];
      if (rule.when !== null && this.#truth(rule.when, step, args) === false) return [];
      if (rule.unless !== null && this.#truth(rule.unless, step, args) === true) return [];
      const counted = countedBy(form, step, args, this.#owner);
      return counted === 'absent' ? [] : [{ rule: rule.id, ...counted }];
    });
  }

  /** The state after the step, from all that happened before; null: it may not happen in the state reached. */
  #place(back: boolean, next: string): string | null {
    const moves: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      new: { a: 'read' },
      read: { a: 'read', b: 'done' },
      done: back ? { a: 'read' } : {},
    };
    let state = 'new';
    for (const { step, happened } of this.history)
      if (step.kind === 'tool.call' && happened) state = moves[state]![step.name] ?? state;
    return moves[state]![next] ?? null;
  }

  #flows(form: Extract<Rule['form'], { t: 'flow' }>, args: Recorded['args']): boolean {
    const isFrom = (past: Recorded) => past.step.kind === 'tool.result' && past.step.name === 'a';
    const isFree = (past: Recorded) => form.free && past.step.kind === 'input';
    if (form.track === 'context') {
      let tainted = false;
      for (const past of this.history) {
        if (isFree(past)) tainted = false;
        else if (isFrom(past)) tainted = true;
      }
      return tainted;
    }
    const value = args.id;
    if (value === undefined) return false;
    const seenIn = this.history.filter((past) => contentOf(past.step).includes(value));
    return seenIn.some(isFrom) && !seenIn.some(isFree);
  }

  #owes(rule: Rule, step: Step, args: Recorded['args'], canStop: boolean): Cause | null {
    const { form } = rule;
    if (form.t !== 'owed' || this.#halted) return null;
    const open = this.#open(rule);
    const halts = rule.otherwise === 'halt';
    const isDeadline = step.kind === 'check' && step.name === 'deadline';
    const stoppable = canStop || isDeadline;
    const late = stoppable || halts ? open.filter((past) => this.#dueAt(form, past) < step.time) : [];
    const closing =
      form.event === 'end'
        ? step.kind === 'session.end'
        : form.event === 'call b' && isKind({ kind: 'call', tool: 'b' }, step);
    if (open.length === 0 || (!closing && late.length === 0)) return null;
    const pays =
      isKind({ kind: 'call', tool: 'b' }, step) &&
      open.some((past) => !form.join || past.args.id === args.id);
    return pays && !closing ? null : 'violated';
  }

  #dueAt(form: Extract<Rule['form'], { t: 'owed' }>, { step }: Recorded): number {
    return form.withinMs === null ? Number.POSITIVE_INFINITY : step.time + form.withinMs;
  }

  /** What is owed: steps that made it so, and no later one that did what they ask for. */
  #open(rule: Rule): Recorded[] {
    const { form } = rule;
    if (form.t !== 'owed') return [];
    const open: Recorded[] = [];
    for (const past of this.history) {
      if (!past.happened || past.step.error !== undefined) continue;
      if (isKind({ kind: 'call', tool: 'b' }, past.step))
        for (const owed of open.filter((one) => !form.join || one.args.id === past.args.id))
          open.splice(open.indexOf(owed), 1);
      if (isKind(form.after, past.step)) open.push(past);
    }
    return open;
  }

  #approve(step: Step): void {
    const binding = String(step.args?.binding);
    const hold = this.#held.find((one) => one.binding === binding);
    if (hold === undefined) return;
    this.#held = this.#held.filter((one) => one !== hold);
    const earlier = this.#approvals.find((one) => one.binding === binding && !one.used);
    if (earlier !== undefined) earlier.used = true;
    this.#approvals.push({ binding, rules: [...(earlier?.rules ?? []), ...hold.rules], used: false });
  }

  /** An approval answers the holds of its rules; what it does not answer stays. Used once the step may go on. */
  #lift(step: Step, args: Recorded['args'], fired: Fired[]): Verdict {
    const binding = JSON.stringify([step.kind, step.name, args.id, args.n, args.opt]);
    const approval = this.#approvals.find((one) => one.binding === binding && !one.used);
    fired.forEach((one, i) => {
      if (one.verdict === 'hold' && one.enforced && approval?.rules.includes(one.id))
        fired[i] = { ...one, verdict: 'allow' };
    });
    const verdict = strictest(fired, true);
    if (verdict === 'hold') {
      const rules = fired.filter((one) => one.verdict === 'hold' && one.enforced).map(({ id }) => id);
      this.#held = [...this.#held.filter((one) => one.binding !== binding), { binding, rules }];
      this.lastHeld = binding;
    } else if (approval !== undefined && STRICT.indexOf(verdict) < STRICT.indexOf('hold'))
      approval.used = true;
    return verdict;
  }

  #truth(cond: Cond, step: Step, args: Recorded['args']): Truth {
    switch (cond.t) {
      case 'n':
        return compare(args.n, cond.op, cond.k);
      case 'opt':
        return compare(args.opt, '>=', cond.k);
      case 'not': {
        const a = this.#truth(cond.a, step, args);
        return a === 'absent' ? a : !a;
      }
      case 'and':
      case 'or': {
        // One side that decides is enough, whatever the other is.
        const sides = [this.#truth(cond.a, step, args), this.#truth(cond.b, step, args)];
        const decides = cond.t === 'or';
        return sides.includes(decides) ? decides : sides.includes('absent') ? 'absent' : !decides;
      }
      case 'origin': {
        const value = args.id;
        if (value === undefined) return 'absent';
        const seen = this.history.filter(({ step: past }) => contentOf(past).includes(value));
        const names = seen.length === 0 ? ['model'] : seen.flatMap(({ step: past }) => sourcesOf(past));
        return cond.sources.some((source) => names.includes(source));
      }
      case 'since': {
        const history = this.#historyOf(cond.scope);
        if (history === 'absent') return 'absent';
        const matching = (pattern: Pattern) =>
          history.filter(
            (past) =>
              counts(pattern, past) &&
              inWindow(past, step, cond.windowMs) &&
              (!cond.join || past.args.id === args.id),
          );
        const a = matching(cond.a).at(-1);
        const b = matching(cond.b).at(-1);
        return a !== undefined && (b === undefined || history.indexOf(b) <= history.indexOf(a));
      }
      case 'past':
        return this.#past(cond.past, step, args);
    }
  }

  #matching(past: Past, step: Step, args: Recorded['args']): Recorded[] | 'absent' {
    const history = this.#historyOf(past.scope);
    if (history === 'absent') return 'absent';
    return history.filter(
      (e) =>
        counts(past.pattern, e) &&
        inWindow(e, step, past.windowMs) &&
        (past.local === null || (e.args.n ?? 0) >= past.local) &&
        (!past.join || e.args.id === args.id) &&
        (!past.rest || (e.args.n ?? 0) < (args.n ?? 0)) &&
        (past.nested === null ||
          this.history
            .slice(0, this.history.indexOf(e))
            .some((f) => counts(past.nested!, f) && f.args.id === e.args.id)),
    );
  }

  #past(past: Past, step: Step, args: Recorded['args']): Truth {
    const matching = this.#matching(past, step, args);
    if (matching === 'absent') return 'absent';
    const numbers = matching.map((e) => e.args.n ?? 0);
    const bounded = (value: number | undefined): Truth =>
      value === undefined ? 'absent' : value <= past.bound;
    switch (past.operator) {
      case 'exists':
        return matching.length > 0;
      case 'none':
        return matching.length === 0;
      case 'count':
        return bounded(matching.length);
      case 'sum':
        return bounded(numbers.reduce(add, 0));
      case 'min':
        return bounded(numbers.length === 0 ? undefined : Math.min(...numbers));
      case 'max':
        return bounded(numbers.length === 0 ? undefined : Math.max(...numbers));
      case 'last':
        return bounded(numbers.at(-1));
    }
  }

  /** The step an operator found, or the last eight it counted. An approval lifts a hold, and is a witness too. */
  #witness({ rule, verdict }: Fired, step: Step, args: Recorded['args']): string[] {
    const form = rule?.form;
    if (form === undefined || !('cond' in form) || form.cond.t !== 'past' || verdict === 'allow') return [];
    const { past } = form.cond;
    const matching = this.#matching(past, step, args);
    if (matching === 'absent') return [`${rule!.id} `];
    const found = matching.slice(['exists', 'none', 'last'].includes(past.operator) ? -1 : -8);
    return [`${rule!.id} ${placesOf(found)}`];
  }

  /** Steps strictly before this one, in the order of decisions. */
  #historyOf(scope: Past['scope']): readonly Recorded[] | 'absent' {
    if (scope === 'session') return this.history;
    const { principal, tenant } = this.#owner;
    if (scope === 'principal' && principal === null) return 'absent';
    return this.#shared.filter(
      ({ owner }) => owner.tenant === tenant && (scope === 'tenant' || owner.principal === principal),
    );
  }
}

function isKind({ kind, tool }: Pattern, step: Step): boolean {
  return step.kind === (kind === 'result' ? 'tool.result' : 'tool.call') && step.name === tool;
}

/** A call counts when it was allowed, `call!` counts attempts; the result of a denied call never. */
function counts(pattern: Pattern, past: Recorded): boolean {
  return isKind(pattern, past.step) && (past.happened || pattern.kind === 'call!');
}

function inWindow(past: Recorded, now: Step, windowMs: number | null): boolean {
  return windowMs === null || past.step.time >= now.time - windowMs;
}

function compare(value: number | undefined, op: '<' | '>=', k: number): Truth {
  if (value === undefined) return 'absent';
  return op === '<' ? value < k : value >= k;
}

function countedBy(
  form: Extract<Rule['form'], { t: 'limit' }>,
  _step: Step,
  args: Recorded['args'],
  owner: Owner,
): { scope: string; key: string; amount: number } | 'absent' {
  const amount = form.sum ? args.n : 1;
  const key = form.perId ? args.id : '';
  const whose =
    form.scope === 'session'
      ? owner.session
      : form.scope === 'tenant'
        ? JSON.stringify(owner.tenant)
        : owner.principal;
  if (amount === undefined || key === undefined || whose === null) return 'absent';
  const scope = form.scope === 'principal' ? JSON.stringify([owner.tenant, whose]) : whose;
  return { scope, key, amount };
}

function contentOf(step: Step): string[] {
  const texts: string[] = [];
  const walk = (value: Json | undefined): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null)
      for (const item of Object.values(value as JsonObject)) walk(item);
  };
  if (step.kind === 'input') texts.push(...(step.content ?? '').split(' '));
  if (step.kind === 'tool.result') walk(step.result);
  return texts;
}

function sourcesOf(step: Step): string[] {
  if (step.kind === 'input') return ['user', 'trusted'];
  return [`tool:${step.name}`, step.name === 'a' ? 'untrusted' : 'trusted'];
}

function add(a: number, b: number): number {
  return a + b;
}

function strictest(fired: readonly Fired[], enforcedOnly: boolean): Verdict {
  const ranks = fired
    .filter((one) => one.enforced || !enforcedOnly)
    .map(({ verdict }) => STRICT.indexOf(verdict));
  return STRICT[Math.max(0, ...ranks)]!;
}

function placesOf(found: readonly Recorded[]): string {
  const bySession = [...found].sort(({ owner: a, step: x }, { owner: b, step: y }) =>
    a.session === b.session ? x.seq - y.seq : a.session < b.session ? -1 : 1,
  );
  return bySession.map(({ owner, step }) => `${owner.session}:${step.seq}`).join(' ');
}
