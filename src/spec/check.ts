// Compiles `checks`: how evidence is got, and whether it is a pass. Getting it is the host's; judging it is pure.
import { type Compiled, Scope, type ScopeHost } from './cel/compile.ts';
import { isCelError, type Value } from './cel/value.ts';
import type { CheckDeclaration, CheckMeans, Expression } from './document.ts';
import { DYN, type Type } from './schema/type.ts';

/** Variables of `pass`, by means. */
const EVIDENCE: Readonly<Record<CheckMeans['t'], Readonly<Record<string, Type>>>> = {
  command: { subject: DYN, exit: DYN, stdout: { t: 'string' }, stderr: { t: 'string' } },
  probe: { subject: DYN, status: DYN, body: DYN },
  attestation: { subject: DYN, predicate: DYN },
};
const DEFAULT_PASS: Readonly<Record<CheckMeans['t'], string>> = {
  command: 'exit == 0',
  probe: 'status >= 200 && status < 300',
  attestation: 'true',
};

export interface CheckPlan {
  readonly name: string;
  readonly means: CheckMeans;
  readonly timeoutMs: number;
  /** Whether the evidence is a pass; otherwise why it could not be said. */
  passes(evidence: Readonly<Record<string, Value>>): boolean | string;
}

export function compileCheck(
  check: CheckDeclaration,
  compile: (from: Expression, scopeFor: (host: ScopeHost) => Scope) => Compiled,
): CheckPlan {
  const slots = new Map<string, number>();
  const scopeOf = (host: ScopeHost): Scope => {
    let scope = Scope.root(host, {});
    for (const [name, type] of Object.entries(EVIDENCE[check.means.t])) {
      scope = scope.child(name, type);
      slots.set(name, scope.slotOf(name));
    }
    return scope;
  };
  const text = DEFAULT_PASS[check.means.t];
  const pass = compile(check.pass ?? { text, range: check.range, at: null }, scopeOf);
  return {
    name: check.name,
    means: check.means,
    timeoutMs: check.timeoutMs,
    passes(evidence) {
      const frame: Value[] = [];
      for (const [name, slot] of slots) frame[slot] = evidence[name] ?? null;
      const value = pass.eval(frame);
      if (typeof value === 'boolean') return value;
      return isCelError(value) ? value.message : '`pass` gave no true or false';
    },
  };
}
