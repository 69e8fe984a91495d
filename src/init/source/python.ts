// Tools in Python: decorated functions, makers of tools, classes of tools, and definitions written as dictionaries.
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';
import type { JsonObject } from '../../step/types.ts';
import type { AgentCall, SourceFacts, SourceTool } from '../types.ts';
import { annotated, dotted, givenTo, pairsOf, pythonLiteral, pythonText } from './python-values.ts';
import { keptSchema, objectSchema } from './schema.ts';
import { parts, type SourceText, sourceText, walk } from './tree.ts';

const DECORATORS = new Set([
  'tool',
  'tool_plain',
  'function_tool',
  'beta_tool',
  'beta_async_tool',
  'kernel_function',
  'ai_function',
  'guard',
]);
const MAKERS = /^(\w*Tool|from_function|from_defaults|create_tool)$/;
const BASES = /^(Base|Structured|Function)?Tool$/;
/** Methods of classes of tools that do the work. */
const RUNS = ['_run', '_arun', 'forward', 'run', 'execute'];
/** Annotations of what a framework hands over itself: a model never sends it. */
const HANDED =
  /\b(RunContext\w*|ToolContext|ToolRuntime|Injected\w+|Context|CallbackContext|RunnableConfig)\b/;

export function pythonFacts(file: string, text: string, calls: ReadonlySet<string>): SourceFacts {
  const tree = parser.parse(text);
  const source = sourceText(file, text);
  const functions = new Map<string, SyntaxNode>();
  const tools: SourceTool[] = [];
  const found: AgentCall[] = [];
  const imports: string[] = [];
  const made: SyntaxNode[] = [];
  for (const node of walk(tree.topNode)) {
    switch (node.name) {
      case 'FunctionDefinition':
        if (!functions.has(nameOf(source, node))) functions.set(nameOf(source, node), node);
        break;
      case 'DecoratedStatement':
        tools.push(...decorated(source, node));
        break;
      case 'ClassDefinition':
        tools.push(...classTool(source, node));
        break;
      case 'DictionaryExpression':
        tools.push(...written(source, node));
        break;
      case 'CallExpression':
        made.push(node);
        break;
      case 'ImportStatement':
        imports.push(...imported(source, node));
    }
  }
  for (const call of made) {
    const names = dotted(source, parts(call));
    tools.push(...maker(source, call, names, functions));
    for (let length = Math.min(names.length, 4); length > 0; length--) {
      const callee = names.slice(-length).join('.');
      if (!calls.has(callee)) continue;
      found.push({ callee, at: source.at(call) });
      break;
    }
  }
  tools.sort((a, b) => a.at.line - b.at.line);
  return { tools, aliases: [], calls: found, imports };
}

function nameOf(source: SourceText, node: SyntaxNode): string {
  const name = node.getChild('VariableName');
  return name === null ? '' : source.text(name);
}

function imported(source: SourceText, node: SyntaxNode): string[] {
  const words = source.text(node).trim().split(/\s+/, 200);
  if (words[0] === 'from') return words[1] === undefined ? [] : [words[1]];
  return words.slice(1).flatMap((word) => (word === 'as' ? [] : [word.replace(/,$/, '')]));
}

/** `@tool`, `@mcp.tool()`, `@function_tool(name_override="…")` over a function. */
function decorated(source: SourceText, node: SyntaxNode): SourceTool[] {
  const definition = node.getChild('FunctionDefinition');
  const decorator = node
    .getChildren('Decorator')
    .find((one) => DECORATORS.has(dotted(source, parts(one).slice(1)).at(-1) ?? ''));
  if (definition === null || decorator === undefined) return [];
  const given = givenTo(source, decorator);
  const named = given.find(({ name }) => name === 'name' || name === 'name_override');
  const first = given.find(({ name }) => name === null);
  const said = [named, first].map((one) => (one === undefined ? null : pythonText(source, one.value)));
  const described = given.find(({ name }) => name === 'description' || name === 'description_override');
  const schema = given.some(({ name }) => name === 'args_schema' || name === 'input_schema');
  const name = said.find((text) => text !== null) ?? nameOf(source, definition);
  return toolOf(source, definition, {
    name,
    description: described === undefined ? null : pythonText(source, described.value),
    known: !schema,
  });
}

function toolOf(
  source: SourceText,
  definition: SyntaxNode,
  about: { name: string; description: string | null; known: boolean },
): SourceTool[] {
  if (about.name === '') return [];
  return [
    {
      name: about.name,
      variable: false,
      description: about.description ?? docstring(source, definition),
      input: about.known ? parametersOf(source, definition) : null,
      at: source.at(definition),
    },
  ];
}

function docstring(source: SourceText, definition: SyntaxNode): string | null {
  const first = definition.getChild('Body')?.getChild('ExpressionStatement');
  const text = first === null || first === undefined ? undefined : parts(first)[0];
  return text === undefined ? null : (pythonText(source, text)?.trim() ?? null);
}

