// Values as JavaScript and TypeScript source writes them: objects, texts, literals, names. Nothing is run.
import type { SyntaxNode } from '@lezer/common';
import type { Json } from '../../step/types.ts';
import { DEPTH_MAX, parts, type SourceText } from './tree.ts';

/** `const x = …` of the whole file, by name; the first wins. */
export type Declared = ReadonlyMap<string, SyntaxNode>;

export interface Scope {
  readonly source: SourceText;
  readonly declared: Declared;
}

/** What says nothing of the value in it: parentheses, `!`, type arguments. */
const WRAPS = new Set(['ParenthesizedExpression', 'PostfixExpression', 'InstantiationExpression']);

/** Without parentheses, `as …`, `satisfies …` and `!`. */
export function bare(node: SyntaxNode): SyntaxNode {
  let inner = node;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const first = parts(inner)[0];
    const typed = inner.name === 'BinaryExpression' && (inner.getChild('as') ?? inner.getChild('satisfies'));
    const wraps = WRAPS.has(inner.name) || typed;
    if (!wraps || first === undefined) return inner;
    inner = first;
  }
  return inner;
}

/** What a name stands for in this file, if it says. */
export function resolved(scope: Scope, node: SyntaxNode): SyntaxNode {
  let value = bare(node);
  for (let depth = 0; depth < DEPTH_MAX && value.name === 'VariableName'; depth++) {
    const next = scope.declared.get(scope.source.text(value));
    if (next === undefined) return value;
    value = bare(next);
  }
  return value;
}

/** A text without placeholders; parts joined with `+` too. */
export function textOf(scope: Scope, node: SyntaxNode, depth = 0): string | null {
  const value = resolved(scope, node);
  if (value.name === 'String') return unquoted(scope.source.text(value));
  if (value.name === 'TemplateString')
    return value.getChild('Interpolation') === null ? unquoted(scope.source.text(value)) : null;
  if (value.name !== 'BinaryExpression' || depth > DEPTH_MAX) return null;
  const [left, operator, right] = parts(value);
  if (operator === undefined || scope.source.text(operator) !== '+' || right === undefined) return null;
  const before = textOf(scope, left!, depth + 1);
  const after = textOf(scope, right, depth + 1);
  return before === null || after === null ? null : before + after;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' };

/** The text between quotes, its commonest escapes resolved. */
export function unquoted(written: string): string {
  return written
    .slice(1, -1)
    .replace(/\\([\s\S])/g, (_, character: string) => ESCAPES[character] ?? character);
}

/** Arguments of a call or of `new`. */
export function argumentsOf(call: SyntaxNode): SyntaxNode[] {
  const list = call.getChild('ArgList');
  return list === null ? [] : parts(list);
}

/** `a.b.c` of a call: the names, the last one first; empty for anything else. */
export function calleeOf(scope: Scope, call: SyntaxNode): string[] {
  const names: string[] = [];
  let node: SyntaxNode | undefined = parts(call).find((part) => part.name !== 'new');
  for (let depth = 0; node !== undefined && depth < DEPTH_MAX; depth++) {
    node = bare(node);
    if (node.name === 'VariableName') return [...names, scope.source.text(node)];
    if (node.name === 'this') return [...names, 'this'];
    if (node.name !== 'MemberExpression') return node.name === 'CallExpression' ? names : [];
    const property = node.getChild('PropertyName');
    if (property === null) return [];
    names.push(scope.source.text(property));
    node = parts(node)[0];
  }
  return names;
}

export interface Entry {
  readonly key: string;
  /** Null for a method, and for a shorthand of what the file does not declare. */
  readonly value: SyntaxNode | null;
  readonly shorthand: boolean;
}

/** Entries of an object expression with a plain key. */
export function entriesOf(scope: Scope, object: SyntaxNode): Entry[] {
  const entries: Entry[] = [];
  for (const property of parts(object)) {
    if (property.name !== 'Property') continue;
    const all = parts(property);
    const at = all.findIndex((part) => part.name === 'PropertyDefinition' || part.name === 'String');
    const key = all[at];
    if (key === undefined) continue;
    const name = key.name === 'String' ? unquoted(scope.source.text(key)) : scope.source.text(key);
    const after = all[at + 1];
    const method = after?.name === 'ParamList' || after?.name === 'TypeParamList';
    const shorthand = after === undefined;
    const value = shorthand ? scope.declared.get(name) : method ? undefined : after;
    entries.push({ key: name, value: value ?? null, shorthand });
  }
  return entries;
}

/** A value that is written out whole; undefined when part of it is computed. Objects leave out what is computed. */
export function literalOf(scope: Scope, node: SyntaxNode, depth = 0): Json | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const value = resolved(scope, node);
  const text = textOf(scope, value);
  if (text !== null) return text;
  switch (value.name) {
    case 'Number': {
      const number = Number(scope.source.text(value).replaceAll('_', ''));
      return Number.isFinite(number) ? number : undefined;
    }
    case 'BooleanLiteral':
      return scope.source.text(value) === 'true';
    case 'null':
      return null;
    case 'ArrayExpression': {
      const items = parts(value).map((item) => literalOf(scope, item, depth + 1));
      return items.some((item) => item === undefined) ? undefined : (items as Json[]);
    }
    case 'ObjectExpression': {
      const object: Record<string, Json> = {};
      for (const { key, value: inner } of entriesOf(scope, value)) {
        const read = inner === null ? undefined : literalOf(scope, inner, depth + 1);
        if (read !== undefined && key !== '__proto__') object[key] = read;
      }
      return object;
    }
    default:
      return undefined;
  }
}
