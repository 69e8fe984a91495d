// The rules, the history and the calls that all of bench/field.ts are given. Rule i is about the tool `act_<i % 30>`: its
// amount is bounded, or an earlier `verify` of the same order came out well, with a total of at least i. Data only.

export const TOOLS = 30;
const ORDERS = 5_000;

export interface Rule {
  readonly id: string;
  readonly n: number;
  readonly tool: number;
  readonly kind: 'bound' | 'verified';
}

/** A result of `verify_<tool>`, as a stateless engine is handed it. */
export interface Verified {
  readonly name: string;
  readonly args: { readonly id: string };
  readonly result: { readonly ok: boolean; readonly total: number };
}

export interface Call {
  readonly tool: number;
  readonly name: string;
  readonly args: { readonly id: string; readonly amount: number };
  /** What a host would have to find in the history for an engine that cannot look itself; -1: nothing. */
  readonly verifiedTotal: number;
  readonly allowed: boolean;
}

export function rulesOf(count: number): Rule[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `r${n}`,
    n,
    tool: n % TOOLS,
    kind: (n + Math.floor(n / TOOLS)) % 2 === 0 ? 'bound' : 'verified',
  }));
}

/** The `k`th result of a session. */
export function verified(k: number): Verified {
  return {
    name: `verify_${k % TOOLS}`,
    args: { id: `order-${k % ORDERS}` },
    result: { ok: true, total: 2_000 },
  };
}

/** Calls that all rules allow, on orders that were verified among the last of `results`, on tools that have rules. */
export function allowedCalls(rules: number, results: number): Call[] {
  const calls: Call[] = [];
  for (let k = results - 1; k >= 0 && calls.length < 500; k--) {
    const { args, result } = verified(k);
    const tool = k % TOOLS;
    if (tool >= rules) continue;
    const amount = 1 + (k % 300);
    calls.push({
      tool,
      name: `act_${tool}`,
      args: { id: args.id, amount },
      verifiedTotal: result.total,
      allowed: true,
    });
  }
  return calls;
}

/** A call too large, and one on an order nobody verified where a rule asks for that. */
export function deniedCalls(rules: readonly Rule[]): Call[] {
  return rules.slice(0, TOOLS).map(({ tool, kind }) => ({
    tool,
    name: `act_${tool}`,
    args:
      kind === 'bound' ? { id: `order-${tool}`, amount: 9_000 } : { id: 'order-nobody-verified', amount: 1 },
    verifiedTotal: kind === 'bound' ? 2_000 : -1,
    allowed: false,
  }));
}

export function boundOf(rule: Rule): number {
  return 500 + rule.n;
}
