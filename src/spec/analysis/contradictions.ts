// Rules that together cannot be satisfied: every step of a kind refused by one or the other, or a step that one rule
// needs and another always refuses. Pure.

import type { SpecDocument } from '../document.ts';
import { conjuncts, narrowedPast, pastCall, stringConstant } from '../free.ts';
import { parsePattern, type StepPattern } from '../pattern.ts';
import { treeOf } from './conditions.ts';
import { type Finding, findingAt } from './finding.ts';
import { type Subject, stops } from './fires.ts';
import { eitherHolds, holds } from './formula.ts';
import { covers, type Place, placesOf } from './reach.ts';

export function contradictions(subjects: readonly Subject[], tools: SpecDocument['tools']): Finding[] {
  const stopping = subjects.filter((subject) => stops(subject) && onStep(subject));
  return [...exhaustive(stopping), ...subjects.flatMap((subject) => unmeetable(subject, stopping, tools))];
}

/** Whether it fires on the very steps that it matches. */
function onStep({ rule }: Subject): boolean {
  return rule.form.t !== 'obligation' && rule.form.t !== 'transform';
}

/** Two rules, neither of which refuses every step, that between them do. */
function exhaustive(stopping: readonly Subject[]): Finding[] {
  const findings: Finding[] = [];
  for (const [i, later] of stopping.entries()) {
    for (const earlier of stopping.slice(0, i)) {
      const place = [...later.places, ...earlier.places].find(
        (at) =>
          covers(later.rule.on, at) &&
          covers(earlier.rule.on, at) &&
          !holds(later.fires(at)) &&
          !holds(earlier.fires(at)) &&
          eitherHolds(later.fires(at), earlier.fires(at)),
      );
      if (place === undefined) continue;
      const { id, source, range } = later.rule;
      const steps = `${wordFor(place)} ${place.glob}`;
      findings.push(
        findingAt(
          'contradictory-rules',
          source,
          range,
          id,
          `no \`${steps}\` can satisfy both \`${earlier.rule.id}\` and \`${id}\``,
          earlier.rule,
        ),
      );
      break;
    }
  }
  return findings;
}

function wordFor(place: Place): string {
  return place.kind === 'tool.call' ? 'call' : place.kind === 'tool.result' ? 'result' : place.kind;
}

/** Steps that the rule waits for, though another rule always refuses them. */
function unmeetable(subject: Subject, stopping: readonly Subject[], tools: SpecDocument['tools']): Finding[] {
  return neededBy(subject).flatMap(({ pattern, words }) => {
    // A result needs a call that is let through.
    const asCall: StepPattern = pattern.kind === 'tool.result' ? { ...pattern, kind: 'tool.call' } : pattern;
    const places = asCall.kind === 'tool.call' && !asCall.attempts ? placesOf([asCall], tools) : [];
    const refusers = places.map((place) =>
      stopping.find(
        (other) => other !== subject && covers(other.rule.on, place) && holds(other.fires(place)),
      ),
    );
    const refuser = refusers[0];
    if (refuser === undefined || !refusers.every((other) => other !== undefined)) return [];
    const { id, source, range } = subject.rule;
    return [
      findingAt(
        'contradictory-rules',
        source,
        range,
        id,
        `\`${id}\` ${words} \`${pattern.text}\`, and \`${refuser.rule.id}\` refuses every such call`,
        refuser.rule,
      ),
    ];
  });
}

function neededBy({ rule }: Subject): { pattern: StepPattern; words: string }[] {
  const { form } = rule;
  if (form.t === 'obligation') return [{ pattern: form.obligation.due, words: 'makes owed' }];
  if (form.t === 'order')
    return [...form.order.states.values()]
      .flat()
      .map(({ pattern }) => ({ pattern, words: 'has a place for' }));
  if (form.t !== 'require') return [];
  const tree = treeOf(rule, form.expression);
  return (tree === null ? [] : conjuncts(tree)).flatMap((part) => {
    const past = narrowedPast(part);
    const call = past === null ? null : pastCall(past.past);
    const parsed = call?.operator === 'exists' ? parsePattern(stringConstant(call.args[0]) ?? '') : null;
    return parsed !== null && 'pattern' in parsed ? [{ pattern: parsed.pattern, words: 'requires' }] : [];
  });
}
