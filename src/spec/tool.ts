// Compiles a tool's contract: argument check, output annotations, the `tool` variable. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import { type FieldAnnotations, nodesOf, readAnnotations } from './annotations.ts';
import type { ToolContract } from './document.ts';
import type { ToolPlan } from './program.ts';
import { type CompiledSchema, compileSchema } from './schema/schema.ts';
import { DYN } from './schema/type.ts';
import type { Source } from './source.ts';

export function compileTool(source: Source, contract: ToolContract): ToolPlan {
  const input = contract.input === null ? null : schemaOf(source, contract, contract.input, 'input');
  const output = contract.output === null ? null : schemaOf(source, contract, contract.output, 'output');
  const annotations = contract.output === null ? null : readAnnotations(contract.output);
  const labels = new Set(contract.labels);
  for (const node of annotations === null ? [] : nodesOf(annotations))
    for (const label of node.labels ?? []) labels.add(label);
  return {
    contract,
    input: input?.type ?? DYN,
    output: output?.type ?? DYN,
    checkInput: input === null ? null : (args: JsonObject) => showViolations(input, args),
    annotations,
    labels: [...labels],
    untrusted: hasUntrusted(annotations, contract.trust === 'untrusted'),
    value: {
      declared: true,
      name: contract.name,
      effect: contract.effect,
      reversible: contract.reversible,
      trust: contract.trust,
      labels: [...contract.labels],
    } satisfies Json,
  };
}

function schemaOf(source: Source, contract: ToolContract, schema: Json, what: string): CompiledSchema {
  const compiled = compileSchema(schema, `${contract.name}.${what}`, source.engines);
  for (const problem of compiled.problems) {
    source.report('error', 'schema', contract.range, `${problem.path}: ${problem.message}`, {
      suggestion: problem.suggestion,
      subject: contract.name,
    });
  }
  return compiled;
}

const SHOWN_VIOLATIONS = 3;

/** The first violations in words; null when the arguments are valid. */
export function showViolations(schema: CompiledSchema, args: JsonObject): string | null {
  const violations = schema.validate(args);
  if (violations === null) return null;
  return violations
    .slice(0, SHOWN_VIOLATIONS)
    .map(
      (violation) =>
        `${violation.path === '' ? 'the arguments' : violation.path}: expected ${violation.expected}, found ${violation.found}`,
    )
    .join('; ');
}

/** Whether any field is untrusted, its own word over what it inherits. */
function hasUntrusted(annotations: FieldAnnotations | null, inherited: boolean): boolean {
  if (annotations === null) return inherited;
  const nodes = [...nodesOf(annotations)];
  if (nodes.some((node) => node.trust === 'untrusted')) return true;
  return inherited && !coversAll(annotations);
}

/** Whether a schema says `trusted` of everything it describes. */
function coversAll(node: FieldAnnotations, seen = new Set<FieldAnnotations>()): boolean {
  if (node.trust === 'trusted' || seen.has(node)) return true;
  seen.add(node);
  const below = [...(node.fields?.values() ?? []), node.items, node.others].filter(
    (child) => child !== undefined,
  );
  return below.length > 0 && below.every((child) => coversAll(child, seen));
}
