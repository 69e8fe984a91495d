// Rules that cannot fire, and guards that make no difference. Pure.
import type { Expression, RuleClause } from '../document.ts';
import { Conditions } from './conditions.ts';
import { type Finding, findingAt } from './finding.ts';
import type { Subject } from './fires.ts';
import { type Formula, holds, never } from './formula.ts';

/** Null when nothing proves that it never fires. */
export function vacuous({ rule, places, fires }: Subject): Finding | null {
  const find = (range: RuleClause['range'], why: string) =>
    findingAt('vacuous-rule', rule.source, range, rule.id, `\`${rule.id}\` can never fire: ${why}`);
  if (places.length === 0 && rule.on.length > 0)
    return find(rule.onRange, `no declared tool has the effect that \`${rule.on[0]!.text}\` asks for`);
  if (places.length === 0 || !places.every((place) => never(fires(place)))) return null;
  const everywhere = (expression: Expression, negated: boolean) =>
    places.every((place) => never(new Conditions(rule, place).notFalse(expression, negated)));
  if (rule.when !== null && everywhere(rule.when, false)) return find(rule.when.range, '`when` never holds');
  if (rule.unless !== null && everywhere(rule.unless, true))
    return find(rule.unless.range, '`unless` always holds');
  const { form } = rule;
  if (form.t === 'require' && everywhere(form.expression, true))
    return find(form.expression.range, 'what it requires always holds');
  if ((form.t === 'deny' || form.t === 'hold') && form.expression && everywhere(form.expression, false))
    return find(form.expression.range, `what \`${form.t}\` asks for never holds`);
  return find(rule.range, 'its conditions exclude one another');
}

/** `when` that always holds, `unless` that never does. */
export function idleGuards({ rule, places }: Subject): Finding[] {
  const findings: Finding[] = [];
  const always = (formula: (conditions: Conditions) => Formula) =>
    places.length > 0 && places.every((place) => holds(formula(new Conditions(rule, place))));
  for (const [name, expression, idle] of [
    ['when', rule.when, false],
    ['unless', rule.unless, true],
  ] as const) {
    // That it is never false (or never true) whatever its atoms are: then the rule applies with it as without.
    if (expression === null || !always((conditions) => conditions.notFalse(expression, idle))) continue;
    const said = name === 'when' ? 'never keeps the rule from applying' : 'never exempts a step';
    findings.push(
      findingAt(
        'constant-condition',
        rule.source,
        expression.range,
        rule.id,
        `\`${name}\` of \`${rule.id}\` ${said}; the rule means the same without it`,
      ),
    );
  }
  return findings;
}
