// Compiles `handoff`: the contract between the agent that hands over and the one that receives. Pure.
import type { HandoffClause } from './document.ts';
import { globMatches } from './pattern.ts';
import type { HandoffPlan } from './program.ts';
import { compileSchema } from './schema/schema.ts';
import type { Source } from './source.ts';
import { showViolations } from './tool.ts';
import type { Evaluate } from './view.ts';

export function compileHandoff(
  source: Source,
  range: { readonly start: number; readonly end: number },
  clause: HandoffClause,
  proven: Evaluate | null,
): HandoffPlan {
  const schema = clause.input === null ? null : compileSchema(clause.input, 'handoff', source.engines);
  for (const problem of schema?.problems ?? [])
    source.report('error', 'schema', range, `${problem.path}: ${problem.message}`, {
      suggestion: problem.suggestion,
    });
  const allow = clause.allow === null ? null : [...clause.allow];
  return {
    receivers:
      allow === null ? null : (from) => allow.flatMap(([glob, to]) => (globMatches(glob, from) ? to : [])),
    checkInput: schema === null ? null : (args) => showViolations(schema, args),
    proven,
    settled: clause.settled,
  };
}
