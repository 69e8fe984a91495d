// Peers in this process that keep no history: it is handed in with every call, or what they need of it is found for them
// first (not timed). Where they have no index of rules by tool, they are given one.
import { celEnv, parse, plan } from '@bufbuild/cel';
import type { Peer } from './peer.ts';
import { boundOf, type Rule, TOOLS } from './rules.ts';

function byTool<T>(rules: readonly Rule[], make: (rule: Rule) => T): T[][] {
  const made = Array.from({ length: TOOLS }, (): T[] => []);
  for (const rule of rules) made[rule.tool]!.push(make(rule));
  return made;
}

function celOf(rule: Rule): string {
  if (rule.kind === 'bound') return `args.amount <= ${boundOf(rule)}.0`;
  return `history.exists(e, e.name == "verify_${rule.tool}" && e.args.id == args.id && e.result.ok && e.result.total >= ${rule.n}.0)`;
}

export const rescan: Peer = {
  name: 'full rescan',
  does: 'the same rules as JavaScript by hand, each looking through the whole history',
  async prepare(rules, history) {
    const mine = byTool(rules, (rule) => rule);
    return ({ tool, args }) =>
      mine[tool]!.every((rule) =>
        rule.kind === 'bound'
          ? args.amount <= boundOf(rule)
          : history.some(
              (e) =>
                e.name === `verify_${rule.tool}` &&
                e.args.id === args.id &&
                e.result.ok &&
                e.result.total >= rule.n,
            ),
      );
  },
};

export const bufbuildCel: Peer = {
  name: '@bufbuild/cel',
  does: 'planned expressions; the history is handed in as a list; the host picks the rules of the tool',
  async prepare(rules, history) {
    const env = celEnv();
    const plans = byTool(rules, (rule) => plan(env, parse(celOf(rule))));
    return ({ tool, args }) =>
      plans[tool]!.every((evaluate) => evaluate({ args, history } as never) === true);
  },
};

export const celJs: Peer = {
  name: '@marcbachmann/cel-js',
  does: 'parsed expressions; the history is handed in as a list; the host picks the rules of the tool',
  async prepare(rules, history) {
    const cel = await installed<{ parse(text: string): (context: object) => unknown }>(
      '@marcbachmann/cel-js',
    );
    if (cel === null) return null;
    const parsed = byTool(rules, (rule) => cel.parse(celOf(rule)));
    return ({ tool, args }) => parsed[tool]!.every((evaluate) => evaluate({ args, history }) === true);
  },
};

export const cedar: Peer = {
  name: '@cedar-policy/cedar-wasm',
  does: 'pre-parsed policies; cannot look at a history: what each call needs of it is found by the host, untimed',
  async prepare(rules) {
    const engine = await import('@cedar-policy/cedar-wasm/nodejs').catch(() => null);
    if (engine === null) return null;
    const policies = rules.map((rule) => {
      const broken =
        rule.kind === 'bound' ? `context.amount > ${boundOf(rule)}` : `context.verified < ${rule.n}`;
      return `forbid(principal, action == Action::"act_${rule.tool}", resource) when { ${broken} };`;
    });
    const staticPolicies = ['permit(principal, action, resource);', ...policies].join('\n');
    const preparsedPolicySetId = `field-${rules.length}`;
    engine.preparsePolicySet(preparsedPolicySetId, { staticPolicies });
    return ({ name, args, verifiedTotal }) => {
      const answer = engine.statefulIsAuthorized({
        principal: { type: 'User', id: 'a' },
        action: { type: 'Action', id: name },
        resource: { type: 'App', id: 'x' },
        context: { amount: args.amount, verified: verifiedTotal },
        preparsedPolicySetId,
        validateRequest: false,
        entities: [],
      } as never) as { response?: { decision: string } };
      return answer.response?.decision === 'allow';
    };
  },
};

interface Governance {
  readonly PolicyEngine: new () => {
    loadPolicy(policy: object): void;
    evaluatePolicy(agent: string, context: object): { readonly allowed: boolean };
  };
}

export const governance: Peer = {
  name: '@microsoft/agent-governance-sdk',
  does: 'PolicyEngine.evaluatePolicy; comparisons of the call alone: what it needs of the history is found by the host, untimed',
  async prepare(rules) {
    const sdk = await installed<Governance>('@microsoft/agent-governance-sdk');
    if (sdk === null) return null;
    const engine = new sdk.PolicyEngine();
    engine.loadPolicy({
      name: 'field',
      scope: 'global',
      default_action: 'allow',
      rules: rules.map((rule) => ({
        name: rule.id,
        ruleAction: 'deny',
        condition: `name == 'act_${rule.tool}' and ${rule.kind === 'bound' ? `amount > ${boundOf(rule)}` : `verified < ${rule.n}`}`,
      })),
    });
    return ({ name, args, verifiedTotal }) =>
      engine.evaluatePolicy('agent', { name, amount: args.amount, verified: verifiedTotal }).allowed;
  },
};

/** A package of bench/package.json; null when it is not installed. */
async function installed<T>(name: string): Promise<T | null> {
  try {
    return (await import(name)) as T;
  } catch {
    return null;
  }
}
