// Reads example sessions: those in a spec, those in a file beside it, and the fixtures that both share. Pure.
import { bindParameters } from '../spec/imports.ts';
import type { CompiledSpec } from '../spec/index.ts';
import type { Problem, Range } from '../spec/problem.ts';
import { readSource } from '../spec/read-yaml.ts';
import { fieldsOf, type MapEntry, Source, type SourceNode, textsOf, toJson } from '../spec/source.ts';
import type { JsonObject, StepKind } from '../step/types.ts';

/** Acts that are one step of a kind, with what is written beside them. */
export const PLAIN_ACTS = {
  request: 'model.request',
  response: 'model.response',
  retrieval: 'retrieval',
  recall: 'memory.read',
  remember: 'memory.write',
  handoff: 'handoff',
  check: 'check',
  end: 'session.end',
} as const satisfies Record<string, StepKind>;
type PlainAct = keyof typeof PLAIN_ACTS;
const ACTS = [
  'input',
  'system',
  'call',
  'result',
  'output',
  'approve',
  'refuse',
  'wait',
  'session',
  'use',
  ...(Object.keys(PLAIN_ACTS) as PlainAct[]),
] as const;
const STEP_KEYS = [
  ...ACTS,
  'args',
  'attributes',
  'id',
  'value',
  'content',
  'error',
  'expect',
  'rule',
  'by',
  'role',
];

/** Steps that one example may have, with those of its fixtures. */
const MAX_STEPS = 10_000;

/** A file that holds examples. */
export interface TestFile {
  readonly file: string;
  readonly text: string;
}

/** One step of an example as written. */
export interface Act {
  readonly act: (typeof ACTS)[number];
  readonly fields: ReadonlyMap<string, MapEntry>;
  readonly source: Source;
  /** Of the example's own step: that of `use` for what a fixture has. */
  readonly index: number;
}

export interface ExampleClause {
  readonly name: string;
  readonly principal: string | undefined;
  readonly agent: string | undefined;
  /** Of the steps that do not say their own. */
  readonly attributes: JsonObject | undefined;
  readonly acts: readonly Act[];
  readonly source: Source;
  readonly range: Range;
}

interface Fixture {
  readonly source: Source;
  readonly items: readonly SourceNode[];
}

/** The examples of the spec, then those beside it. Problems stand in `problems`. */
export function readExamples(
  spec: CompiledSpec,
  own: TestFile,
  beside: TestFile | null,
  problems: Problem[],
): ExampleClause[] {
  const source = new Source(own.file, own.text, problems);
  const fixtures = new Map<string, Fixture>();
  readFixtures(source, ownFixtures(own), fixtures);
  const lists: { source: Source; node: SourceNode }[] = [];
  if (spec.tests !== null) lists.push({ source, node: spec.tests });
  if (beside !== null) {
    const other = new Source(beside.file, beside.text, problems);
    const root = readSource(other);
    const fields = root?.t === 'map' ? fieldsOf(other, root, 'a file of tests', ['tests', 'fixtures']) : null;
    readFixtures(other, fields?.get('fixtures')?.node ?? null, fixtures);
    const node = root?.t === 'map' ? fields?.get('tests')?.node : root;
    if (node) lists.push({ source: other, node });
  }
  return lists.flatMap((list) => {
    if (list.node.t === 'list')
      return list.node.items.flatMap((node) => readExample(list.source, node, fixtures) ?? []);
    list.source.error('type', list.node.range, '`tests` must be a list of example sessions');
    return [];
  });
}

/** The spec's own fixtures, its parameters in their place; what is wrong with the spec was said when it was compiled. */
function ownFixtures({ file, text }: TestFile): SourceNode | null {
  const source = new Source(file, text);
  const whole = readSource(source);
  if (whole === null) return null;
  const { root } = bindParameters(source, whole, new Map());
  return (root.t === 'map' && root.entries.find((entry) => entry.key === 'fixtures')?.node) || null;
}

