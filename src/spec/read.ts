// Reads the nodes of a spec into a SpecDocument: every key known, every word one of its set. Pure; no expression is compiled here.

import type { Json, JsonObject } from '../step/types.ts';
import { parseCel } from './cel/parse.ts';
import {
  type CheckDeclaration,
  DEFAULTS,
  type DefaultVerdict,
  EFFECTS,
  type Expression,
  FAIL,
  type SpecDocument,
  type ToolContract,
  TRUST,
} from './document.ts';
import {
  bindParameters,
  joinChecks,
  joinPath,
  joinRules,
  joinTools,
  MAX_RULES,
  type Place,
  readImports,
} from './imports.ts';
import { circlesOf, type Let } from './let.ts';
import { readChecks } from './read-check.ts';
import { readRule } from './read-rule.ts';
import { VARIABLES } from './scope.ts';
import {
  fieldsOf,
  type MapEntry,
  type Source,
  type SourceNode,
  textOf,
  textsOf,
  toJson,
  wordOf,
} from './source.ts';
import { MODES, type Mode } from './terms.ts';

const MAX_TOOLS = 2_000;
const NAME_LIMIT = 200;
const MAX_LETS = 200;

/** Reads a file that a `$ref` names, relative to the spec; null when it is not there. */
export type ReadRef = (path: string) => string | null;

/** In the order of the canonical layout. */
export const SPEC_KEYS = [
  'interlock',
  'name',
  'description',
  'applies',
  'imports',
  'parameters',
  'mode',
  'default',
  'fail',
  'tools',
  'let',
  'checks',
  'rules',
  'fixtures',
  'tests',
];
const TOOL_KEYS = ['effect', 'reversible', 'trust', 'labels', 'fail', 'input', 'output', 'description', 'to'];

export function readDocument(source: Source, whole: SourceNode, place: Place): SpecDocument | null {
  const { root, lets: parameters } = bindParameters(source, whole, place.given);
  const fields = fieldsOf(source, root, 'the spec', SPEC_KEYS);
  if (!fields) return null;
  const version = fields.get('interlock');
  if (!version || toJson(version.node) !== 1) {
    source.error(
      'version',
      version?.node.range ?? { start: root.range.start, end: root.range.start + 1 },
      'the spec must say `interlock: 1`, the version of the language',
    );
  }
  const nameEntry = fields.get('name');
  const name = nameEntry ? textOf(source, nameEntry.node, '`name`') : undefined;
  if (!nameEntry)
    source.error(
      'missing',
      { start: root.range.start, end: root.range.start + 1 },
      'the spec needs a `name`',
    );
  if (name !== undefined && (name === '' || name.length > NAME_LIMIT)) {
    source.error('name', nameEntry!.node.range, `\`name\` must have 1 to ${NAME_LIMIT} characters`);
  }
  const mode: Mode = wordFrom(source, fields.get('mode'), '`mode`', MODES) ?? place.mode;
  const defaultVerdict = wordFrom(source, fields.get('default'), '`default`', DEFAULTS) ?? 'deny';
  const meaning: Record<string, Json> = toJson(root) as Record<string, Json>;
  delete meaning.tests;
  delete meaning.fixtures;
  delete meaning.description;
  const parts = readImports(source, fields.get('imports'), { ...place, mode }, meaning);
  const readRef = (path: string) => place.readRef?.(joinPath(place.path.at(-1) ?? '', path)) ?? null;
  const tools = readTools(source, fields.get('tools'), readRef, meaning);
  const lets = [...parameters, ...readLets(source, fields.get('let'), parameters, meaning)];
  const checks = readChecks(source, fields.get('checks'));
  const rules = joinRules(readRules(source, fields.get('rules'), mode, lets, checks), parts);
  if (rules.length > MAX_RULES)
    source.error(
      'too-many',
      root.range,
      `with its imports the spec has ${rules.length} rules; at most ${MAX_RULES}`,
    );
  // Even a spec with errors is read on, so that all its problems show at once.
  return {
    name: name ?? '',
    agents: readApplies(source, fields.get('applies')),
    mode: strictestMode([mode, ...parts.map((part) => part.document.mode)]),
    defaultVerdict: strictestDefault([defaultVerdict, ...parts.map((part) => part.document.defaultVerdict)]),
    failOpen: wordFrom(source, fields.get('fail'), '`fail`', FAIL) === 'open',
    tools: joinTools(source, tools, parts, fields.get('imports')),
    checks: joinChecks(source, checks, parts, fields.get('imports')),
    lets,
    rules,
    tests: fields.get('tests')?.node ?? null,
    meaning: meaning as JsonObject,
  };
}

