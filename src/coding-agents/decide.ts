// An event of a coding agent becomes steps, and the decisions on them an outcome. No policy here: what cannot be decided
// does not run, and what ran is not shown.
import { randomUUID } from 'node:crypto';
import { EngineError } from '../engine/problem.ts';
import type { Engine, Recorded, SessionInit } from '../engine/types.ts';
import type { Decision, RuleOutcome } from '../monitor/types.ts';
import {
  becauseOf,
  DecisionUnavailable,
  InterlockError,
  SessionHalted,
  StepDenied,
  StepHeld,
} from '../sdk/errors.ts';
import { localTransport } from '../sdk/local.ts';
import { permit } from '../sdk/permit.ts';
import { parseProposal } from '../step/parse.ts';
import type { JsonObject, Proposal } from '../step/types.ts';
import { callBack, callOut, createSessions, type OpenedSession } from './sessions.ts';
import type { HookEvent, Outcome } from './types.ts';

/** After so many times in a row an agent that does nothing is let go: some ask for ever. */
const REFUSALS_MAX = 8;

export interface DeciderOptions {
  /** How long a held call waits for a person before the model is told to come back, in milliseconds. */
  readonly holdWaitMs: number;
  /** Told of failures that are ours. */
  readonly onFailure: (error: unknown) => void;
}

type Init = SessionInit & { readonly id: string };

export interface HookDecider {
  /** Never rejects. */
  decide(init: Init, event: HookEvent): Promise<Outcome>;
}

export function createHookDecider(engine: Engine, { holdWaitMs, onFailure }: DeciderOptions): HookDecider {
  const sessions = createSessions(engine);
  const transport = localTransport(engine, 'coding-agent');

  async function call(
    init: Init,
    session: OpenedSession,
    event: HookEvent & { t: 'call' },
  ): Promise<Outcome> {
    session.refusals = 0;
    const { tool, args } = event;
    const callId = event.callId ?? randomUUID();
    const proposal = proposed(event, init, session, { kind: 'tool.call', name: tool, callId, args });
    const { decision } = await permit(transport, init.id, proposal, {
      onHold: 'wait',
      holdTimeoutMs: holdWaitMs,
      onMissingCheck: 'run',
    });
    const changed = decision.verdict === 'transform' ? decision.transformed : undefined;
    if (event.callId === null) callOut(session, tool, changed ?? args, callId);
    if (changed === undefined) return told(decision);
    return {
      t: 'rewrite',
      args: changed,
      dropped: Object.keys(args).some((key) => !Object.hasOwn(changed, key)),
    };
  }

  async function result(
    init: Init,
    session: OpenedSession,
    event: HookEvent & { t: 'result' },
  ): Promise<Outcome> {
    const { tool, args, given } = event;
    const callId = event.callId ?? (args === null ? null : callBack(session, tool, args));
    const { decision } = await engine.decide(
      init.id,
      proposed(event, init, session, {
        kind: 'tool.result',
        name: tool,
        ...(callId === null ? {} : { callId }),
        ...(args === null || callId !== null ? {} : { args }),
        ...given,
      }),
    );
    return decision.verdict === 'deny' ? { t: 'withhold', because: reasonsOf(decision) } : told(decision);
  }

  /** The agent has said its last word; what the spec wants done before the end is asked for now. */
  async function stop(
    init: Init,
    session: OpenedSession,
    event: HookEvent & { t: 'stop' },
  ): Promise<Outcome> {
    const said = await engine.decide(
      init.id,
      proposed(event, init, session, { kind: 'output', name: '', content: event.text }),
    );
    if (said.decision.verdict === 'halt') return told(said.decision);
    const owed = said.decision.verdict === 'deny' ? said.decision.rules : await owedAtEnd(init.id);
    if (owed.length === 0) {
      session.refusals = 0;
      return told(said.decision);
    }
    const open = owed.map(sentenceOf).join('\n');
    if (session.refusals >= REFUSALS_MAX) {
      session.refusals = 0;
      return { t: 'let-go', because: `Interlock: the agent stops with this left open.\n${open}` };
    }
    session.refusals += 1;
    session.asked = `You are not done. Before you stop:\n${open}`;
    return { t: 'go-on', because: session.asked };
  }

  async function owedAtEnd(session: string): Promise<readonly RuleOutcome[]> {
    const { verdict, rules } = await engine.foresee(session, { kind: 'session.end', name: '' });
    return verdict === 'deny' ? rules.filter(enforced) : [];
  }

  async function outcomeOf(init: Init, event: HookEvent): Promise<Outcome> {
    const session = await sessions.opened(init, event.cwd);
    switch (event.t) {
      case 'start':
      case 'other':
        return { t: 'pass' };
      case 'prompt':
        return told(await input(init, session, event));
      case 'call':
        return call(init, session, event);
      case 'result':
        return result(init, session, event);
      case 'stop':
        return stop(init, session, event);
    }
  }

  async function input(
    init: Init,
    session: OpenedSession,
    event: HookEvent & { t: 'prompt' },
  ): Promise<Decision> {
    const name = event.text === session.asked ? 'system' : 'user';
    const proposal = proposed(event, init, session, { kind: 'input', name, content: event.text });
    return (await engine.decide(init.id, proposal)).decision;
  }

  return {
    async decide(init, event) {
      try {
        return await outcomeOf(init, event);
      } catch (error) {
        if (error instanceof StepDenied) return { t: 'deny', because: denialOf(error) };
        if (error instanceof SessionHalted) return { t: 'halt', because: haltOf(error.because) };
        if (error instanceof StepHeld) return { t: 'deny', because: heldOf(error) };
        if (!(error instanceof InterlockError || error instanceof EngineError)) onFailure(error);
        return failed(event, error);
      }
    },
  };
}