function readFixtures(source: Source, node: SourceNode | null, into: Map<string, Fixture>): void {
  if (node === null) return;
  if (node.t !== 'map') {
    source.error('type', node.range, '`fixtures` maps names to lists of steps');
    return;
  }
  for (const { key, keyRange, node: steps } of node.entries) {
    if (steps.t !== 'list') source.error('type', steps.range, `fixture \`${key}\` must be a list of steps`);
    else if (into.has(key)) source.error('duplicate-id', keyRange, `two fixtures are called \`${key}\``);
    else into.set(key, { source, items: steps.items });
  }
}

function readExample(
  source: Source,
  node: SourceNode,
  fixtures: ReadonlyMap<string, Fixture>,
): ExampleClause | null {
  const fields = fieldsOf(source, node, 'a test', ['name', 'principal', 'agent', 'attributes', 'steps']);
  const nameEntry = fields?.get('name');
  const stepsEntry = fields?.get('steps');
  if (!fields || !nameEntry || stepsEntry?.node.t !== 'list') {
    if (fields) source.error('test', node.range, 'a test needs a `name` and a list of `steps`');
    return null;
  }
  const acts: Act[] = [];
  stepsEntry.node.items.forEach((item, index) => {
    const act = readAct(source, item, index);
    if (act?.act !== 'use') {
      if (act !== null) acts.push(act);
      return;
    }
    for (const fixture of usedBy(act, fixtures))
      for (const used of fixture.items) {
        const inner = readAct(fixture.source, used, index);
        if (inner?.act === 'use')
          fixture.source.error('test', used.range, 'a fixture is a list of steps; it does not use another');
        else if (inner !== null) acts.push(inner);
      }
  });
  if (acts.length > MAX_STEPS)
    source.error('too-many', nameEntry.node.range, `an example has at most ${MAX_STEPS} steps`);
  return {
    name: String(toJson(nameEntry.node)),
    principal: optionalText(fields.get('principal')),
    agent: optionalText(fields.get('agent')),
    attributes: optionalMap(source, fields.get('attributes')),
    acts: acts.slice(0, MAX_STEPS),
    source,
    range: node.range,
  };
}

function readAct(source: Source, node: SourceNode, index: number): Act | null {
  const fields = fieldsOf(source, node, 'a step of a test', STEP_KEYS);
  if (!fields) return null;
  const acts = ACTS.filter((act) => fields.has(act));
  if (acts.length === 1) return { act: acts[0]!, fields, source, index };
  source.error('test', node.range, `a step of a test has exactly one of ${ACTS.join(', ')}`);
  return null;
}

function usedBy({ source, fields }: Act, fixtures: ReadonlyMap<string, Fixture>): Fixture[] {
  const { node } = fields.get('use')!;
  for (const [key, { keyRange }] of fields)
    if (key !== 'use') source.error('test', keyRange, `\`${key}\` does not go with \`use\``);
  return textsOf(source, node, '`use`').flatMap((name) => {
    const fixture = fixtures.get(name);
    if (fixture === undefined) {
      const known = [...fixtures.keys()].join(', ');
      source.error(
        'test',
        node.range,
        `there is no fixture \`${name}\`${known === '' ? '' : `; there are ${known}`}`,
      );
      return [];
    }
    return [fixture];
  });
}

/** Attributes as written; a problem when they are no map. */
export function optionalMap(source: Source, entry: MapEntry | undefined): JsonObject | undefined {
  if (entry === undefined) return undefined;
  if (entry.node.t === 'map') return toJson(entry.node) as JsonObject;
  source.error('type', entry.node.range, `\`${entry.key}\` is a map of values`);
  return undefined;
}

export function optionalText(entry: MapEntry | undefined): string | undefined {
  const value = entry ? toJson(entry.node) : undefined;
  return typeof value === 'string' ? value : undefined;
}
