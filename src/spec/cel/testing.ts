// Compiles and runs one expression for the tests of this room.

import type { Json } from '../../step/types.ts';
import { ENGINES } from '../engines/all.ts';
import { DYN, type Type } from '../schema/type.ts';
import { BUDGET_SLOT, compileExpr, Scope } from './compile.ts';
import { locate } from './locate.ts';
import { parseCel } from './parse.ts';
import type { Frame, Value } from './value.ts';

const FIRST_SLOT = 16;

export interface Tried {
  readonly type: Type;
  /** `code word → suggestion` of each problem, the word as it stands in the source; warnings begin with `?`. */
  readonly problems: readonly string[];
  /** Where each points, null for nowhere. */
  readonly offsets: readonly (number | null)[];
  run(): Value;
}

/** @throws Error when the text is no CEL. */
export function tried(
  source: string,
  variables: Readonly<Record<string, Json>> = {},
  types: Readonly<Record<string, Type>> = {},
): Tried {
  const parsed = parseCel(source);
  if ('problem' in parsed) throw new Error(`${parsed.problem.offset}: ${parsed.problem.message}`);
  const names = Object.keys(variables);
  const problems: string[] = [];
  const offsets: (number | null)[] = [];
  let next = FIRST_SLOT + names.length;
  const scope = Scope.root(
    {
      engines: ENGINES,
      nextSlot: () => next++,
      problem({ code, expr, word, suggestion, severity }) {
        const place = locate(source, expr, word);
        const at = place === null ? 'nowhere' : source.slice(place.offset, place.offset + place.length);
        const mark = severity === 'warning' ? '?' : '';
        problems.push(`${mark}${code} ${at}${suggestion === undefined ? '' : ` → ${suggestion}`}`);
        offsets.push(place?.offset ?? null);
      },
    },
    Object.fromEntries(names.map((name, i) => [name, [FIRST_SLOT + i, types[name] ?? DYN] as const])),
  );
  const compiled = compileExpr(parsed.expr, scope);
  return {
    type: compiled.type,
    problems,
    offsets,
    run() {
      const frame: Frame = new Array<Value>(next).fill(null);
      for (const [i, name] of names.entries()) frame[FIRST_SLOT + i] = variables[name] as Value;
      frame[BUDGET_SLOT] = 0;
      return compiled.eval(frame);
    },
  };
}
