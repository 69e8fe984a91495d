// One run of an agent: what it reads, says and does goes through here.
import { randomUUID } from 'node:crypto';
import type { Proposal, Recorded, SessionSummary } from '../engine/types.ts';
import { parseCheckRequest, parseProposal, reader } from '../step/parse.ts';
import type { Json } from '../step/types.ts';
import { checkEnded, type DeniedResult, type HoldToken, InvalidProposal } from './errors.ts';
import {
  type CallOptions,
  callTool,
  denialAsResult,
  frozenArgs,
  type Guarded,
  type GuardOptions,
  guardTool,
  type Tool,
} from './guard.ts';
import { approved, type HoldOptions, hasPassed, type PermitOptions, permit } from './permit.ts';
import { NO_TRACING, type Tracing } from './tracing.ts';
import type { Transport } from './transport.ts';
import { createUndecided } from './undecided.ts';

export interface Session {
  readonly id: string;
  readonly opened: SessionSummary;
  /**
   * Records what the user said, before the model reads it. Throws like a guarded call. Null where no decision could be had and
   * the spec lets it go on (`fail: open`): it is put on record later.
   */
  input(text: string): Promise<Recorded | null>;
  /** Decides what the agent is about to say; say it once this resolves. Throws like a guarded call. */
  output(text: string, options?: HoldOptions & { signal?: AbortSignal }): Promise<Recorded | null>;
  /** Decides whether the session is handed to another agent; hand over once this resolves. Throws like a guarded call. */
  handoff(to: string, args?: object, options?: HoldOptions & { signal?: AbortSignal }): Promise<Recorded>;
  /** Decides any step before it happens; resolves once it may. Throws like a guarded call. */
  permit(proposal: Proposal, options?: HoldOptions & { signal?: AbortSignal }): Promise<Recorded | null>;
  /** Records any other step and gives its decision as it is; the caller acts on the verdict. */
  observe(proposal: Proposal): Promise<Recorded>;
  /** Has a check of the spec made, e.g. the tests run on this commit. Resolves with whether it passed. */
  check(name: string, about?: { subject?: Json; attestation?: Json }): Promise<boolean>;
  guard<A extends object, R>(
    tool: Tool<A, R>,
    options: GuardOptions & { onDeny: 'result' },
  ): Guarded<A, R | DeniedResult>;
  guard<A extends object, R>(tool: Tool<A, R>, options?: GuardOptions): Guarded<A, R>;
  /** Continues a held call, in this process or a later one: waits for the answer, decides it again, runs it. */
  resume<A extends object, R>(
    token: HoldToken,
    tool: Tool<A, R>,
    options?: GuardOptions & Pick<CallOptions, 'signal'>,
  ): Promise<R | DeniedResult>;
  /** Throws `StepDenied` when a rule refuses the ending, e.g. while something is owed: the session stays open. */
  end(): Promise<Recorded>;
}

export function openedSession(
  given: Transport,
  opened: SessionSummary,
  tracing: Tracing = NO_TRACING,
): Session {
  const { id } = opened;
  const undecided = createUndecided(given, opened);
  const { transport } = undecided;
  const place = { transport, session: id, tracing, undecided };

  /** Null: it goes on undecided, and is put on record later. */
  async function permitted(given: unknown, options: PermitOptions): Promise<Recorded | null> {
    const proposal = valid(given);
    let known = false;
    const onDecision = () => {
      known = true;
    };
    try {
      return await permit(transport, id, proposal, { ...options, onDecision });
    } catch (error) {
      // What was decided already, a hold that is waited for, stands; a call has a guard of its own.
      if (known || proposal.kind === 'tool.call' || !undecided.covers(proposal, error)) throw error;
      undecided.happened(proposal);
      return null;
    }
  }

  return {
    id,
    opened,
    input: (text) => permitted({ kind: 'input', content: text }, {}),
    output: (text, options = {}) => permitted({ kind: 'output', content: text }, options),
    handoff: (to, args = {}, options = {}) =>
      permit(transport, id, valid({ kind: 'handoff', name: to, args }), options),
    permit: (proposal, options = {}) => permitted(proposal, options),
    observe: (proposal) => transport.decide(id, valid({ ...proposal, id: proposal.id ?? randomUUID() })),
    check: async (name, about = {}) => {
      const parsed = parseCheckRequest({ name, ...about });
      if (!parsed.ok) throw new InvalidProposal(parsed.problems);
      return hasPassed(await transport.check(id, parsed.value));
    },
    guard: <A extends object, R>(tool: Tool<A, R>, options: GuardOptions = {}) =>
      guardTool(place, tool, options) as Guarded<A, R>,

    async resume(token, tool, options = {}) {
      const args = checkToken(token, id, tool.name);
      const { signal, ...guard } = options;
      return denialAsResult(guard, async () => {
        await approved(transport, { ...token, args }, null, { ...guard, signal });
        return callTool(place, { tool, args, callId: token.callId, options: guard, signal });
      });
    },

    end: async () => checkEnded(await transport.endSession(id)),
  };
}

function valid(proposal: unknown): Proposal {
  const parsed = parseProposal(proposal);
  if (!parsed.ok) throw new InvalidProposal(parsed.problems);
  return parsed.value;
}

function checkToken(token: unknown, session: string, tool: string) {
  const read = reader();
  const fields = read.object(token, '', ['session', 'hold', 'callId', 'name', 'args']);
  if (fields === null) throw new InvalidProposal(read.problems);
  const args = frozenArgs(fields.args);
  read.text(fields.hold, '/hold');
  read.text(fields.callId, '/callId');
  for (const [at, wanted, found] of [
    ['/session', session, fields.session],
    ['/name', tool, fields.name],
  ] as const) {
    if (found !== wanted) read.problems.push({ at, expected: JSON.stringify(wanted), found: String(found) });
  }
  if (read.problems.length > 0) throw new InvalidProposal(read.problems);
  return args;
}
