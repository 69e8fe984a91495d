// What a spec says of a tool before it is called. Which calls it could never allow, whatever their arguments and whatever
// happened before, is claimed only as far as the analysis of the spec can prove it. Pure.

import { subjectsOf } from '../../spec/analysis/fires.ts';
import { holds } from '../../spec/analysis/formula.ts';
import { covers, type Place } from '../../spec/analysis/reach.ts';
import { compileProgram } from '../../spec/compile.ts';
import { readDocument } from '../../spec/read.ts';
import { readSource } from '../../spec/read-yaml.ts';
import { Source } from '../../spec/source.ts';
import { digestText } from '../../step/digest.ts';

export interface KnownTools {
  isNever(tool: string): boolean;
  /** Declared without an effect. */
  isRead(tool: string): boolean;
}

/** Null when the text is no spec. */
export function knownTools(canonical: string): KnownTools | null {
  const source = new Source('spec', canonical);
  const root = readSource(source);
  const document =
    root === null
      ? null
      : readDocument(source, root, { readRef: undefined, path: [], given: new Map(), mode: 'enforce' });
  if (document === null) return null;
  const program = compileProgram(source, document, { canonical, digest: digestText(canonical) });
  if (program === null || source.failed) return null;
  const refusals = subjectsOf(document, program).filter(
    ({ rule, plan }) =>
      plan.mode === 'enforce' &&
      (plan.verdict === 'deny' || plan.verdict === 'halt') &&
      (rule.form.t === 'deny' || rule.form.t === 'require'),
  );
  return {
    isRead: (tool) => document.tools.get(tool)?.effect === 'read',
    isNever(tool) {
      const contract = document.tools.get(tool) ?? null;
      const place: Place = { kind: 'tool.call', name: tool, glob: tool, tool: contract };
      const unknown =
        contract === null &&
        program.mode === 'enforce' &&
        program.defaultVerdict === 'deny' &&
        !program.rulesFor('tool.call', tool).some((rule) => rule.covers);
      return unknown || refusals.some(({ rule, fires }) => covers(rule.on, place) && holds(fires(place)));
    },
  };
}
