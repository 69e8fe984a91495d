// Why a step got its verdict: each rule that was asked, and for one that fired which part of its condition, on what values
// and because of which steps. The parts are asked as rules of their own, in shadow, in a spec made for the purpose. Pure.
import type { SharedHistory } from '../monitor/history.ts';
import type { Decision, RuleOutcome, Witness } from '../monitor/types.ts';
import { parseCel } from '../spec/cel/parse.ts';
import { pathsFrom } from '../spec/free.ts';
import { type CompiledSpec, compileSpec } from '../spec/index.ts';
import { splitCondition } from '../spec/split.ts';
import type { Json, JsonObject, Step } from '../step/types.ts';
import { replaySpec, replaySteps } from './replay.ts';

export interface ExplainedPart {
  readonly text: string;
  /** Whether it speaks for the step; `absent` and `error`: it could not be decided. */
  readonly outcome: 'holds' | 'fails' | 'absent' | 'error';
  /** Why it could not be decided. */
  readonly detail: string | null;
  /** What it read of the step itself, by path. */
  readonly values: readonly (readonly [path: string, value: Json | undefined])[];
  readonly witness: readonly Witness[];
}

export interface ExplainedRule {
  readonly outcome: RuleOutcome;
  /** Empty for rules whose form has no condition to take apart. */
  readonly parts: readonly ExplainedPart[];
}

export interface Explanation {
  readonly step: Step;
  readonly decision: Decision;
  /** Rules that fired, strictest first. */
  readonly fired: readonly ExplainedRule[];
  /** Rules that were asked and had nothing to say. */
  readonly satisfied: readonly string[];
}

/** Null when the session has no such step. `history` is what sessions before it share. */
export function explainStep(
  spec: CompiledSpec,
  steps: readonly Step[],
  seq: number,
  history?: SharedHistory,
): Explanation | null {
  const parted = withParts(spec);
  let explained: Explanation | null = null;
  for (const { step, decision } of replaySteps(replaySpec(parted.spec), steps.slice(0, seq + 1), history))
    if (step.seq === seq) explained = explanationOf(spec, step, decision, parted.parts);
  return explained;
}

interface Part {
  readonly id: string;
  readonly text: string;
}

function explanationOf(
  spec: CompiledSpec,
  step: Step,
  whole: Decision,
  parts: ReadonlyMap<string, readonly Part[]>,
): Explanation {
  const own = new Set([...parts.values()].flatMap((list) => list.map(({ id }) => id)));
  const rules = whole.rules.filter(({ rule }) => !own.has(rule));
  const partOutcomes = new Map(whole.rules.map((outcome) => [outcome.rule, outcome]));
  const fired = rules.map((outcome) => {
    // A `require` is kept where its parts are satisfied, a `deny` where none of them is true.
    const form = spec.program.rules.find(({ id }) => id === outcome.rule)?.form.t;
    return {
      outcome,
      parts: (parts.get(outcome.rule) ?? []).map(({ id, text }) =>
        partOf(text, partOutcomes.get(id), form === 'require', step),
      ),
    };
  });
  const names = new Set(rules.map(({ rule }) => rule));
  const asked = spec.program.rulesFor(step.kind, step.name).map(({ id }) => id);
  const decision = { ...whole, rules, spec: spec.digest };
  return { step, decision, fired, satisfied: asked.filter((id) => !names.has(id)) };
}

function partOf(
  text: string,
  outcome: RuleOutcome | undefined,
  isRequired: boolean,
  step: Step,
): ExplainedPart {
  const isUndecided = outcome !== undefined && outcome.cause !== 'violated';
  return {
    text,
    outcome: isUndecided
      ? (outcome.cause as 'absent' | 'error')
      : (outcome === undefined) === isRequired
        ? 'holds'
        : 'fails',
    detail: isUndecided ? outcome.because : null,
    values: valuesIn(text, step),
    witness: outcome?.witness ?? [],
  };
}

const READ = ['args', 'result', 'content', 'attributes', 'principal'] as const;

/** What a condition reads of the step itself. */
function valuesIn(text: string, step: Step): [string, Json | undefined][] {
  const parsed = parseCel(text);
  if ('problem' in parsed) return [];
  const found = new Map<string, Json | undefined>();
  for (const name of READ)
    for (const path of pathsFrom(name, parsed.expr))
      found.set([name, ...path].join('.'), at(step[name], path));
  return [...found];
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  let found = value;
  for (const field of path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    found = (found as JsonObject)[field];
  }
  return found;
}

/** The spec with each part of each condition as a rule of its own, in shadow. Its verdicts are those of the spec. */
function withParts(spec: CompiledSpec): { spec: CompiledSpec; parts: ReadonlyMap<string, readonly Part[]> } {
  const parts = new Map<string, Part[]>();
  const meaning = addParts(JSON.parse(spec.canonical) as JsonObject, '', parts);
  const compiled = compileSpec(JSON.stringify(meaning), { file: spec.name });
  // A part that does not stand alone leaves the rules whole.
  return compiled.ok ? { spec: compiled.spec, parts } : { spec, parts: new Map() };
}

function addParts(meaning: JsonObject, prefix: string, parts: Map<string, Part[]>): JsonObject {
  const rules = (meaning.rules ?? []) as readonly JsonObject[];
  const added: JsonObject[] = [];
  for (const rule of rules) {
    for (const form of ['require', 'deny', 'hold'] as const) {
      const text = rule[form];
      if (typeof text !== 'string') continue;
      const pieces = splitCondition(text, form === 'require' ? '&&' : '||');
      const id = String(rule.id);
      const list = pieces.map((piece, i) => ({ id: `${id}.part-${i + 1}`, text: piece }));
      parts.set(
        `${prefix}${id}`,
        list.map((part) => ({ ...part, id: `${prefix}${part.id}` })),
      );
      const { on, when, unless, otherwise } = rule;
      for (const part of list)
        added.push({
          id: part.id,
          on: on!,
          ...(when === undefined ? {} : { when }),
          ...(unless === undefined ? {} : { unless }),
          ...(otherwise === undefined ? {} : { otherwise }),
          mode: 'shadow',
          [form === 'require' ? 'require' : 'deny']: part.text,
        });
    }
  }
  const imports = ((meaning.imports ?? []) as readonly JsonObject[]).map((item) => ({
    ...item,
    spec: addParts(item.spec as JsonObject, `${prefix}${String(item.as)}.`, parts),
  }));
  return {
    ...meaning,
    rules: [...rules, ...added],
    ...(imports.length === 0 ? {} : { imports }),
  };
}
