// The variables a rule's expressions may use, with the types that the tools' contracts give them. Pure.

import { nearest } from '../step/nearest.ts';
import { Scope, type ScopeHost } from './cel/compile.ts';
import { patternMatches, type StepPattern } from './pattern.ts';
import type { ToolPlan } from './program.ts';
import { SLOT } from './run.ts';
import { DYN, join, type Type } from './schema/type.ts';

const STRING: Type = { t: 'string' };
const STRINGS: Type = { t: 'list', of: STRING };
const AGENT: Type = object({ name: STRING, version: STRING });
const ERROR: Type = object({ message: STRING, type: STRING });
const TOOL: Type = object({
  declared: { t: 'bool' },
  name: STRING,
  effect: STRING,
  reversible: { t: 'bool' },
  trust: STRING,
  labels: STRINGS,
});
const CONTEXT: Type = object({ labels: STRINGS, untrusted: { t: 'bool' } });
const TIMESTAMP: Type = { t: 'timestamp' };

function object(fields: Readonly<Record<string, Type>>): Type {
  return {
    t: 'object',
    open: false,
    fields: new Map(Object.entries(fields).map(([name, type]) => [name, { type, required: true }])),
  };
}

/** Types of `args` and `result` for the steps that the patterns match: those of the contract when all match one tool. */
export function callTypes(
  tools: ReadonlyMap<string, ToolPlan>,
  patterns: readonly StepPattern[],
): { args: Type; result: Type } {
  const matched = matchedTools(tools, patterns);
  return {
    args: common(matched.map((tool) => tool.input)),
    result: common(matched.map((tool) => tool.output)),
  };
}

function matchedTools(tools: ReadonlyMap<string, ToolPlan>, patterns: readonly StepPattern[]): ToolPlan[] {
  return [...tools.values()].filter((tool) =>
    patterns.some((pattern) =>
      patternMatches(pattern, pattern.kind, tool.contract.name, tool.contract.effect),
    ),
  );
}

/** One type for several tools: a field is known when any of them has it. */
function common(types: readonly Type[]): Type {
  return types.length === 0 ? DYN : types.reduce((a, b) => join(a, b));
}

/** The type of the steps that a history pattern remembers. */
export function stepTypeFor(
  tools: ReadonlyMap<string, ToolPlan>,
  pattern: StepPattern,
): Type | { readonly message: string; readonly suggestion?: string } {
  let types = { args: DYN, result: DYN };
  if (pattern.kind === 'tool.call' || pattern.kind === 'tool.result') {
    if (tools.size > 0 && matchedTools(tools, [pattern]).length === 0) {
      const near = pattern.name.t === 'glob' ? nearest(pattern.name.glob, tools.keys()) : null;
      return {
        message: `\`${pattern.text}\` matches no declared tool`,
        ...(near === null ? {} : { suggestion: near }),
      };
    }
    types = callTypes(tools, [pattern]);
  }
  return object({
    ...types,
    content: STRING,
    name: STRING,
    kind: STRING,
    id: STRING,
    time: TIMESTAMP,
    labels: STRINGS,
    principal: STRING,
    agent: AGENT,
    error: ERROR,
    call: STRING,
    attributes: DYN,
  });
}

/** Names that expressions know. */
export const VARIABLES: readonly string[] = Object.keys(SLOT).filter((name) => name !== 'run');

export function rootScope(types: { args: Type; result: Type }, host: ScopeHost): Scope {
  const variables: Readonly<Record<string, readonly [number, Type]>> = {
    args: [SLOT.args, types.args],
    result: [SLOT.result, types.result],
    content: [SLOT.content, STRING],
    name: [SLOT.name, STRING],
    kind: [SLOT.kind, STRING],
    principal: [SLOT.principal, STRING],
    agent: [SLOT.agent, AGENT],
    time: [SLOT.time, TIMESTAMP],
    labels: [SLOT.labels, STRINGS],
    tool: [SLOT.tool, TOOL],
    context: [SLOT.context, CONTEXT],
    session: [SLOT.session, STRING],
    error: [SLOT.error, ERROR],
    call: [SLOT.call, STRING],
    attributes: [SLOT.attributes, DYN],
  };
  return Scope.root(host, variables);
}
