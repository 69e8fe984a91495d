// The reference meaning of history operators, by their definition over the whole history: as short and obvious as it
// can be, and as slow as it likes. The compiled monitor is held to it.
import type { Step } from '../../src/step/types.ts';

export interface Remembered {
  readonly step: Step;
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether the step took effect: an observed step, or an allowed call. */
  readonly happened: boolean;
}

export interface Query {
  readonly operator: 'exists' | 'none' | 'count' | 'sum' | 'min' | 'max' | 'last';
  readonly kind: 'call' | 'call!' | 'result';
  readonly tool: string;
  /** `e.args.n > local`, when given. */
  readonly local: number | null;
  /** `e.args.id == args.id`. */
  readonly joined: boolean;
  /** `e.args.n < args.n`. */
  readonly rest: boolean;
  readonly windowMs: number | null;
}

/** The expression as an author would write it, answering a number or a truth value. */
export function queryText(query: Query): string {
  const conditions = [
    ...(query.local === null ? [] : [`e.args.n > ${query.local}.0`]),
    ...(query.joined ? ['e.args.id == args.id'] : []),
    ...(query.rest ? ['e.args.n < args.n'] : []),
  ];
  const condition = conditions.length === 0 ? 'true' : conditions.join(' && ');
  const folded = ['sum', 'min', 'max'].includes(query.operator) ? ', e.args.n' : '';
  const within = query.windowMs === null ? '' : `.within(duration("${query.windowMs}ms"))`;
  const reads = query.operator === 'last' ? '.args.n' : '';
  return `past.${query.operator}("${query.kind} ${query.tool}", e, ${condition}${folded})${within}${reads}`;
}

/** The value of the operator before `now`, or `absent` where it has none. */
export function evaluate(
  query: Query,
  history: readonly Remembered[],
  now: Step,
): number | boolean | 'absent' {
  const kind = query.kind === 'result' ? 'tool.result' : 'tool.call';
  const mine = now.args as { id: string; n: number };
  const matching = history.filter(({ step, args, happened }) => {
    const theirs = args as { id: string; n: number };
    return (
      step.kind === kind &&
      step.name === query.tool &&
      (happened || query.kind === 'call!') &&
      (query.local === null || theirs.n > query.local) &&
      (!query.joined || theirs.id === mine.id) &&
      (!query.rest || theirs.n < mine.n) &&
      (query.windowMs === null || step.time >= now.time - query.windowMs)
    );
  });
  const numbers = matching.map(({ args }) => args.n as number);
  switch (query.operator) {
    case 'exists':
      return matching.length > 0;
    case 'none':
      return matching.length === 0;
    case 'count':
      return matching.length;
    case 'sum':
      return numbers.reduce((sum, n) => sum + n, 0);
    case 'min':
      return numbers.length === 0 ? 'absent' : Math.min(...numbers);
    case 'max':
      return numbers.length === 0 ? 'absent' : Math.max(...numbers);
    case 'last':
      return numbers.at(-1) ?? 'absent';
  }
}
