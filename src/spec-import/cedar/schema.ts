// What a Cedar schema says of groups of actions, from either of its two forms
// (https://docs.cedarpolicy.com/schema/human-readable-schema-grammar.html). Entity types and contexts are passed over. Pure.

import { readSource } from '../../spec/read-yaml.ts';
import { type Source, toJson } from '../../spec/source.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { SyntaxProblem, type Token, tokens } from './lex.ts';
import type { EntityRef } from './policy.ts';

/** Ids of the actions in a group, itself among them when it is an action; empty for what the schema does not declare. */
export type Members = (group: EntityRef) => readonly string[];

interface Declared {
  readonly action: EntityRef;
  readonly parents: readonly EntityRef[];
}

/** Null, with problems, when the text is no schema. */
export function readSchema(source: Source): Members | null {
  try {
    const declared = source.text.trimStart().startsWith('{') ? fromJson(source) : fromText(source.text);
    return declared === null ? null : membersOf(declared);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    source.error('syntax', error, error.message);
    return null;
  }
}

const keyOf = ({ type, id }: EntityRef) => JSON.stringify([type, id]);

function membersOf(declared: readonly Declared[]): Members {
  const children = new Map<string, EntityRef[]>();
  const known = new Set(declared.map(({ action }) => keyOf(action)));
  for (const { action, parents } of declared)
    for (const parent of parents)
      children.set(keyOf(parent), [...(children.get(keyOf(parent)) ?? []), action]);
  return (group) => {
    const found = new Map<string, string>();
    const visit = (entity: EntityRef): void => {
      const key = keyOf(entity);
      if (found.has(key) || !known.has(key)) return;
      found.set(key, entity.id);
      for (const child of children.get(key) ?? []) visit(child);
    };
    visit(group);
    return [...new Set(found.values())].sort();
  };
}

function actionType(namespace: string): string {
  return namespace === '' ? 'Action' : `${namespace}::Action`;
}

function fromJson(source: Source): Declared[] | null {
  const root = readSource(source);
  if (root === null) return null;
  return entriesOf(toJson(root)).flatMap(([namespace, content]) =>
    entriesOf(fieldOf(content, 'actions')).map(([id, action]) => ({
      action: { type: actionType(namespace), id },
      parents: listOf(fieldOf(action, 'memberOf')).flatMap((parent) => {
        const name = fieldOf(parent, 'id');
        const type = fieldOf(parent, 'type');
        return typeof name === 'string'
          ? [{ type: typeof type === 'string' ? type : actionType(namespace), id: name }]
          : [];
      }),
    })),
  );
}

function fieldOf(value: Json, key: string): Json {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? ((value as JsonObject)[key] ?? null)
    : null;
}

function entriesOf(value: Json): [string, Json][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function fromText(text: string): Declared[] {
  const all = tokens(text);
  const declared: Declared[] = [];
  let at = 0;
  const peek = (ahead = 0): Token => all[Math.min(at + ahead, all.length - 1)]!;
  const is = (word: string) => peek().t !== 'text' && peek().text === word;
  const problem = (message: string) =>
    new SyntaxProblem(message, peek().at, Math.max(peek().at + 1, peek().end));
  const take = (word: string) => is(word) && ++at > 0;
  const expect = (word: string) => {
    if (!take(word))
      throw problem(`expected \`${word}\`, found \`${peek().text.slice(0, 40) || 'the end'}\``);
  };
  const name = (): string => {
    const token = peek();
    if (token.t !== 'name' && token.t !== 'text') throw problem('expected the name of an action');
    at++;
    return token.t === 'text' ? token.value : token.text;
  };
  /** A name of this namespace, or `Type::"id"`. */
  const reference = (namespace: string): EntityRef => {
    const parts = [name()];
    while (take('::')) parts.push(name());
    const id = parts.pop()!;
    return { type: parts.length === 0 ? actionType(namespace) : parts.join('::'), id };
  };
  const annotations = () => {
    while (take('@')) {
      name();
      if (take('(')) {
        name();
        expect(')');
      }
    }
  };
  /** To the `;` that ends the declaration. */
  const pass = () => {
    let depth = 0;
    for (; peek().t !== 'end'; at++) {
      if (is('{') || is('[') || is('<') || is('(')) depth++;
      else if (is('}') || is(']') || is('>') || is(')')) depth--;
      else if (is(';') && depth === 0) break;
      if (depth < 0) break;
    }
    expect(';');
  };
  const declaration = (namespace: string) => {
    annotations();
    if (!take('action')) {
      if (!is('entity') && !is('type')) throw problem('expected `entity`, `type` or `action`');
      pass();
      return;
    }
    const ids = [name()];
    while (take(',')) ids.push(name());
    const parents: EntityRef[] = [];
    if (take('in')) {
      if (take('[')) {
        while (!is(']')) {
          parents.push(reference(namespace));
          if (!take(',')) break;
        }
        expect(']');
      } else parents.push(reference(namespace));
    }
    for (const id of ids) declared.push({ action: { type: actionType(namespace), id }, parents });
    pass();
  };
  while (peek().t !== 'end') {
    annotations();
    if (!take('namespace')) {
      declaration('');
      continue;
    }
    let namespace = name();
    while (take('::')) namespace += `::${name()}`;
    expect('{');
    while (!is('}')) declaration(namespace);
    expect('}');
  }
  return declared;
}
