// For tests of the engine alone: a small spec with real state. Calls of `limited*` take one of three slots, which a failed
// result gives back; `hold*` waits for an approval of its exact arguments; `deny*` and `halt*` say so; `rewrite*` is
// transformed.
import type { Monitor, MonitorState } from '../../monitor/monitor.ts';
import type { ApprovalTerms, Decision, RuleOutcome, Verdict, Witness } from '../../monitor/types.ts';
import { digestJson, digestText } from '../../step/digest.ts';
import { ENFORCEABILITY, type Json, type JsonObject, type Step } from '../../step/types.ts';
import { ENGINE_VERSION } from '../../step/version.ts';
import type { CompiledSpecLike } from '../options.ts';

export const LIMIT = 3;

interface CounterState {
  steps: number;
  used: number;
  halted: boolean;
  /** Call ids that have a slot. */
  slots: Record<string, true>;
  /** Approval steps by binding. */
  approvals: Record<string, Witness & { readonly at: number }>;
  /** Digest over everything seen, so that any difference in what was fed in shows. */
  seen: string;
}

export function counterSpec(
  options: { name?: string; terms?: ApprovalTerms; agents?: string } = {},
): CompiledSpecLike {
  const { name = 'counter', terms = TERMS, agents = 'agent' } = options;
  const canonical = JSON.stringify({ agents, name, terms });
  const digest = digestText(canonical);
  return {
    name,
    digest,
    canonical,
    applies: (agent) => agent.startsWith(agents),
    createMonitor: () => counterMonitor(digest, terms),
  };
}
const TERMS: ApprovalTerms = { by: ['reviewer'], quorum: 1, notPrincipal: true, expiresMs: 60_000 };

function counterMonitor(digest: string, terms: ApprovalTerms): Monitor {
  return {
    deadline: () => null,
    foresee() {
      throw new Error('the counter spec foresees nothing');
    },
    spec: digest,
    start: () => asState({ steps: 0, used: 0, halted: false, slots: {}, approvals: {}, seen: '' }),
    save: (state) => structuredClone(asCounter(state)) as unknown as Json,
    load: (saved) => asState(structuredClone(saved) as unknown as CounterState),
    step(opaque, step) {
      const state = asCounter(opaque);
      if (step.seq !== state.steps) throw new Error(`step ${step.seq} came instead of ${state.steps}`);
      state.steps += 1;
      const binding = digestJson({ kind: step.kind, name: step.name, args: step.args ?? {} });
      const outcome = judge(state, step, binding, terms);
      apply(state, step, outcome?.verdict ?? 'allow');
      state.seen = digestText(`${state.seen}${step.id}${step.time}${outcome?.verdict}`).slice(7, 23);
      return {
        decision: decisionOf(digest, step, outcome, binding),
        changes: JSON.stringify([step.seq, outcome?.verdict ?? 'allow', state.used, state.seen]),
      };
    },
  };
}

function judge(state: CounterState, step: Step, binding: string, terms: ApprovalTerms): RuleOutcome | null {
  if (ENFORCEABILITY[step.kind] !== 'suppressable') return null;
  if (state.halted) return outcomeOf('$halted', 'deny');
  if (step.name.startsWith('deny')) return outcomeOf('never', 'deny');
  if (step.name.startsWith('halt')) return outcomeOf('stop', 'halt');
  if (step.name.startsWith('rewrite')) return outcomeOf('rewrite', 'transform');
  if (step.name.startsWith('limited') && state.used >= LIMIT) return outcomeOf('at-most-three', 'deny');
  if (!step.name.startsWith('hold')) return null;
  const approval = state.approvals[binding];
  // Like the real monitor's, an approval is good for as long as its terms say.
  if (approval === undefined || step.time > approval.at + terms.expiresMs)
    return { ...outcomeOf('ask', 'hold'), approve: terms };
  delete state.approvals[binding];
  const { at: _, ...witness } = approval;
  return { ...outcomeOf('ask', 'allow'), witness: [witness] };
}

function apply(state: CounterState, step: Step, verdict: Verdict): void {
  if (verdict === 'halt') state.halted = true;
  if (step.kind === 'tool.call' && verdict === 'allow' && step.name.startsWith('limited')) {
    state.used += 1;
    if (step.callId !== undefined) state.slots[step.callId] = true;
  }
  if (step.kind === 'tool.result' && step.callId !== undefined && state.slots[step.callId]) {
    delete state.slots[step.callId];
    if (step.error !== undefined) state.used -= 1;
  }
  if (step.kind === 'approval' && step.args?.approve === true) {
    const { seq, id, kind, name } = step;
    state.approvals[String(step.args.binding)] = { seq, id, kind, name, at: step.time };
  }
}

function outcomeOf(rule: string, verdict: Verdict): RuleOutcome {
  const because = `The rule ${rule} says ${verdict}.`;
  return { rule, verdict, mode: 'enforce', cause: 'violated', because, witness: [], controls: [] };
}

function decisionOf(digest: string, step: Step, outcome: RuleOutcome | null, binding: string): Decision {
  const verdict = outcome?.verdict ?? 'allow';
  const transformed: JsonObject = { ...step.args, rewritten: true };
  return {
    session: step.session,
    seq: step.seq,
    step: step.id,
    verdict,
    wouldBe: verdict,
    mode: 'enforce',
    rules: outcome === null ? [] : [outcome],
    witness: outcome?.witness ?? [],
    ...(verdict === 'transform' ? { transformed } : {}),
    ...(verdict === 'hold' ? { binding } : {}),
    spec: digest,
    engine: ENGINE_VERSION,
  };
}

function asCounter(state: MonitorState): CounterState {
  return state as unknown as CounterState;
}
function asState(state: CounterState): MonitorState {
  return state as unknown as MonitorState;
}
