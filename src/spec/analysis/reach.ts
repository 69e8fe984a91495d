// Which steps a rule is about, as far as the spec alone says: one place per tool or name, or a whole glob. Pure.
import type { RuleClause, SpecDocument, ToolContract } from '../document.ts';
import { patternMatches, type StepPattern } from '../pattern.ts';

/** Steps that a pattern matches and that look alike to an analysis. */
export interface Place {
  readonly kind: StepPattern['kind'];
  /** The steps' one name, or null: all that `glob` matches. */
  readonly name: string | null;
  readonly glob: string;
  /** The contract of the tool, when there is one of that name. */
  readonly tool: ToolContract | null;
}

type Tools = SpecDocument['tools'];

/** Every place of the patterns; none: no step can ever match. */
export function placesOf(patterns: readonly StepPattern[], tools: Tools): Place[] {
  return patterns.flatMap(({ kind, name }): Place[] => {
    if (name.t === 'effect')
      return [...tools.values()]
        .filter((tool) => tool.effect === name.effect)
        .map((tool) => ({ kind, name: tool.name, glob: tool.name, tool }));
    const { glob } = name;
    if (glob.includes('*') || glob.includes('?')) return [{ kind, name: null, glob, tool: null }];
    return [{ kind, name: glob, glob, tool: tools.get(glob) ?? null }];
  });
}

/** Whether the patterns surely match every step of the place. */
export function covers(patterns: readonly StepPattern[], place: Place): boolean {
  return patterns.some((pattern) => {
    if (place.name !== null)
      return patternMatches(pattern, place.kind, place.name, place.tool?.effect ?? null);
    if (pattern.kind !== place.kind || pattern.name.t !== 'glob') return false;
    return pattern.name.glob === place.glob || pattern.name.glob === '*';
  });
}

/** Whether the rule speaks of calls or results of the tool. */
export function isAbout(rule: RuleClause, tool: ToolContract): boolean {
  const owed = rule.form.t === 'obligation' ? [rule.form.obligation.due] : [];
  return [...rule.on, ...owed].some(
    (pattern) =>
      (pattern.kind === 'tool.call' || pattern.kind === 'tool.result') &&
      patternMatches(pattern, pattern.kind, tool.name, tool.effect),
  );
}
