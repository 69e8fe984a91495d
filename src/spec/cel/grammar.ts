// The grammar of CEL (google/cel-spec, langdef.md) by recursive descent, macros written out as the reference parsers do. What a
// chain of `&&` or `||` becomes is balanced, so that a long one is not deep. Pure.
import { NotCel, type Token, tokenFrom } from './lexer.ts';
import { keepPosition } from './positions.ts';
import type { Comprehension, Constant, Entry, Expr } from './tree.ts';

/** Of brackets, choices and signs in each other; what a chain of operators adds is told by who reads the tree. */
export const MAX_DEPTH = 400;
const ACCU = '@result';
/** Names that stand for nothing a spec could mean (langdef.md, "RESERVED"). */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);
const KEYWORDS = new Set(['true', 'false', 'null', 'in']);
const RELATIONS = new Set(['<', '<=', '>', '>=', '==', '!=']);

/** Throws `NotCel`. */
export function parseGrammar(source: string): Expr {
  const parser = new Parser(source);
  return parser.whole();
}

class Parser {
  readonly #source: string;
  #token: Token;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#token = tokenFrom(source, 0);
  }

  whole(): Expr {
    const expr = this.#expr();
    if (this.#token.t !== 'end') this.#fail();
    return expr;
  }

  #fail(): never {
    throw new NotCel('', this.#token.at);
  }

  #next(): Token {
    const token = this.#token;
    this.#token = tokenFrom(this.#source, token.end);
    return token;
  }

  #is(mark: string): boolean {
    return this.#token.t === 'mark' && this.#token.text === mark;
  }

  /** Takes the mark when it stands here; its offset, or -1. */
  #take(mark: string): number {
    return this.#is(mark) ? this.#next().at : -1;
  }

  #must(mark: string): void {
    if (this.#take(mark) < 0) this.#fail();
  }

  #node(at: number, exprKind: Expr['exprKind']): Expr {
    const expr: Expr = { exprKind };
    keepPosition(expr, this.#source, at);
    return expr;
  }

  #constant(at: number, constantKind: Constant['constantKind']): Expr {
    return this.#node(at, { case: 'constExpr', value: { constantKind } });
  }

  #ident(at: number, name: string): Expr {
    return this.#node(at, { case: 'identExpr', value: { name } });
  }

  #call(at: number, name: string, ...args: Expr[]): Expr {
    return this.#node(at, { case: 'callExpr', value: { function: name, args } });
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new NotCel(`nested deeper than ${MAX_DEPTH} operators`, 0);
    const value = read();
    this.#depth--;
    return value;
  }

  #expr(): Expr {
    return this.#nested(() => {
      const condition = this.#logic('||', () => this.#logic('&&', () => this.#relation()));
      const at = this.#take('?');
      if (at < 0) return condition;
      const yes = this.#logic('||', () => this.#logic('&&', () => this.#relation()));
      if (this.#take(':') < 0) throw new NotCel('', at);
      return this.#call(at, '_?_:_', condition, yes, this.#expr());
    });
  }

  #logic(mark: '||' | '&&', operand: () => Expr): Expr {
    const terms = [operand()];
    const places: number[] = [];
    for (let at = this.#take(mark); at >= 0; at = this.#take(mark)) {
      places.push(at);
      terms.push(operand());
    }
    return places.length === 0 ? terms[0]! : this.#balanced(`_${mark}_`, terms, places, 0, places.length - 1);
  }

  #balanced(name: string, terms: Expr[], places: number[], low: number, high: number): Expr {
    const middle = (low + high + 1) >> 1;
    const left = middle === low ? terms[middle]! : this.#balanced(name, terms, places, low, middle - 1);
    const right =
      middle === high ? terms[middle + 1]! : this.#balanced(name, terms, places, middle + 1, high);
    return this.#call(places[middle]!, name, left, right);
  }

  #relation(): Expr {
    let left = this.#addition();
    for (;;) {
      const token = this.#token;
      const isIn = token.t === 'name' && token.text === 'in';
      if (!isIn && !(token.t === 'mark' && RELATIONS.has(token.text))) return left;
      this.#next();
      left = this.#call(token.at, isIn ? '@in' : `_${token.text}_`, left, this.#addition());
    }
  }

  #addition(): Expr {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#unary()));
  }

  #chain(marks: readonly string[], operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const token = this.#token;
      if (token.t !== 'mark' || !marks.includes(token.text)) return left;
      this.#next();
      left = this.#call(token.at, `_${token.text}_`, left, operand());
    }
  }

  #unary(): Expr {
    const sign = this.#is('!') ? '!' : this.#is('-') ? '-' : null;
    const signs: number[] = [];
    const stands = () => sign !== null && this.#is(sign) && (signs.length > 0 || !this.#isNegative());
    const isNext = () => signs.length === 0 || this.#token.at === signs.at(-1)! + 1;
    while (stands() && isNext()) signs.push(this.#next().at);
    return this.#signed(sign ?? '', signs, this.#member());
  }

  /** The smallest integer has no positive twin: a sign right before digits is part of the number. */
  #isNegative(): boolean {
    if (!this.#is('-')) return false;
    const { t, at } = tokenFrom(this.#source, this.#token.end);
    return (t === 'int' || t === 'double') && at === this.#token.end;
  }

  #signed(sign: string, signs: readonly number[], operand: Expr): Expr {
    // Two in a row cancel out, as in the reference parsers.
    if (signs.length % 2 === 0) return operand;
    const { exprKind } = operand;
    const again = exprKind.case === 'callExpr' && exprKind.value.function === `${sign}_`;
    return again ? exprKind.value.args[0]! : this.#call(signs[0]!, `${sign}_`, operand);
  }

  #member(): Expr {
    let of = this.#primary();
    for (;;) {
      const dot = this.#take('.');
      if (dot >= 0) {
        of = this.#selected(of, dot);
        continue;
      }
      const bracket = this.#take('[');
      if (bracket < 0) return of;
      const index = this.#expr();
      this.#must(']');
      of = this.#call(bracket, '_[_]', of, index);
    }
  }

  #selected(of: Expr, dot: number): Expr {
    const token = this.#token;
    if (token.t !== 'quoted' && (token.t !== 'name' || KEYWORDS.has(token.text))) this.#fail();
    this.#next();
    if (token.t === 'quoted' || !this.#is('('))
      return this.#node(dot, {
        case: 'selectExpr',
        value: { operand: of, field: token.text, testOnly: false },
      });
    this.#next();
    const args = this.#list(')');
    return (
      this.#macro(dot, of, token.text, args) ??
      this.#node(dot, { case: 'callExpr', value: { target: of, function: token.text, args } })
    );
  }

  /** Expressions with commas between, up to the closing mark. */
  #list(close: string, trailing = false): Expr[] {
    const items: Expr[] = [];
    if (this.#take(close) >= 0) return items;
    for (;;) {
      items.push(this.#expr());
      if (this.#take(close) >= 0) return items;
      this.#must(',');
      if (trailing && this.#take(close) >= 0) return items;
    }
  }

  #primary(): Expr {
    const minusAt = this.#isNegative() ? this.#next().at : -1;
    const token = this.#token;
    switch (token.t) {
      case 'int':
      case 'double':
      case 'uint':
      case 'string':
      case 'bytes':
        this.#next();
        return this.#literal(token, minusAt);
      case 'name':
        return this.#named('');
      case 'mark':
        break;
      default:
        return this.#fail();
    }
    switch (token.text) {
      case '(': {
        this.#next();
        const inner = this.#expr();
        this.#must(')');
        return inner;
      }
      case '[':
        this.#next();
        return this.#node(token.at, { case: 'listExpr', value: { elements: this.#list(']', true) } });
      case '{':
        this.#next();
        return this.#struct(token.at, '', () => {
          const key = this.#expr();
          return { case: 'mapKey', value: key };
        });
      case '.':
        this.#next();
        return this.#named('.');
      default:
        return this.#fail();
    }
  }

  #literal(token: Extract<Token, { value: unknown }>, minusAt: number): Expr {
    const at = minusAt < 0 ? token.at : minusAt;
    switch (token.t) {
      case 'int':
        return this.#constant(at, { case: 'int64Value', value: minusAt < 0 ? token.value : -token.value });
      case 'double':
        return this.#constant(at, { case: 'doubleValue', value: minusAt < 0 ? token.value : -token.value });
      case 'uint':
        return this.#constant(at, { case: 'uint64Value', value: token.value });
      case 'string':
        return this.#constant(at, { case: 'stringValue', value: token.value });
      case 'bytes':
        return this.#constant(at, { case: 'bytesValue', value: token.value });
    }
  }

  /** A name, a call of a function, a message; `dot` stands before names that are looked up from the root. */
  #named(dot: '' | '.'): Expr {
    const token = this.#token;
    if (token.t !== 'name') return this.#fail();
    const { at, text } = token;
    if (dot === '' && (text === 'true' || text === 'false')) {
      this.#next();
      return this.#constant(at, { case: 'boolValue', value: text === 'true' });
    }
    if (dot === '' && text === 'null') {
      this.#next();
      return this.#constant(at, { case: 'nullValue', value: 0 });
    }
    if (RESERVED.has(text)) this.#fail();
    this.#next();
    const open = this.#take('(');
    if (open >= 0) return this.#function(open, text, this.#list(')'));
    const message = this.#message(at, dot + text);
    return message ?? this.#ident(at, text);
  }

  #function(at: number, name: string, args: Expr[]): Expr {
    const [of] = args;
    if (name !== 'has' || args.length !== 1 || of?.exprKind.case !== 'selectExpr')
      return this.#call(at, name, ...args);
    return this.#node(at, { case: 'selectExpr', value: { ...of.exprKind.value, testOnly: true } });
  }

  /** `a.b.C{…}`; null, with nothing taken, where no bracket follows the names. */
  #message(at: number, first: string): Expr | null {
    const [token, depth] = [this.#token, this.#depth];
    let name = first;
    while (this.#take('.') >= 0) {
      const part = this.#token;
      if (part.t !== 'name' || KEYWORDS.has(part.text)) break;
      this.#next();
      name += `.${part.text}`;
    }
    if (this.#take('{') >= 0)
      return this.#struct(at, name, () => {
        const field = this.#next();
        if (field.t !== 'name' && field.t !== 'quoted') this.#fail();
        return { case: 'fieldKey', value: field.text };
      });
    [this.#token, this.#depth] = [token, depth];
    return null;
  }

  #struct(at: number, messageName: string, key: () => Entry['keyKind']): Expr {
    const entries: Entry[] = [];
    while (this.#take('}') < 0) {
      const keyKind = key();
      this.#must(':');
      entries.push({ keyKind, value: this.#expr() });
      if (this.#take(',') < 0 && !this.#is('}')) this.#fail();
    }
    return this.#node(at, { case: 'structExpr', value: { messageName, entries } });
  }

  /** `all`, `exists`, `exists_one`, `map` and `filter` over `range`; null when it is none of them. */
  #macro(at: number, range: Expr, name: string, args: readonly Expr[]): Expr | null {
    const [first, second, third] = args;
    if (first?.exprKind.case !== 'identExpr' || second === undefined) return null;
    const variable = first.exprKind.value.name;
    const accu = () => this.#ident(at, ACCU);
    const yes = () => this.#constant(at, { case: 'boolValue', value: true });
    const one = () => this.#constant(at, { case: 'int64Value', value: 1n });
    const list = (...elements: Expr[]) => this.#node(at, { case: 'listExpr', value: { elements } });
    const plus = (item: Expr) => this.#call(at, '_+_', accu(), item);
    const when = (condition: Expr, then: Expr) => this.#call(at, '_?_:_', condition, then, accu());
    const over = (
      accuInit: Expr,
      parts: Pick<Comprehension, 'loopCondition' | 'loopStep'>,
      result = accu(),
    ): Expr =>
      this.#node(at, {
        case: 'comprehensionExpr',
        value: {
          accuVar: ACCU,
          accuInit,
          iterVar: variable,
          iterVar2: '',
          iterRange: range,
          ...parts,
          result,
        },
      });
    if (args.length === 3 && name === 'map')
      return over(list(), { loopCondition: yes(), loopStep: when(second, plus(list(third!))) });
    if (args.length !== 2) return null;
    switch (name) {
      case 'all':
        return over(yes(), {
          loopStep: this.#call(at, '_&&_', accu(), second),
          loopCondition: this.#call(at, '@not_strictly_false', accu()),
        });
      case 'exists':
        return over(this.#constant(at, { case: 'boolValue', value: false }), {
          loopStep: this.#call(at, '_||_', accu(), second),
          loopCondition: this.#call(at, '@not_strictly_false', this.#call(at, '!_', accu())),
        });
      case 'map':
        return over(list(), { loopCondition: yes(), loopStep: plus(list(second)) });
      case 'filter':
        return over(list(), {
          loopCondition: yes(),
          loopStep: when(second, plus(list(this.#ident(at, variable)))),
        });
      case 'exists_one':
      case 'existsOne':
        return over(
          this.#constant(at, { case: 'int64Value', value: 0n }),
          { loopCondition: yes(), loopStep: when(second, plus(one())) },
          this.#call(at, '_==_', accu(), one()),
        );
      default:
        return null;
    }
  }
}
