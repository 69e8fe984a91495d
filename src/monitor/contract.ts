// What a tool's contract says of a call before any rule: declared at all, arguments in shape. Pure.
import type { Program, ToolPlan } from '../spec/program.ts';
import type { Step } from '../step/types.ts';
import type { RuleOutcome } from './types.ts';

/** Approval of a call that only the spec's default holds: by any reviewer, within an hour. */
const DEFAULT_APPROVE = { by: ['reviewer'], quorum: 1, notPrincipal: false, expiresMs: 3_600_000 };

export function contractOutcomes(
  program: Program,
  step: Step,
  tool: ToolPlan | undefined,
  outcomes: RuleOutcome[],
): void {
  if (step.error !== undefined) {
    outcomes.push(
      deny(
        program,
        '$arguments',
        `The arguments of ${step.name} cannot be read: ${step.error.message}`,
        'Call the tool again with arguments that are one JSON object.',
      ),
    );
    return;
  }
  if (tool === undefined) {
    if (
      program.defaultVerdict === 'allow' ||
      program.rulesFor(step.kind, step.name).some((rule) => rule.covers)
    )
      return;
    outcomes.push(undeclared(program, step));
    return;
  }
  const violation = tool.checkInput?.(step.args ?? {}) ?? null;
  if (violation !== null) {
    outcomes.push(
      deny(
        program,
        '$contract',
        `The arguments of ${step.name} do not fit its contract: ${violation}`,
        `Mend the arguments and call ${step.name} again: ${violation}`,
      ),
    );
  }
}

function undeclared(program: Program, step: Step): RuleOutcome {
  const because = `The spec ${program.name} declares no tool \`${step.name}\` and no rule covers it.`;
  if (program.defaultVerdict === 'deny')
    return deny(program, '$default', because, 'Use one of the tools that the spec declares.');
  return { ...deny(program, '$default', because, undefined), verdict: 'hold', approve: DEFAULT_APPROVE };
}

function deny(program: Program, rule: string, because: string, repair: string | undefined): RuleOutcome {
  return {
    rule,
    verdict: 'deny',
    mode: program.mode,
    cause: 'violated',
    because,
    witness: [],
    controls: [],
    ...(repair === undefined ? {} : { repair }),
  };
}