/** Parameters as a schema; null when some are gathered (`**kwargs`), or there is nothing to tell. */
function parametersOf(source: SourceText, definition: SyntaxNode): JsonObject | null {
  const list = definition.getChild('ParamList');
  if (list === null) return null;
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  let first = true;
  for (let node = list.firstChild; node !== null; node = node.nextSibling) {
    if (node.name === '**' || (node.name === '*' && node.nextSibling?.name === 'VariableName')) return null;
    if (node.name !== 'VariableName') continue;
    const name = source.text(node);
    let next = node.nextSibling;
    const type = next?.name === 'TypeDef' ? next : null;
    if (type !== null) next = type.nextSibling;
    const optional = next?.name === 'AssignOp';
    // The default stands after the sign: not a parameter.
    if (optional && next?.nextSibling != null) node = next.nextSibling;
    const handed = type !== null && HANDED.test(source.text(type).slice(0, 300));
    const own = first && (name === 'self' || name === 'cls');
    first = false;
    if (handed || own) continue;
    const annotation = type === null ? undefined : parts(type)[0];
    properties[name] = annotation === undefined ? {} : annotated(source, annotation);
    if (!optional) required.push(name);
  }
  return objectSchema(properties, required);
}

/** `StructuredTool.from_function(func=f, name="…")`, `Tool(name="…", func=f)`, `FunctionTool.from_defaults(f)`. */
function maker(
  source: SourceText,
  call: SyntaxNode,
  names: readonly string[],
  functions: ReadonlyMap<string, SyntaxNode>,
): SourceTool[] {
  const [last = '', before = ''] = [names.at(-1), names.at(-2)];
  if (!MAKERS.test(last) || (last.startsWith('from_') && !before.endsWith('Tool'))) return [];
  const given = givenTo(source, call);
  const by = (...keys: string[]) => given.find(({ name }) => name !== null && keys.includes(name))?.value;
  const named = by('name');
  const name = named === undefined ? null : pythonText(source, named);
  const work = by('func', 'fn', 'function', 'coroutine') ?? given.find((one) => one.name === null)?.value;
  const definition = work?.name === 'VariableName' ? functions.get(source.text(work)) : undefined;
  if (name === null && definition === undefined) return [];
  const said = by('description');
  const schema = by('params_json_schema', 'input_schema', 'parameters');
  const description = said === undefined ? null : pythonText(source, said);
  if (definition !== undefined) {
    const known = by('args_schema') === undefined && schema === undefined;
    return toolOf(source, definition, { name: name ?? nameOf(source, definition), description, known });
  }
  const input = schema === undefined ? null : keptSchema(pythonLiteral(source, schema));
  return [{ name: name!, variable: false, description, input, at: source.at(call) }];
}

/** `class Search(BaseTool): name = "search"`, with a method that does the work. */
function classTool(source: SourceText, node: SyntaxNode): SourceTool[] {
  const bases = givenTo(source, node).map(({ value }) => dotted(source, [value]).at(-1) ?? '');
  const body = node.getChild('Body');
  if (body === null || !bases.some((base) => BASES.test(base))) return [];
  const fields = new Map<string, string>();
  for (const assignment of body.getChildren('AssignStatement')) {
    const value = parts(assignment).at(-1);
    const text = value === undefined ? null : pythonText(source, value);
    if (text !== null) fields.set(nameOf(source, assignment), text);
  }
  const name = fields.get('name');
  if (name === undefined) return [];
  const work = body.getChildren('FunctionDefinition').find((one) => RUNS.includes(nameOf(source, one)));
  return [
    {
      name,
      variable: false,
      description: fields.get('description') ?? null,
      input: work === undefined || fields.has('args_schema') ? null : parametersOf(source, work),
      at: source.at(node),
    },
  ];
}

/** `{"name": …, "input_schema": …}`, `{"type": "function", "function": {…}}`. */
function written(source: SourceText, node: SyntaxNode): SourceTool[] {
  const pairs = new Map(pairsOf(source, node));
  const named = pairs.get('name');
  const name = named === undefined ? null : pythonText(source, named);
  if (name === null || name === '') return [];
  const typed = pairs.get('type');
  const isFunction =
    (typed !== undefined && pythonText(source, typed) === 'function') || keyIs(source, node, 'function');
  const schema =
    pairs.get('input_schema') ?? pairs.get('inputSchema') ?? (isFunction && pairs.get('parameters'));
  if (!schema) return [];
  const described = pairs.get('description');
  return [
    {
      name,
      variable: false,
      description: described === undefined ? null : pythonText(source, described),
      input: keptSchema(pythonLiteral(source, schema)),
      at: source.at(node),
    },
  ];
}

function keyIs(source: SourceText, value: SyntaxNode, key: string): boolean {
  const before = value.prevSibling;
  if (before?.name !== ':' || before.prevSibling === null) return false;
  return pythonText(source, before.prevSibling) === key;
}
