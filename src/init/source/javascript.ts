// Tools in JavaScript and TypeScript, found by the shape of their definitions, whichever library they are for: an object with a
// name and a schema of its input, or a call that registers one by name.
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/javascript';
import type { Json } from '../../step/types.ts';
import type { AgentCall, SourceFacts, SourceTool } from '../types.ts';
import {
  argumentsOf,
  bare,
  calleeOf,
  type Entry,
  entriesOf,
  literalOf,
  resolved,
  type Scope,
  textOf,
  unquoted,
} from './javascript-values.ts';
import { parts, sourceText, walk } from './tree.ts';
import { schemaOf } from './zod.ts';

/** Keys that mean a tool's input wherever they stand. */
const INPUT = ['inputSchema', 'input_schema'];
/** Keys that mean it only in what is handed to a maker of tools, or stands under `type: 'function'`. */
const WEAK_INPUT = ['parameters', 'schema', 'args'];
const RUNS = ['execute', 'func', 'handler', 'run', 'call', 'callback'];
const MAKER =
  /^(dynamic|create|define|beta|betaZod|add|register|structured|dynamicStructured|function)?tool$|^zodFunction$/i;
/** Not tools, though they have a name and a schema. */
const NOT_TOOLS = new Set([
  'json_schema',
  'jsonSchema',
  'response_format',
  'responseFormat',
  'format',
  'output',
]);

export function javascriptFacts(file: string, text: string, calls: ReadonlySet<string>): SourceFacts {
  const tree = parser.configure({ dialect: dialectOf(file) }).parse(text);
  const declared = new Map<string, SyntaxNode>();
  const scope: Scope = { source: sourceText(file, text), declared };
  const objects: SyntaxNode[] = [];
  const made: SyntaxNode[] = [];
  const imports: string[] = [];
  for (const node of walk(tree.topNode)) {
    if (node.name === 'VariableDeclaration') declare(scope, declared, node);
    else if (node.name === 'ObjectExpression') objects.push(node);
    else if (node.name === 'CallExpression' || node.name === 'NewExpression') made.push(node);
    else if (node.name === 'ImportDeclaration' || node.name === 'ExportDeclaration') {
      const from = node.getChild('String');
      if (from !== null) imports.push(unquoted(scope.source.text(from)));
    }
  }
  const tools = [
    ...objects.flatMap((object) => toolIn(scope, object) ?? []),
    ...made.flatMap((call) => registered(scope, call) ?? []),
  ].sort((a, b) => a.at.line - b.at.line);
  return {
    tools,
    aliases: objects.flatMap((object) => aliasesIn(scope, object)),
    calls: made.flatMap((call) => agentCall(scope, call, calls) ?? []),
    imports: [...imports, ...made.flatMap((call) => required(scope, call) ?? [])],
  };
}

function dialectOf(file: string): string {
  if (/\.[cm]?ts$/.test(file)) return 'ts';
  return file.endsWith('.tsx') ? 'ts jsx' : 'jsx';
}

function declare(scope: Scope, declared: Map<string, SyntaxNode>, node: SyntaxNode): void {
  let name: string | null = null;
  for (const part of parts(node)) {
    if (part.name === 'VariableDefinition') name = scope.source.text(part);
    else if (part.name === 'Equals' || part.name === 'TypeAnnotation') continue;
    else if (name !== null) {
      if (part.prevSibling?.name === 'Equals' && !declared.has(name)) declared.set(name, part);
      name = null;
    }
  }
}

function valueAt(entries: readonly Entry[], keys: readonly string[]): SyntaxNode | null {
  return entries.find((entry) => keys.includes(entry.key) && entry.value !== null)?.value ?? null;
}

function toolIn(scope: Scope, object: SyntaxNode): SourceTool | null {
  const entries = entriesOf(scope, object);
  if (entries.length < 2 || entries.length > 40) return null;
  const keyed = keyOf(scope, object);
  if (keyed !== null && NOT_TOOLS.has(keyed)) return null;
  const call = callAround(object);
  const maker = call === null ? undefined : calleeOf(scope, call)[0];
  const trusted = (maker !== undefined && MAKER.test(maker)) || isFunctionType(scope, entries, object);
  const input = valueAt(entries, trusted ? [...INPUT, ...WEAK_INPUT] : INPUT);
  const runs = entries.some((entry) => RUNS.includes(entry.key));
  const described = entries.some((entry) => entry.key === 'description');
  if (input === null && !(trusted && described)) return null;
  if (!described && !runs && !trusted) return null;
  // `registerTool('name', {…})` says the name itself.
  if (call !== null && nameGiven(scope, call) !== null) return null;
  const named = valueAt(entries, ['name', 'id']);
  const name = named === null ? null : textOf(scope, named);
  // A name that is computed is nobody's to guess.
  const computed = name === null && entries.some((entry) => entry.key === 'name' || entry.key === 'id');
  const held = name ?? (computed ? null : holderOf(scope, call ?? object));
  if (held === null || held === '') return null;
  const description = valueAt(entries, ['description']);
  return {
    name: held,
    variable: name === null,
    description: description === null ? null : textOf(scope, description),
    input: input === null ? null : schemaOf(scope, input),
    at: scope.source.at(object),
  };
}

