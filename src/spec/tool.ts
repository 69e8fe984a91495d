// Compiles a tool's contract: argument check, output annotations, the `tool` variable. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import { type FieldAnnotations, readAnnotations } from './annotations.ts';
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
  collectLabels(annotations, labels);
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
  const compiled = compileSchema(schema, `${contract.name}.${what}`);
  for (const problem of compiled.problems) {
    source.report('error', 'schema', contract.range, `${problem.path}: ${problem.message}`, {
      suggestion: problem.suggestion,
      subject: contract.name,
    });
  }
  return compiled;
}

const SHOWN_VIOLATIONS = 3;

function showViolations(schema: CompiledSchema, args: JsonObject): string | null {
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

function collectLabels(annotations: FieldAnnotations | null | undefined, into: Set<string>): void {
  if (!annotations) return;
  for (const label of annotations.labels ?? []) into.add(label);
  for (const field of annotations.fields?.values() ?? []) collectLabels(field, into);
  collectLabels(annotations.items, into);
  collectLabels(annotations.others, into);
}

/** Whether any field is untrusted, its own word over what it inherits. */
function hasUntrusted(annotations: FieldAnnotations | null | undefined, inherited: boolean): boolean {
  if (!annotations) return inherited;
  const here = annotations.trust === undefined ? inherited : annotations.trust === 'untrusted';
  const below = [...(annotations.fields?.values() ?? []), annotations.items, annotations.others].filter(
    (child) => child !== undefined,
  );
  return below.length === 0 ? here : below.some((child) => hasUntrusted(child, here));
}