/** What comes of an event that could not be decided. An agent that cannot stop is no safer: that, and a prompt, pass. */
export function failed(event: Pick<HookEvent, 't'>, error: unknown): Outcome {
  const why = error instanceof Error ? error.message : String(error);
  const because = `Interlock could not decide, so this does not count as allowed: ${why}`;
  if (event.t === 'call') return { t: 'deny', because };
  return event.t === 'result' ? { t: 'withhold', because } : { t: 'let-go', because };
}

/** The proposal with what the agent tells of the circumstances. */
function proposed(
  { cwd, mode, subagent }: HookEvent,
  init: Init,
  { workspace }: OpenedSession,
  step: Proposal,
): Proposal {
  const attributes: JsonObject = { cwd, workspace, ...(mode === null ? {} : { mode }) };
  const parsed = parseProposal({
    ...step,
    attributes,
    ...(subagent === null ? {} : { agent: { name: `${init.agent.name}/${subagent}` } }),
  });
  if (parsed.ok) return parsed.value;
  const [{ at, expected, found }] = parsed.problems as [{ at: string; expected: string; found: string }];
  throw new DecisionUnavailable(`the step has at ${at} not ${expected} but ${found}`);
}

function told(decision: Decision): Outcome {
  if (decision.verdict === 'halt') return { t: 'halt', because: haltOf(becauseOf(decision)) };
  const warnings = decision.rules.filter(({ mode }) => mode === 'warn').map(sentenceOf);
  return warnings.length === 0
    ? { t: 'pass' }
    : { t: 'tell', text: `Interlock warns: ${warnings.join(' ')}` };
}

const enforced = ({ mode, verdict }: RuleOutcome) => mode === 'enforce' && verdict !== 'allow';

function reasonsOf({ rules }: Recorded['decision']): string {
  return rules.filter(enforced).map(sentenceOf).join(' ');
}

function sentenceOf({ rule, because, repair }: RuleOutcome): string {
  return `${because}${repair === undefined ? '' : ` ${repair}`} (rule ${rule})`;
}

function denialOf(denial: StepDenied): string {
  const rule = denial.rules[0] === undefined ? '' : ` (rule ${denial.rules[0]})`;
  const repair = denial.repair === undefined ? '' : ` ${denial.repair}`;
  return `Denied by Interlock: ${denial.because}${repair}${rule}`;
}

function haltOf(because: string): string {
  return `Halted by Interlock, and nothing more can be done in this session: ${because}`;
}

function heldOf({ token, message }: StepHeld): string {
  return (
    `Held by Interlock: ${message} A person must approve it on Interlock's page; you cannot. Tell your user, and ` +
    `once it is approved make exactly the same call again. (hold ${token.hold})`
  );
}