/** `{ type: 'function', name … }`, or what stands under `function:` of one. */
function isFunctionType(scope: Scope, entries: readonly Entry[], object: SyntaxNode): boolean {
  const type = valueAt(entries, ['type']);
  if (type !== null) return textOf(scope, type) === 'function';
  return keyOf(scope, object) === 'function';
}

/** The key under which `node` stands in an object. */
function keyOf(scope: Scope, node: SyntaxNode): string | null {
  const property = node.parent;
  if (property?.name !== 'Property') return null;
  const key = property.getChild('PropertyDefinition') ?? property.getChild('String');
  if (key === null) return null;
  return key.name === 'String' ? unquoted(scope.source.text(key)) : scope.source.text(key);
}

/** The call or `new` that has `object` among its arguments. */
function callAround(object: SyntaxNode): SyntaxNode | null {
  if (object.parent?.name !== 'ArgList') return null;
  return object.parent.parent;
}

/** The key or the variable that a value is given to. */
function holderOf(scope: Scope, value: SyntaxNode): string | null {
  const key = keyOf(scope, value);
  if (key !== null) return key;
  const before = value.prevSibling;
  if (before?.name !== 'Equals') return null;
  const name =
    before.prevSibling?.name === 'TypeAnnotation' ? before.prevSibling.prevSibling : before.prevSibling;
  return name?.name === 'VariableDefinition' ? scope.source.text(name) : null;
}

function nameGiven(scope: Scope, call: SyntaxNode): string | null {
  const [first] = argumentsOf(call);
  return first === undefined ? null : textOf(scope, first);
}

/** `registerTool('name', { description, inputSchema }, run)`, `tool('name', 'description', { … }, run)`. */
function registered(scope: Scope, call: SyntaxNode): SourceTool | null {
  const maker = calleeOf(scope, call)[0];
  const given = argumentsOf(call);
  if (maker === undefined || !MAKER.test(maker) || given.length < 2) return null;
  const name = nameGiven(scope, call);
  if (name === null || name === '') return null;
  const described = given.slice(1).map((argument) => textOf(scope, argument));
  const object = given.slice(1).find((argument) => resolved(scope, argument).name === 'ObjectExpression');
  const entries = object === undefined ? [] : entriesOf(scope, resolved(scope, object));
  const description = valueAt(entries, ['description']);
  const input = valueAt(entries, [...INPUT, ...WEAK_INPUT]) ?? (description === null ? object : undefined);
  return {
    name,
    variable: false,
    description:
      description === null ? (described.find((text) => text !== null) ?? null) : textOf(scope, description),
    input: input === undefined ? null : schemaOf(scope, input),
    at: scope.source.at(call),
  };
}

/** `tools: { weather: weatherTool }`, and the same where it is declared. */
function aliasesIn(scope: Scope, object: SyntaxNode): { name: string; variable: string }[] {
  const holder = holderOf(scope, object) ?? '';
  if (!/tools$/i.test(holder)) return [];
  return entriesOf(scope, object).flatMap(({ key, value, shorthand }) => {
    if (shorthand) return [{ name: key, variable: key }];
    const named = value === null ? null : bare(value);
    return named?.name === 'VariableName' ? [{ name: key, variable: scope.source.text(named) }] : [];
  });
}

function agentCall(scope: Scope, call: SyntaxNode, calls: ReadonlySet<string>): AgentCall | null {
  const names = calleeOf(scope, call);
  for (let length = Math.min(names.length, 4); length > 0; length--) {
    const callee = `${call.name === 'NewExpression' ? 'new ' : ''}${names.slice(0, length).reverse().join('.')}`;
    if (calls.has(callee)) return { callee, at: scope.source.at(call) };
  }
  return null;
}

function required(scope: Scope, call: SyntaxNode): string | null {
  const [callee, ...more] = calleeOf(scope, call);
  return callee === 'require' && more.length === 0 ? nameGiven(scope, call) : null;
}

/** JSON with comments and trailing commas, as editors' settings have it; undefined when it is not that. */
export function looseJson(text: string): Json | undefined {
  const source = `(${text}\n)`;
  const tree = parser.parse(source);
  for (const node of walk(tree.topNode)) if (node.type.isError) return undefined;
  const statement = parts(tree.topNode)[0];
  const value = statement === undefined ? undefined : parts(statement)[0];
  if (value === undefined) return undefined;
  return literalOf({ source: sourceText('', source), declared: new Map() }, value);
}
