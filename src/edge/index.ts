// The core alone, for browsers, workers and edge functions: specs as JSON, sessions in memory, replay. No I/O, no clock, no Node API.
// Public as `interlock/edge`.
import type { Monitor, MonitorState } from '../monitor/monitor.ts';
import { bindingOf, createMonitor } from '../monitor/session-monitor.ts';
import type { Decision } from '../monitor/types.ts';
import { type Replayed, replayWithDigests } from '../replay/replay.ts';
import type { Patterns, Shell } from '../spec/engines.ts';
import type { Problem } from '../spec/problem.ts';
import { compileWith } from '../spec/spec.ts';
import { chainState, stateStart } from '../step/digest.ts';
import type { FieldProblem } from '../step/json.ts';
import { parseProposal } from '../step/parse.ts';
import type { Agent, Json, Proposal, Step } from '../step/types.ts';
import { readJson } from './read-json.ts';

export type { Decision, RuleOutcome, Verdict } from '../monitor/types.ts';
export type { Replayed } from '../replay/replay.ts';
export type { Patterns, Shell } from '../spec/engines.ts';
export { formatProblem, type Problem } from '../spec/problem.ts';
export type { Json, Proposal, Step } from '../step/types.ts';

/** What only some specs need, from `interlock/edge/patterns` and `interlock/edge/shell`. */
export interface CompileOptions {
  readonly patterns?: Patterns;
  readonly shell?: Shell;
  /** Named in problems. */
  readonly file?: string;
}

export interface Identity {
  readonly id: string;
  readonly agent: Agent;
  readonly principal?: string;
  readonly tenant?: string;
}

export interface Spec {
  readonly name: string;
  /** `sha256:<hex>`; the same as that of the spec written in YAML. */
  readonly digest: string;
  /** Whether the spec is for agents of this name. */
  applies(agent: string): boolean;
  /** Begins a session: its first step, `session.start`, is decided at `time`, milliseconds since the epoch. */
  session(identity: Identity, time: number): Session;
  /** A session as `save` has written it. Throws `StepInvalid` when it is of another spec. */
  load(saved: Json): Session;
  /** The decisions and state digests of recorded steps, which a server gave live. */
  replay(steps: readonly Step[]): Replayed;
}

export interface Decided {
  readonly step: Step;
  readonly decision: Decision;
  /** Of the session's state after the step, chained. */
  readonly stateDigest: string;
}

/** An answer to a held step; who may give it, and whether they did, is for the owner to know. */
export interface Answer {
  readonly approve: boolean;
  readonly by: readonly string[];
  /** In which roles, in the order of `by`. */
  readonly roles: readonly string[];
}

/** One session. Its owner keeps the order of steps, waits for holds, and keeps the record: nothing is stored here. Times are
 * milliseconds since the epoch. */
export interface Session {
  readonly start: Decided | null;
  /** Throws `StepInvalid`. */
  decide(proposal: Proposal, time: number): Decided;
  /** Records the answer to a step that was held; propose the step again then. */
  answer(held: Step, answer: Answer, time: number): Decided;
  save(): Json;
}

/** The spec does not check; `problems` have places and suggestions. */
export class SpecInvalid extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(
      problems.map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`).join('\n'),
    );
    this.name = 'SpecInvalid';
    this.problems = problems;
  }
}

/** The proposal is no step, or the saved session is none of this spec's. */
export class StepInvalid extends Error {
  readonly problems: readonly FieldProblem[];
  constructor(problems: readonly FieldProblem[]) {
    super(
      problems.map(({ at, expected, found }) => `${at}: expected ${expected}, found ${found}`).join('\n'),
    );
    this.name = 'StepInvalid';
    this.problems = problems;
  }
}

/**
 * Checks and compiles a spec: JSON text, or the document itself. `interlock spec compile` makes JSON of YAML, with what it imports in it.
 * Throws `SpecInvalid`.
 *
 * @example
 * const spec = compile(await response.text());
 * const session = spec.session({ id: crypto.randomUUID(), agent: { name: 'chat' } }, Date.now());
 * const { decision } = session.decide({ kind: 'tool.call', name: 'refund', args: { amount: 40 } }, Date.now());
 */
export function compile(spec: string | object, options: CompileOptions = {}): Spec {
  const text = typeof spec === 'string' ? spec : JSON.stringify(spec, null, 2);
  const { patterns = null, shell = null, file = 'spec' } = options;
  const result = compileWith(text, { file }, { read: readJson, patterns, shell, follows: null });
  if (!result.ok) throw new SpecInvalid(result.problems);
  const { name, digest, program, applies } = result.spec;
  return {
    name,
    digest,
    applies,
    session: (identity, time) => {
      const monitor = createMonitor(program);
      const begun = { spec: digest, identity, seq: 0, digest: stateStart(digest) };
      return openSession(monitor, monitor.start(), begun, time);
    },
    load: (given) => {
      const monitor = createMonitor(program);
      const saved = savedOf(given, digest);
      return openSession(monitor, monitor.load(saved.state), saved, null);
    },
    replay: (steps) =>
      replayWithDigests({ digest, createMonitor: () => createMonitor(program, { origins: 'lazy' }) }, steps),
  };
}

interface Place {
  readonly spec: string;
  readonly identity: Identity;
  readonly seq: number;
  /** Of the state, chained. */
  readonly digest: string;
}

interface Saved extends Place {
  readonly state: Json;
}

function openSession(monitor: Monitor, state: MonitorState, from: Place, startsAt: number | null): Session {
  const { spec, identity } = from;
  const { id: session, ...who } = identity;
  let { seq, digest } = from;

  function take(given: Pick<Step, 'kind' | 'name'> & Proposal, time: number): Decided {
    if (!Number.isSafeInteger(time) || time < 0)
      throw new StepInvalid([{ at: '/time', expected: 'milliseconds since the epoch', found: String(time) }]);
    const step: Step = { ...who, ...given, id: given.id ?? `${session}-${seq}`, session, seq, time };
    const { decision, changes } = monitor.step(state, step);
    digest = chainState(digest, changes);
    seq++;
    return { step, decision, stateDigest: digest };
  }

  return {
    start: startsAt === null ? null : take({ kind: 'session.start', name: identity.agent.name }, startsAt),
    decide(given, time) {
      const parsed = parseProposal(given);
      if (!parsed.ok) throw new StepInvalid(parsed.problems);
      return take(parsed.value, time);
    },
    answer(held, { approve, by, roles }, time) {
      const args = { binding: bindingOf(held), approve, by, roles };
      const callId = held.callId === undefined ? {} : { callId: held.callId };
      return take({ kind: 'approval', name: held.name, args, ...callId }, time);
    },
    save: () =>
      JSON.parse(JSON.stringify({ spec, identity, seq, digest, state: monitor.save(state) })) as Json,
  };
}

function savedOf(given: Json, spec: string): Saved {
  const saved = given as unknown as Partial<Saved> | null;
  const whole =
    typeof saved === 'object' &&
    saved?.spec === spec &&
    Number.isSafeInteger(saved.seq) &&
    typeof saved.digest === 'string' &&
    typeof saved.identity?.id === 'string' &&
    saved.state !== undefined;
  if (whole) return saved as Saved;
  throw new StepInvalid([{ at: '', expected: `a session saved under the spec ${spec}`, found: 'another' }]);
}