function strictestMode(modes: readonly Mode[]): Mode {
  return MODES[Math.max(...modes.map((mode) => MODES.indexOf(mode)))]!;
}

function strictestDefault(defaults: readonly DefaultVerdict[]): DefaultVerdict {
  return defaults.includes('deny') ? 'deny' : defaults.includes('hold') ? 'hold' : 'allow';
}

function wordFrom<W extends string>(
  source: Source,
  entry: MapEntry | undefined,
  what: string,
  words: readonly W[],
): W | undefined {
  return entry ? wordOf(source, entry.node, what, words) : undefined;
}

function readApplies(source: Source, entry: MapEntry | undefined): string[] {
  if (!entry) return ['*'];
  const fields = fieldsOf(source, entry.node, '`applies`', ['agents']);
  const agents = fields?.get('agents');
  return agents ? textsOf(source, agents.node, '`agents`') : ['*'];
}

function readTools(
  source: Source,
  entry: MapEntry | undefined,
  readRef: ReadRef | undefined,
  meaning: Record<string, Json>,
): Map<string, ToolContract> {
  const tools = new Map<string, ToolContract>();
  if (!entry) return tools;
  if (entry.node.t !== 'map') {
    source.error('type', entry.node.range, '`tools` must be a map from tool name to contract');
    return tools;
  }
  if (entry.node.entries.length > MAX_TOOLS) {
    source.error('too-many', entry.keyRange, `more than ${MAX_TOOLS} tools`);
    return tools;
  }
  const meaningTools = meaning.tools as Record<string, Record<string, Json>>;
  for (const tool of entry.node.entries) {
    const fields = fieldsOf(source, tool.node, `tool \`${tool.key}\``, TOOL_KEYS);
    if (!fields) continue;
    const effect = wordFrom(source, fields.get('effect'), '`effect`', EFFECTS);
    if (!fields.has('effect')) {
      source.error(
        'missing',
        tool.keyRange,
        `tool \`${tool.key}\` needs an \`effect\`: ${EFFECTS.join(', ')}`,
      );
    }
    const schemas: Record<'input' | 'output', Json | null> = { input: null, output: null };
    for (const key of ['input', 'output'] as const) {
      const schemaEntry = fields.get(key);
      if (!schemaEntry) continue;
      const schema = loadSchema(source, schemaEntry, readRef);
      schemas[key] = schema;
      if (meaningTools[tool.key] && schema !== null)
        (meaningTools[tool.key] as Record<string, Json>)[key] = schema;
    }
    const labels = fields.get('labels');
    tools.set(tool.key, {
      name: tool.key,
      effect: effect ?? 'write',
      reversible: readBoolean(source, fields.get('reversible'), '`reversible`', true),
      trust: wordFrom(source, fields.get('trust'), '`trust`', TRUST) ?? 'untrusted',
      labels: labels ? textsOf(source, labels.node, '`labels`') : [],
      failOpen: wordFrom(source, fields.get('fail'), '`fail`', FAIL) === 'open',
      input: schemas.input,
      output: schemas.output,
      range: tool.keyRange,
      source,
    });
  }
  return tools;
}

/** A schema in place, or `{ $ref: ./file.json }` read through the host. */
function loadSchema(source: Source, entry: MapEntry, readRef: ReadRef | undefined): Json | null {
  const schema = toJson(entry.node);
  const ref =
    typeof schema === 'object' && schema !== null && !Array.isArray(schema)
      ? (schema as JsonObject).$ref
      : undefined;
  if (typeof ref !== 'string' || ref.startsWith('#')) return schema;
  const text = readRef?.(ref) ?? null;
  if (text === null) {
    source.error(
      'missing-file',
      entry.node.range,
      `the schema file \`${ref}\` cannot be read; the path is relative to the spec`,
    );
    return null;
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    source.error('syntax', entry.node.range, `\`${ref}\` is not JSON: ${(error as Error).message}`);
    return null;
  }
}

