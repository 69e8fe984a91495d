// Cedar text to policies. A parser of our own: the official one is 4 MB of WebAssembly, too much to install for one command;
// tests hold it to the official one. Static policies only. Pure.
import { SyntaxProblem, type Token, tokens } from './lex.ts';
import type { Binary, EntityRef, Expr, Policy, ScopeConstraint } from './policy.ts';

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
      if (this.#is('temporal') || this.#is('guardrails'))
        throw this.problem(`\`${kind} ${this.peek().text}\` is Dogwood, not Cedar; it cannot be imported`);
      this.#expect('{');
      conditions.push({ kind, body: this.#expr() });
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
