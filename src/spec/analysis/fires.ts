// When each rule fires at a place, and how hard it is then. Pure.
import type { Expression, LimitClause, RuleClause, SpecDocument } from '../document.ts';
import type { Program, RulePlan } from '../program.ts';
import { MODES } from '../terms.ts';
import { Conditions, loops, textOf } from './conditions.ts';
import { all, type Formula, literal, NO, YES } from './formula.ts';
import { type Place, placesOf } from './reach.ts';

export interface Subject {
  readonly rule: RuleClause;
  readonly plan: RulePlan;
  readonly places: readonly Place[];
  /** When it fires on a step of the place; for an obligation, when such a step may make something owed. */
  fires(place: Place): Formula;
}

/** The rules that give verdicts. */
export function subjectsOf(document: SpecDocument, program: Program): Subject[] {
  return document.rules
    .filter((rule) => rule.form.t !== 'metric')
    .map((rule, index) => {
      const plan = program.rules[index]!;
      const known = new Map<string, Formula>();
      return {
        rule,
        plan,
        places: placesOf(rule.on, document.tools),
        fires(place) {
          const key = `${place.kind} ${place.glob}`;
          let formula = known.get(key);
          if (formula === undefined) {
            formula = firing(rule, place);
            known.set(key, formula);
          }
          return formula;
        },
      };
    });
}

function firing(rule: RuleClause, place: Place): Formula {
  const conditions = new Conditions(rule, place);
  const applies = [
    rule.when === null ? YES : conditions.notFalse(rule.when, false),
    rule.unless === null ? YES : conditions.notFalse(rule.unless, true),
  ];
  return all([...applies, forbidden(rule, conditions)]);
}

/** What the form of the rule does not let pass. */
function forbidden(rule: RuleClause, conditions: Conditions): Formula {
  const { form } = rule;
  switch (form.t) {
    case 'require':
      return conditions.notFalse(form.expression, true);
    case 'deny':
      return conditions.notFalse(form.expression, false);
    case 'hold':
      return form.expression === null ? YES : conditions.notFalse(form.expression, false);
    case 'check':
      return conditions.notFalse(form.check.proof, true);
    case 'transform':
      return YES;
    case 'limit':
      return limited(rule, form.limit);
    case 'metric':
      return NO;
    default:
      return literal({ t: 'whole', term: meaningOf(rule) }, false);
  }
}

/** Limits that count the same differ in their maximum only: the fuller one fires first. */
function limited(rule: RuleClause, limit: LimitClause): Formula {
  const counted = JSON.stringify([
    'limit',
    rule.on.map((pattern) => pattern.text).sort(),
    textOf(rule, rule.when),
    textOf(rule, rule.unless),
    textOf(rule, limit.sum),
    textOf(rule, limit.per),
    limit.windowMs,
    limit.by,
    // Sessions that share a limit count each rule's calls in one place.
    limit.of === 'session' ? limit.of : rule.id,
  ]);
  return literal({ t: 'order', term: counted, order: '>', bound: limit.count ?? limit.max! }, false);
}

/** The forms that are taken whole: equal text, equal meaning. */
function meaningOf(rule: RuleClause): string {
  const { form } = rule;
  switch (form.t) {
    case 'flow': {
      const { from, track, free } = form.flow;
      return JSON.stringify(['flow', from, track, lookedAt(rule, form.flow.in), free]);
    }
    case 'order':
      return JSON.stringify(['order', form.order.start, [...form.order.states]]);
    case 'handoff': {
      const { allow, input, proven, settled } = form.handoff;
      return JSON.stringify(['handoff', allow && [...allow], input, lookedAt(rule, proven), settled]);
    }
    case 'obligation': {
      const { due, where, withinMs, event } = form.obligation;
      const owed = [
        rule.on.map((pattern) => pattern.text),
        textOf(rule, rule.when),
        textOf(rule, rule.unless),
      ];
      return JSON.stringify(['owed', owed, due.text, textOf(rule, where), withinMs, event?.text ?? null]);
    }
    default:
      return rule.id;
  }
}

/** With loops, what is left of the budget depends on the rule. */
function lookedAt(rule: RuleClause, expression: Expression | null): string | null {
  return loops(rule, expression) ? `${rule.id} ${expression!.text}` : textOf(rule, expression);
}

const STRICTNESS = { transform: 0, hold: 1, deny: 2, halt: 3 } as const;

/** Whether `a` is as strict as `b` when both fire, in verdict and in mode. */
export function asStrict(a: Subject, b: Subject): boolean {
  return (
    STRICTNESS[a.plan.verdict] >= STRICTNESS[b.plan.verdict] &&
    MODES.indexOf(a.plan.mode) >= MODES.indexOf(b.plan.mode)
  );
}

export function sameTerms(a: Subject, b: Subject): boolean {
  return (
    a.plan.verdict === b.plan.verdict &&
    a.plan.mode === b.plan.mode &&
    (a.plan.verdict !== 'hold' || JSON.stringify(a.plan.approve) === JSON.stringify(b.plan.approve))
  );
}

/** Whether it stops what it fires on, and no approval lifts that. */
export function stops({ plan }: Subject): boolean {
  return plan.mode === 'enforce' && (plan.verdict === 'deny' || plan.verdict === 'halt');
}
