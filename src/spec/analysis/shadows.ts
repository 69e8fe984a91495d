// Rules that another rule makes needless: taking one of them away never changes a session's verdict. Pure.
import { type Finding, findingAt } from './finding.ts';
import { asStrict, type Subject, sameTerms } from './fires.ts';
import { implies } from './formula.ts';
import { covers } from './reach.ts';

/** At most one finding per rule; `subjects` are in the order of the spec and can fire. */
export function shadows(subjects: readonly Subject[]): Finding[] {
  const needless = new Set<Subject>();
  const findings: Finding[] = [];
  // The later of two that mean the same is the one to go; a rule that is to go makes no other needless.
  for (const rule of [...subjects].reverse()) {
    for (const other of subjects) {
      if (other === rule || needless.has(other) || !mayReplace(other, rule)) continue;
      const within = firesWithin(rule, other);
      if (!within) continue;
      const same = sameTerms(rule, other) && firesWithin(other, rule);
      if (!same && !replaces(other, rule)) continue;
      needless.add(rule);
      const { id, source, range } = rule.rule;
      findings.push(
        same
          ? findingAt(
              'duplicate-rule',
              source,
              range,
              id,
              `\`${id}\` means the same as \`${other.rule.id}\``,
              other.rule,
            )
          : findingAt(
              'shadowed-rule',
              source,
              range,
              id,
              `wherever \`${id}\` fires, \`${other.rule.id}\` fires too and is as strict; \`${id}\` changes no verdict`,
              other.rule,
            ),
      );
      break;
    }
  }
  return findings.reverse();
}

/** Cheap conditions first. A rule that covers undeclared tools must leave them covered. */
function mayReplace(other: Subject, rule: Subject): boolean {
  if (rule.rule.form.t === 'transform' || other.rule.form.t === 'transform') return false;
  if ((rule.rule.form.t === 'obligation') !== (other.rule.form.t === 'obligation')) return false;
  return (
    asStrict(other, rule) &&
    (other.plan.covers || !rule.plan.covers) &&
    rule.places.length > 0 &&
    rule.places.every((place) => covers(other.rule.on, place))
  );
}

/** Equal obligations only: they fire on other steps than those that they match. */
function replaces(other: Subject, rule: Subject): boolean {
  if (rule.rule.form.t === 'obligation') return false;
  // An approval answers the rules that held then: what holds more seldom may be asked for again.
  return !(rule.plan.verdict === 'hold' && other.plan.verdict === 'hold' && rule.plan.mode === 'enforce');
}

function firesWithin(rule: Subject, other: Subject): boolean {
  return rule.places.every((place) => {
    if (!covers(other.rule.on, place)) return false;
    return implies(rule.fires(place), other.fires(place));
  });
}
