// For tests: a decision point in front of a real engine, with a spec that uses every verdict.
import type { TestContext } from 'node:test';
import type { TestEngine } from '../../src/engine/testing/engine.ts';
import { withEngine } from '../../src/engine/testing/engine.ts';
import { createMonitor } from '../../src/monitor/session-monitor.ts';
import { type DecisionPoint, type DecisionPointOptions, startDecisionPoint } from '../../src/pdp/door.ts';
import { parseSettings } from '../../src/pdp/settings.ts';
import { compileSpec, formatProblem } from '../../src/spec/index.ts';

const SPEC = `
interlock: 1
name: gateway
applies: { agents: ["*"] }
tools:
  look: { effect: read }
  refund: { effect: write }
  wipe: { effect: write }
  rename: { effect: write }
  http: { effect: write }
  read: { effect: read }
rules:
  - id: watching
    on: call refund
    mode: shadow
    deny: args.amount > 1
    because: This rule only watches.
  - id: small-refunds
    on: call refund
    require: args.amount <= 100
    because: Refunds are at most 100.
    repair: Ask for 100 or less.
  - id: looked-first
    on: call refund
    require: past.exists("call look")
    because: Look at the order first.
  - id: ask-before-wiping
    on: call wipe
    hold: true
    approve: { by: [reviewer], expires: 1h }
    because: A person decides.
  - id: plain-names
    on: call rename
    transform: { set: { args.name: '"plain"' } }
    because: Names are plain.
  - id: only-reading
    on: call http
    require: args.method == "GET" || args.path.startsWith("/drafts/")
    because: Only drafts are written.
  - id: no-secrets
    on: call read
    deny: args.resource.id == "secret"
    because: Secrets are not read.
  - id: billing-only
    on: handoff
    require: name == "billing"
    because: Only billing is asked.
`;

export interface TestPoint extends TestEngine {
  readonly point: DecisionPoint;
  readonly failures: unknown[];
}

export async function withPoint(
  t: Pick<TestContext, 'after'>,
  settings: object = {},
  options: Partial<DecisionPointOptions> = {},
): Promise<TestPoint> {
  const compiled = compileSpec(SPEC);
  if (!compiled.ok) throw new Error(compiled.problems.map((problem) => formatProblem(problem)).join('\n'));
  const { spec } = compiled;
  const made = await withEngine(t, {
    specs: [
      {
        name: spec.name,
        digest: spec.digest,
        canonical: spec.canonical,
        applies: spec.applies,
        createMonitor: () => createMonitor(spec.program),
      },
    ],
  });
  const parsed = parseSettings(settings);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const failures: unknown[] = [];
  const point = await startDecisionPoint({
    engine: made.engine,
    admit: (_, init) => init,
    specOf: () => spec.digest,
    onFailure: (error) => failures.push(error),
    host: '127.0.0.1',
    httpPort: 0,
    grpcPort: 0,
    settings: parsed.value,
    ...options,
  });
  t.after(() => point.close());
  return { ...made, point, failures };
}
