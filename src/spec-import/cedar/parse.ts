// Cedar text to policies. A parser of our own: the official one is 4 MB of WebAssembly, too much to install for one command;
// tests hold it to the official one. Static policies only. Pure.
import { SyntaxProblem, type Token, tokens } from './lex.ts';
import type { Binary, EntityRef, Expr, Policy, ScopeConstraint, Temporal, Term } from './policy.ts';

const MAX_POLICIES = 1_000;
const MAX_DEPTH = 100;
const VARIABLES = ['principal', 'action', 'resource', 'context'] as const;
const KEYWORDS = ['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'];
const COMPARISONS: readonly string[] = ['==', '!=', '<', '<=', '>', '>=', 'in'];

/** @throws SyntaxProblem */
export function parsePolicies(text: string): Policy[] {
  const parser = new Parser(tokens(text));
  const policies: Policy[] = [];
  while (parser.peek().t !== 'end') {
    if (policies.length >= MAX_POLICIES) throw parser.problem(`more than ${MAX_POLICIES} policies`);
    policies.push(parser.policy());
  }
  return policies;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  problem(message: string, token = this.peek()): SyntaxProblem {
    return new SyntaxProblem(message, token.at, token.end);
  }

  #next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.t === 'name' || token.t === 'sign') && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (this.#take(text)) return;
    const { t, text: found } = this.peek();
    throw this.problem(
      `expected \`${text}\`, found ${t === 'end' ? 'the end' : `\`${found.slice(0, 40)}\``}`,
    );
  }

  #name(what: string): string {
    const token = this.peek();
    if (token.t !== 'name') throw this.problem(`expected ${what}`);
    this.#at++;
    return token.text;
  }

  policy(): Policy {
    const annotations: Record<string, string> = {};
    const { at } = this.peek();
    while (this.#take('@')) {
      const name = this.#name('the name of an annotation');
      let value = '';
      if (this.#take('(')) {
        value = this.#text();
        this.#expect(')');
      }
      if (Object.hasOwn(annotations, name)) throw this.problem(`the policy has two annotations @${name}`);
      Object.defineProperty(annotations, name, { value, enumerable: true });
    }
    if (!this.#is('permit') && !this.#is('forbid'))
      throw this.problem('a policy begins with `permit` or `forbid`');
    const effect = this.#next().text as Policy['effect'];
    this.#expect('(');
    const principal = this.#scope('principal');
    this.#expect(',');
    const action = this.#scope('action');
    this.#expect(',');
    const resource = this.#scope('resource');
    this.#take(',');
    this.#expect(')');
    const conditions: { kind: 'when' | 'unless'; body: Expr }[] = [];
    while (this.#is('when') || this.#is('unless')) {
      const kind = this.#next().text as 'when' | 'unless';
      if (this.#is('guardrails'))
        throw this.problem('`guardrails` asks a service for a score; it cannot be imported');
      const isTemporal = this.#take('temporal');
      this.#expect('{');
      conditions.push({
        kind,
        body: isTemporal ? { t: 'temporal', formula: this.#condition() } : this.#expr(),
      });
      this.#expect('}');
    }
    this.#expect(';');
    return { effect, principal, action, resource, conditions, annotations, at };
  }

  #scope(variable: 'principal' | 'action' | 'resource'): ScopeConstraint {
    this.#expect(variable);
    if (this.#take('==')) return { op: '==', entity: this.#entity() };
    if (this.#take('is') && variable !== 'action') {
      const entity_type = this.#path();
      return this.#take('in')
        ? { op: 'is', entity_type, in: { entity: this.#entity() } }
        : { op: 'is', entity_type };
    }
    if (!this.#take('in')) return { op: 'All' };
    if (variable !== 'action' || !this.#take('[')) return { op: 'in', entity: this.#entity() };
    const entities: EntityRef[] = [];
    while (!this.#is(']')) {
      entities.push(this.#entity());
      if (!this.#take(',')) break;
    }
    this.#expect(']');
    return { op: 'in', entities };
  }

  #path(): string {
    let path = this.#name('the name of a type');
    while (this.#is('::') && this.peek(1).t === 'name') {
      this.#at++;
      path += `::${this.#next().text}`;
    }
    return path;
  }

  #entity(): EntityRef {
    if (this.#is('?')) throw this.problem('policy templates cannot be imported: write the policy out');
    const type = this.#path();
    this.#expect('::');
    return { type, id: this.#text() };
  }

  #text(): string {
    const token = this.peek();
    if (token.t !== 'text') throw this.problem('expected a text in double quotes');
    if (/(^|[^\\])(\\\\)*\\\*/.test(token.text))
      throw this.problem('`\\*` stands only in the pattern of `like`');
    this.#at++;
    return token.value;
  }

  #expr(): Expr {
    if (++this.#depth > MAX_DEPTH)
      throw this.problem(`expressions stand inside one another more than ${MAX_DEPTH} deep`);
    const expr = this.#conditional();
    this.#depth--;
    return expr;
  }

  #conditional(): Expr {
    if (!this.#take('if')) return this.#or();
    const test = this.#expr();
    this.#expect('then');
    const yes = this.#expr();
    this.#expect('else');
    return { t: 'if', test, yes, no: this.#expr() };
  }

  #chain(signs: readonly Binary[], below: () => Expr): Expr {
    let left = below();
    for (;;) {
      const op = signs.find((sign) => this.#is(sign));
      if (op === undefined) return left;
      this.#at++;
      left = { t: 'binary', op, left, right: below() };
    }
  }

  #or(): Expr {
    return this.#chain(['||'], () => this.#chain(['&&'], () => this.#relation()));
  }

  #relation(): Expr {
    const left = this.#sum();
    const op = COMPARISONS.find((sign) => this.#is(sign)) as Binary | undefined;
    if (op !== undefined) {
      this.#at++;
      return { t: 'binary', op, left, right: this.#sum() };
    }
    if (this.#take('has')) {
      const token = this.peek();
      if (token.t === 'text') return { t: 'has', left, attrs: [this.#text()] };
      const attrs = [this.#name('an attribute')];
      while (this.#take('.')) attrs.push(this.#name('an attribute'));
      return { t: 'has', left, attrs };
    }
    if (this.#take('like')) {
      const token = this.#next();
      if (token.t !== 'text') throw this.problem('`like` takes a pattern in double quotes', token);
      return { t: 'like', left, pattern: token.pattern };
    }
    if (this.#take('is'))
      return { t: 'is', left, type: this.#path(), in: this.#take('in') ? this.#sum() : null };
    return left;
  }

  #sum(): Expr {
    return this.#chain(['+', '-'], () => this.#chain(['*'], () => this.#unary()));
  }

  #unary(): Expr {
    if (this.#is('!') || this.#is('-')) {
      if (++this.#depth > MAX_DEPTH) throw this.problem('too many signs');
      const not = this.#next().text === '!';
      const arg = this.#unary();
      this.#depth--;
      return { t: not ? 'not' : 'neg', arg };
    }
    return this.#member();
  }

  #member(): Expr {
    let expr = this.#primary();
    for (;;) {
      if (this.#take('[')) {
        expr = { t: 'attr', left: expr, attr: this.#text() };
        this.#expect(']');
      } else if (this.#take('.')) {
        const name = this.#name('an attribute or a method');
        expr = this.#is('(')
          ? { t: 'call', name, args: [expr, ...this.#list('(', ')')] }
          : { t: 'attr', left: expr, attr: name };
      } else return expr;
    }
  }

  #list(open: string, close: string): Expr[] {
    this.#expect(open);
    const items: Expr[] = [];
    while (!this.#is(close)) {
      items.push(this.#expr());
      if (!this.#take(',')) break;
    }
    this.#expect(close);
    return items;
  }

  #primary(): Expr {
    const token = this.peek();
    switch (token.t) {
      case 'number':
        this.#at++;
        return { t: 'value', value: token.value };
      case 'text':
        return { t: 'value', value: this.#text() };
      case 'sign':
        if (token.text === '(') {
          this.#at++;
          const expr = this.#expr();
          this.#expect(')');
          return expr;
        }
        if (token.text === '[') return { t: 'set', items: this.#list('[', ']') };
        if (token.text === '{') return { t: 'record', fields: this.#fields() };
        if (token.text === '?')
          throw this.problem('policy templates cannot be imported: write the policy out');
        break;
      case 'name': {
        if (token.text === 'true' || token.text === 'false') {
          this.#at++;
          return { t: 'value', value: token.text === 'true' };
        }
        const variable = VARIABLES.find((name) => name === token.text);
        if (variable !== undefined && !this.#is('::', 1)) {
          this.#at++;
          return { t: 'var', name: variable };
        }
        if (KEYWORDS.includes(token.text)) break;
        const path = this.#path();
        if (this.#is('(')) return { t: 'call', name: path, args: this.#list('(', ')') };
        this.#expect('::');
        return { t: 'entity', entity: { type: path, id: this.#text() } };
      }
    }
    throw this.problem(
      token.t === 'end' ? 'the policy ends too early' : `\`${token.text}\` is not where an expression begins`,
    );
  }

  #condition(): Temporal {
    if (++this.#depth > MAX_DEPTH)
      throw this.problem(`conditions stand inside one another more than ${MAX_DEPTH} deep`);
    const parts = [this.#held()];
    while (this.#take('&&')) parts.push(this.#held());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { t: 'and', parts };
  }

  /** `!` binds tighter than `since`. */
  #held(): Temporal {
    let left = this.#negated();
    if (this.#take('since')) left = { t: 'since', left, seconds: this.#window(), right: this.#atom() };
    return left;
  }

  #negated(): Temporal {
    if (!this.#take('!')) return this.#atom();
    if (++this.#depth > MAX_DEPTH) throw this.problem('too many signs');
    const arg = this.#negated();
    this.#depth--;
    return { t: 'not', arg };
  }

  #atom(): Temporal {
    const operator = ['formerly', 'previous'].find((name) => this.#is(name));
    if (operator !== undefined) {
      this.#at++;
      return { t: operator as 'formerly' | 'previous', seconds: this.#window(), body: this.#atom() };
    }
    if (this.#take('exists')) {
      const variable = this.#binder();
      this.#expect('.');
      return { t: 'exists', variable, body: this.#condition() };
    }
    if (this.#is('tp') && this.#is('(', 1)) {
      this.#at += 2;
      const variable = this.#name('a variable');
      this.#expect(')');
      return { t: 'tp', variable };
    }
    const isAggregate = this.#is('(') && (this.#is('count', 1) || this.#is('sum', 1));
    if (this.#is('(') && !isAggregate) {
      this.#at++;
      const inner = this.#condition();
      this.#expect(')');
      return inner;
    }
    if (this.#isAction()) return this.#event();
    const left = this.#term();
    const op = COMPARISONS.find((sign) => sign !== 'in' && this.#is(sign));
    if (op === undefined)
      throw this.problem('expected an event, a comparison, `formerly`, `previous` or `exists`');
    this.#at++;
    return { t: 'compare', op, left, right: this.#term() };
  }

  /** `within 24h`, in seconds. */
  #window(): number {
    this.#expect('within');
    const amount = this.peek();
    const unit = this.peek(1);
    const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit.text];
    if (amount.t !== 'number' || unit.at !== amount.end || seconds === undefined)
      throw this.problem('expected a length of time such as 30m, 24h or 7d');
    this.#at += 2;
    return amount.value * seconds;
  }

  /** `(x: Long)`. */
  #binder(): string {
    this.#expect('(');
    const variable = this.#name('a variable');
    this.#expect(':');
    this.#path();
    this.#expect(')');
    return variable;
  }

  /** `App::Action::"x"::kind {` */
  #isAction(): boolean {
    let at = 0;
    while (this.peek(at).t === 'name' && this.#is('::', at + 1)) at += 2;
    return at > 0 && this.peek(at).t === 'text' && this.#is('::', at + 1);
  }

  #event(): Temporal {
    const action = this.#entity();
    this.#expect('::');
    const kind = this.#name('the kind of an event');
    const fields: [string[], Term][] = [];
    // A block behind the first refines it: what it asks is asked too.
    do {
      this.#expect('{');
      while (!this.#is('}')) {
        const path = [this.#name('a field')];
        while (this.#take('.')) path.push(this.#name('a field'));
        this.#expect(':');
        fields.push([path, this.#term()]);
        if (!this.#take(',')) break;
      }
      this.#expect('}');
    } while (this.#is('{'));
    return { t: 'event', action, kind, fields };
  }

  #term(): Term {
    const aggregate = this.#is('(') ? 1 : 0;
    if (this.#is('count', aggregate) || this.#is('sum', aggregate)) {
      this.#at += aggregate;
      const term = this.#aggregate();
      if (aggregate === 1) this.#expect(')');
      return term;
    }
    const token = this.peek();
    if (this.#take('*') || this.#take('_')) return { t: 'any' };
    const minus = this.#take('-');
    const value = this.peek();
    if (value.t === 'number') {
      this.#at++;
      return { t: 'value', value: minus ? -value.value : value.value };
    }
    if (value.t === 'text') return { t: 'value', value: this.#text() };
    if (this.#is('[')) {
      this.#expect('[');
      while (!this.#is(']')) {
        this.#term();
        if (!this.#take(',')) break;
      }
      this.#expect(']');
      return { t: 'other' };
    }
    if (value.t !== 'name') throw this.problem('expected a value', token);
    if (value.text === 'true' || value.text === 'false') {
      this.#at++;
      return { t: 'value', value: value.text === 'true' };
    }
    if (this.#is('::', 1)) {
      this.#entity();
      return { t: 'other' };
    }
    const name = this.#name('a value');
    if (this.#take('(')) {
      this.#text();
      this.#expect(')');
      return { t: 'other' };
    }
    const path: string[] = [];
    while (this.#take('.')) path.push(this.#name('a field'));
    if (name === 'context' || name === 'principal' || name === 'resource') return { t: name, path };
    if (path.length > 0) throw this.problem(`\`${name}\` has no fields`, value);
    return { t: 'variable', name };
  }

  /** `count for (k: Timepoint). where …`, `sum a for (a: Long), (k: Timepoint). where …`. */
  #aggregate(): Term {
    const isSum = this.#next().text === 'sum';
    const variable = isSum ? this.#name('a variable') : '';
    this.#expect('for');
    const variables = [this.#binder()];
    while (this.#take(',')) variables.push(this.#binder());
    this.#expect('.');
    this.#expect('where');
    const body = this.#condition();
    return isSum ? { t: 'sum', variable, variables, body } : { t: 'count', variables, body };
  }

  #fields(): [string, Expr][] {
    this.#expect('{');
    const fields: [string, Expr][] = [];
    while (!this.#is('}')) {
      const name = this.peek().t === 'text' ? this.#text() : this.#name('the name of a field');
      this.#expect(':');
      fields.push([name, this.#expr()]);
      if (!this.#take(',')) break;
    }
    this.#expect('}');
    return fields;
  }
}