const RESERVED = new Set(['past', 'origin', ...VARIABLES]);

/** `let`: a map from name to expression; a name may use the others, in no circle. The values of parameters are names too. */
function readLets(
  source: Source,
  entry: MapEntry | undefined,
  parameters: readonly Let[],
  meaning: Record<string, Json>,
): Let[] {
  if (parameters.length > 0) {
    const own = typeof meaning.let === 'object' && meaning.let !== null ? meaning.let : {};
    meaning.let = { ...Object.fromEntries(parameters.map((p) => [p.name, p.expression.text])), ...own };
  }
  if (!entry) return [];
  if (entry.node.t !== 'map' || entry.node.entries.length > MAX_LETS) {
    source.error('type', entry.node.range, `\`let\` is a map of at most ${MAX_LETS} names and expressions`);
    return [];
  }
  const lets: Let[] = [];
  for (const item of entry.node.entries) {
    const expression = readExpression(source, item.node, `\`${item.key}\``);
    if (RESERVED.has(item.key) || !isName(item.key)) {
      source.error(
        'name',
        item.keyRange,
        `\`${item.key}\` is no free name: letters, digits and _, and no variable of the language`,
      );
    } else if (parameters.some((parameter) => parameter.name === item.key)) {
      source.error('name', item.keyRange, `\`${item.key}\` is a parameter already`);
    } else if (expression) {
      checkSyntax(source, expression);
      lets.push({ name: item.key, expression });
    }
  }
  for (const circle of circlesOf([...parameters, ...lets])) {
    const at = entry.node.entries.find((item) => item.key === circle[0]);
    source.error(
      'circular',
      at?.keyRange ?? entry.keyRange,
      `\`${circle[0]}\` stands for itself: ${[...circle, circle[0]].join(' → ')}`,
    );
  }
  return lets;
}

export function isName(text: string): boolean {
  return (
    [...text].every(
      (c, i) =>
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_' || (i > 0 && c >= '0' && c <= '9'),
    ) && text !== ''
  );
}

function checkSyntax(source: Source, { text, range, at }: Expression): void {
  const parsed = parseCel(text);
  if (!('problem' in parsed)) return;
  const start = at === null ? range.start : at + parsed.problem.offset;
  source.error('cel-syntax', { start, end: start + 1 }, parsed.problem.message);
}

function readRules(
  source: Source,
  entry: MapEntry | undefined,
  mode: Mode,
  lets: readonly Let[],
  checks: ReadonlyMap<string, CheckDeclaration>,
) {
  if (!entry) return [];
  if (entry.node.t !== 'list') {
    source.error('type', entry.node.range, '`rules` must be a list');
    return [];
  }
  if (entry.node.items.length > MAX_RULES) {
    source.error('too-many', entry.keyRange, `more than ${MAX_RULES} rules`);
    return [];
  }
  const seen = new Set<string>();
  return entry.node.items.flatMap((item) => {
    const rule = readRule(source, item, mode, lets, checks);
    if (!rule) return [];
    if (seen.has(rule.id)) {
      source.report('error', 'duplicate-id', rule.range, `two rules are called \`${rule.id}\``, {
        subject: rule.id,
      });
      return [];
    }
    seen.add(rule.id);
    return [rule];
  });
}

export function readBoolean(
  source: Source,
  entry: MapEntry | undefined,
  what: string,
  fallback: boolean,
): boolean {
  if (!entry) return fallback;
  const value = toJson(entry.node);
  if (typeof value === 'boolean') return value;
  source.error('type', entry.node.range, `${what} must be true or false`);
  return fallback;
}

/** A CEL expression: text, or a bare true, false or number. */
export function readExpression(source: Source, node: SourceNode, what: string): Expression | null {
  if (node.t === 'scalar' && node.value !== null) {
    return { text: String(node.value), range: node.range, at: node.literalAt };
  }
  source.error('type', node.range, `${what} must be a CEL expression`);
  return null;
}
