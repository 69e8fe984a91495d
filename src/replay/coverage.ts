// What example sessions exercise of a spec: which rules were asked, satisfied and fired, which tools were called. Pure.
import { matches } from '../monitor/duties.ts';
import type { Decision } from '../monitor/types.ts';
import type { Program } from '../spec/program.ts';
import type { Step } from '../step/types.ts';

export interface RuleCoverage {
  readonly rule: string;
  /** Steps that it matched; for an obligation, steps that could make something owed or on which it fired. */
  readonly evaluated: number;
  /** Of these, on how many it did not fire: exempt, not applicable, or kept. */
  readonly satisfied: number;
  readonly fired: number;
}

export interface Coverage {
  readonly rules: readonly RuleCoverage[];
  readonly tools: { readonly called: readonly string[]; readonly never: readonly string[] };
}

export class CoverageCounter {
  readonly #program: Program;
  readonly #counts: Map<string, { evaluated: number; fired: number }>;
  readonly #called = new Set<string>();

  constructor(program: Program) {
    this.#program = program;
    this.#counts = new Map(program.rules.map(({ id }) => [id, { evaluated: 0, fired: 0 }]));
  }

  count(step: Step, decision: Decision): void {
    if (step.kind === 'tool.call') this.#called.add(step.name);
    const fired = new Set(decision.rules.map(({ rule }) => rule));
    // In a halted session nothing is asked any more.
    const asked = fired.has('$halted') ? [] : this.#program.rulesFor(step.kind, step.name);
    const owed = this.#program.obligations.filter(
      ({ id, form }) => fired.has(id) || form.obligation.owes.some((pattern) => this.#matches(pattern, step)),
    );
    for (const { id } of [...asked, ...owed]) {
      const count = this.#counts.get(id)!;
      count.evaluated++;
      if (fired.has(id)) count.fired++;
    }
  }

  report(): Coverage {
    const tools = [...this.#program.tools.keys()];
    return {
      rules: [...this.#counts].map(([rule, { evaluated, fired }]) => ({
        rule,
        evaluated,
        satisfied: evaluated - fired,
        fired,
      })),
      tools: {
        called: [...this.#called].sort(),
        never: tools.filter((name) => !this.#called.has(name)),
      },
    };
  }

  #matches(pattern: Parameters<typeof matches>[0], step: Step): boolean {
    return matches(pattern, step, this.#program);
  }
}
