// For tests: a compiled spec with limits whose slots come back, one of them shared by sessions, a hold that takes two people, and history.

import { createMonitor } from '../../monitor/session-monitor.ts';
import { compileSpec, formatProblem } from '../../spec/index.ts';
import type { CompiledSpecLike } from '../options.ts';

export const PAYMENTS_MAX = 3;
export const PRINCIPAL_PAYMENTS_MAX = 10;

const SHARED = `
  - id: all-payments
    on: call pay
    limit: { count: ${PRINCIPAL_PAYMENTS_MAX}, per: principal }
    because: At most ${PRINCIPAL_PAYMENTS_MAX} payments in all sessions of one principal.`;

const TEXT = `
interlock: 1
name: payments
applies: { agents: ["payer-*"] }
tools:
  look: { effect: read, output: { type: object, properties: { n: { type: integer } } } }
  pay: { effect: write }
  send: { effect: send }
rules:
  - id: three-payments
    on: call pay
    limit: { count: ${PAYMENTS_MAX}, per: session }
    because: At most ${PAYMENTS_MAX} payments.
  - id: looked-first
    on: call pay
    require: past.exists("result look", e, e.args.account == args.account)
    because: Look at the account first.
  - id: ask
    on: call send
    hold: true
    approve: { by: [reviewer], quorum: 2, expires: 1h }
    because: A person decides.
`;

export function paymentsSpec({ shared = true } = {}): CompiledSpecLike {
  const compiled = compileSpec(shared ? `${TEXT.trimEnd()}${SHARED}\n` : TEXT);
  if (!compiled.ok) throw new Error(compiled.problems.map((problem) => formatProblem(problem)).join('\n'));
  const { spec } = compiled;
  return {
    name: spec.name,
    digest: spec.digest,
    canonical: spec.canonical,
    applies: spec.applies,
    createMonitor: () => createMonitor(spec.program),
  };
}
