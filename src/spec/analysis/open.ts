// What a spec leaves open: tools without a rule, effects without a limit. Notes, not mistakes. Pure.
import type { SpecDocument, ToolContract } from '../document.ts';
import type { Program } from '../program.ts';
import { type Finding, findingAt } from './finding.ts';
import type { Subject } from './fires.ts';
import { holds } from './formula.ts';
import { covers, isAbout, placesOf } from './reach.ts';

export function openTools(subjects: readonly Subject[], document: SpecDocument, program: Program): Finding[] {
  return [...document.tools.values()].flatMap((tool): Finding[] => {
    const { name, source, range } = tool;
    if (!document.rules.some((rule) => isAbout(rule, tool)) && !isLookedFor(program, name))
      return [
        findingAt('uncovered-tool', source, range, name, `no rule is about \`${name}\` (${effectOf(tool)})`),
      ];
    if (!isEffect(tool) || subjects.some((subject) => restrains(subject, tool, document))) return [];
    return [
      findingAt(
        'unlimited-effect',
        source,
        range,
        name,
        `\`${name}\` (${effectOf(tool)}) has no enforced \`limit\`, and no rule holds its calls for a person`,
      ),
    ];
  });
}

/** Whether the history of some rule is about its calls or results. */
function isLookedFor(program: Program, name: string): boolean {
  return (['tool.call', 'tool.result'] as const).some(
    (kind) => program.viewsFor(kind, name).length + program.sharedViewsFor(kind, name).length > 0,
  );
}

function isEffect(tool: ToolContract): boolean {
  return tool.effect !== 'read' || !tool.reversible;
}

function effectOf({ effect, reversible }: ToolContract): string {
  return reversible ? effect : `${effect}, irreversible`;
}

/** A limit, a hold, or a plain refusal: a condition on one call need not say how many there may be. */
function restrains({ rule, plan, fires }: Subject, tool: ToolContract, document: SpecDocument): boolean {
  if (plan.mode !== 'enforce') return false;
  const pattern = {
    kind: 'tool.call',
    attempts: false,
    name: { t: 'glob', glob: tool.name },
    text: '',
  } as const;
  const place = placesOf([pattern], document.tools)[0]!;
  if (!covers(rule.on, place)) return false;
  return (
    rule.form.t === 'limit' || plan.verdict === 'hold' || (rule.form.t === 'deny' && holds(fires(place)))
  );
}
