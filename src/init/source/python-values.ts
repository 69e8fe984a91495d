// Values as Python source writes them: texts, dictionaries, type annotations. Nothing is run.
import type { SyntaxNode } from '@lezer/common';
import type { Json, JsonObject } from '../../step/types.ts';
import { ANYTHING, keptSchema, orNull } from './schema.ts';
import { DEPTH_MAX, parts, type SourceText } from './tree.ts';

/** A plain text; adjacent ones are one text, as in Python. */
export function pythonText(source: SourceText, node: SyntaxNode): string | null {
  if (node.name === 'ContinuedString') {
    const all = parts(node).map((part) => pythonText(source, part));
    return all.includes(null) ? null : all.join('');
  }
  if (node.name === 'ParenthesizedExpression' && parts(node).length === 1)
    return pythonText(source, parts(node)[0]!);
  if (node.name !== 'String') return null;
  const written = source.text(node);
  const quote = /^[a-zA-Z]{0,2}("""|'''|"|')/.exec(written)?.[1];
  if (quote === undefined) return null;
  return written
    .slice(written.indexOf(quote) + quote.length, -quote.length)
    .replace(/\\([\s\S])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** `a.b.c` of a call, a decorator or a name. */
export function dotted(source: SourceText, nodes: readonly SyntaxNode[]): string[] {
  const names: string[] = [];
  for (const node of nodes) {
    if (node.name === 'VariableName' || node.name === 'PropertyName') names.push(source.text(node));
    else if (node.name === 'MemberExpression') names.push(...dotted(source, parts(node)));
    else break;
  }
  return names;
}

export interface Given {
  readonly name: string | null;
  readonly value: SyntaxNode;
}

/** Arguments of a call, a decorator or a class, those by name with their name. */
export function givenTo(source: SourceText, call: SyntaxNode): Given[] {
  const list = call.getChild('ArgList');
  if (list === null) return [];
  const given: Given[] = [];
  const all = parts(list);
  for (let i = 0; i < all.length; i++) {
    const node = all[i]!;
    if (all[i + 1]?.name !== 'AssignOp') given.push({ name: null, value: node });
    else if (all[i + 2] !== undefined) {
      given.push({ name: source.text(node), value: all[i + 2]! });
      i += 2;
    }
  }
  return given;
}

/** Pairs of a dictionary whose keys are plain texts. */
export function pairsOf(source: SourceText, dictionary: SyntaxNode): [string, SyntaxNode][] {
  const pairs: [string, SyntaxNode][] = [];
  let key: string | null = null;
  let isValue = false;
  for (let node = dictionary.firstChild; node !== null; node = node.nextSibling) {
    if (node.name === ':') isValue = true;
    else if (node.name === ',') isValue = false;
    else if (isValue && key !== null) {
      pairs.push([key, node]);
      key = null;
    } else if (!isValue && /^[A-Z]/.test(node.name)) key = pythonText(source, node);
  }
  return pairs;
}

/** A value that is written out; dictionaries leave out what is computed. */
export function pythonLiteral(source: SourceText, node: SyntaxNode, depth = 0): Json | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const text = pythonText(source, node);
  if (text !== null) return text;
  switch (node.name) {
    case 'Number': {
      const number = Number(source.text(node).replaceAll('_', ''));
      return Number.isFinite(number) ? number : undefined;
    }
    case 'Boolean':
      return source.text(node) === 'True';
    case 'None':
      return null;
    case 'ArrayExpression': {
      const items = parts(node).map((item) => pythonLiteral(source, item, depth + 1));
      return items.some((item) => item === undefined) ? undefined : (items as Json[]);
    }
    case 'DictionaryExpression': {
      const object: Record<string, Json> = {};
      for (const [key, value] of pairsOf(source, node)) {
        const read = pythonLiteral(source, value, depth + 1);
        if (read !== undefined && key !== '__proto__') object[key] = read;
      }
      return object;
    }
    default:
      return undefined;
  }
}

const PLAIN: Readonly<Record<string, JsonObject>> = {
  str: { type: 'string' },
  int: { type: 'integer' },
  float: { type: 'number' },
  bool: { type: 'boolean' },
  dict: { type: 'object' },
  Dict: { type: 'object' },
};
const LISTS = new Set(['list', 'List', 'Sequence', 'Iterable']);

/** What a type annotation lets a model send; anything where it is not plain. */
export function annotated(source: SourceText, node: SyntaxNode, depth = 0): JsonObject {
  if (depth > DEPTH_MAX) return ANYTHING;
  if (node.name === 'VariableName') {
    const name = source.text(node);
    if (LISTS.has(name)) return { type: 'array' };
    return Object.hasOwn(PLAIN, name) ? PLAIN[name]! : ANYTHING;
  }
  if (node.name === 'BinaryExpression') {
    const sides = parts(node).filter((part) => part.name !== 'BitOp');
    const kept = sides.filter((side) => side.name !== 'None');
    if (kept.length === 1 && sides.length === 2) return orNull(annotated(source, kept[0]!, depth + 1));
    return ANYTHING;
  }
  if (node.name !== 'MemberExpression') return ANYTHING;
  const [of, ...inside] = parts(node);
  const name = of === undefined ? '' : source.text(of).replace(/^(typing|t)\./, '');
  const [first] = inside;
  if (first === undefined) return ANYTHING;
  if (name === 'Annotated') return annotated(source, first, depth + 1);
  if (name === 'Optional') return orNull(annotated(source, first, depth + 1));
  if (name === 'dict' || name === 'Dict') return { type: 'object' };
  if (LISTS.has(name)) return { type: 'array', items: annotated(source, first, depth + 1) };
  if (name !== 'Literal') return ANYTHING;
  const values = inside.map((part) => pythonLiteral(source, part));
  return keptSchema({ enum: values.some((v) => v === undefined) ? null : (values as Json[]) }) ?? ANYTHING;
}
