// The scenarios of `scenarios.yaml` on a stage: the real engine, a scripted model, tools that say what they were given. Each
// framework's own loop is behind `Rig`; what is asserted is the same for all of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { AdapterOptions } from '../../src/adapters/run-tool.ts';
import type { Engine } from '../../src/engine/types.ts';
import type { Interlock, Session } from '../../src/sdk/index.ts';
import { InterlockError } from '../../src/sdk/index.ts';
import { overTransport } from '../../src/sdk/interlock.ts';
import { localTransport } from '../../src/sdk/local.ts';
import { openEngine } from '../../src/sdk/open.ts';
import { loadSpecObject } from '../../src/sdk/spec-files.ts';
import {
  call,
  calls,
  type ScriptedModel,
  says,
  startScriptedModel,
  type Turn,
} from '../gateway/scripted-model.ts';

export type Ran = readonly [tool: string, args: object];
type ModelTurn =
  | { readonly say: string }
  | { readonly call: readonly (readonly [id: string, tool: string, args: object])[] }
  | { readonly hand_over: readonly [id: string, agent: string] };

export interface Scenario {
  readonly name: string;
  readonly user: string;
  readonly model: readonly ModelTurn[];
  readonly on_hold?: 'suspend';
  readonly timeout?: number;
  readonly answer?: 'approve' | 'refuse';
  readonly abort?: string;
  readonly away?: true;
  readonly fail?: 'open';
  readonly stream?: true;
  readonly hand_over?: string;
  readonly expect: {
    readonly ran: readonly Ran[];
    readonly told?: Readonly<Record<string, readonly string[]>>;
    readonly untold?: readonly string[];
    readonly text?: string;
    readonly ends?: 'denied' | 'held' | 'halted' | 'unavailable' | 'aborted';
    readonly record?: readonly string[];
  };
}

export interface PlainTool {
  readonly name: string;
  readonly parameters: {
    readonly type: 'object';
    readonly properties: object;
    readonly required?: readonly string[];
  };
  readonly execute: (args: object, signal: AbortSignal | undefined) => Promise<unknown>;
}

/** One run of an agent. */
export interface Play {
  readonly session: Session;
  /** Base URL of the scripted model: `http://127.0.0.1:PORT`. */
  readonly model: string;
  readonly tools: readonly PlainTool[];
  readonly options: AdapterOptions;
  readonly user: string;
  readonly stream: boolean;
  readonly signal: AbortSignal;
  readonly handOver: string | undefined;
}

export interface Outcome {
  readonly text: string;
  /** Set when the framework's run is suspended: what a program keeps of it, as JSON, to go on once the hold is answered. */
  readonly saved?: unknown;
}

export interface Rig {
  readonly name: string;
  readonly streams: boolean;
  /** Scenarios that the framework leaves no way for, and why. */
  readonly cannot: Readonly<Record<string, string>>;
  /** Begins the agent's run, or goes on from what an earlier one, perhaps of another process, has saved. */
  run(play: Play, saved?: unknown): Promise<Outcome>;
}

interface File {
  readonly spec: string;
  readonly tools: Readonly<Record<string, { gives?: unknown; fails?: string; waits?: number }>>;
  readonly scenarios: readonly Scenario[];
}

const FILE = parse(readFileSync(new URL('./scenarios.yaml', import.meta.url), 'utf8')) as File;
export const SCENARIOS = FILE.scenarios;
export const SPEC = parse(FILE.spec) as { tools: Record<string, { input: PlainTool['parameters'] }> };

const ENDS: Readonly<Record<string, string>> = {
  denied: 'step-denied',
  held: 'step-held',
  halted: 'session-halted',
  unavailable: 'decision-unavailable',
};

export async function playScenario(rig: Rig, scenario: Scenario, stream: boolean): Promise<void> {
  const engine = await openEngine({
    dataDir: null,
    specs: [loadSpecObject({ ...SPEC, fail: scenario.fail ?? 'closed' })],
    withoutSpec: 'deny',
  });
  const interlock = overTransport(localTransport(engine));
  const model = await startScriptedModel({ script: scenario.model.map(turnOf) });
  try {
    await played(rig, scenario, stream, { engine, interlock, model });
  } finally {
    await model.close();
    await engine.close();
  }
}

interface Stage {
  readonly engine: Engine;
  readonly interlock: Interlock;
  readonly model: ScriptedModel;
}

async function played(rig: Rig, scenario: Scenario, stream: boolean, stage: Stage): Promise<void> {
  const { engine, interlock, model } = stage;
  const { expect } = scenario;
  const session = await interlock.session({ agent: { name: rig.name } });
  const ran: Ran[] = [];
  const stop = new AbortController();
  const tools = toolsOf(scenario, ran, stop);
  const suspend = scenario.on_hold === 'suspend';
  const unsubscribe = suspend ? () => {} : answering(scenario, engine);
  const options: AdapterOptions = {
    ...(suspend ? { onHold: 'suspend' as const } : {}),
    ...(scenario.timeout === undefined ? {} : { timeoutMs: scenario.timeout }),
  };
  if (scenario.away) await engine.close();
  let outcome: Outcome | null = null;
  let failure: unknown = null;
  const play: Play = {
    session,
    model: model.url,
    tools,
    options,
    user: scenario.user,
    stream,
    signal: stop.signal,
    handOver: scenario.hand_over,
  };
  try {
    outcome = await rig.run(play);
    if (suspend) {
      assert.ok(outcome.saved !== undefined, 'the run is not suspended');
      assert.ok(!ran.some(([name]) => name === 'refund'), 'a held call ran');
      await answerAll(scenario, interlock);
      outcome = await rig.run(play, JSON.parse(JSON.stringify(outcome.saved)));
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    failure = error;
  } finally {
    unsubscribe();
  }

  const sorted = (list: readonly Ran[]) => list.map((each) => JSON.stringify(each)).sort();
  assert.deepEqual(sorted(ran), sorted(expect.ran), `ran; the run ended with ${describe(failure, outcome)}`);
  if (expect.ends !== undefined) {
    assert.ok(failure !== null, `the run ended with text: ${outcome?.text}`);
    if (expect.ends === 'aborted') assert.ok(stop.signal.aborted);
    else assert.equal(causeOf(failure)?.code, ENDS[expect.ends], describe(failure, outcome));
  } else if (expect.text !== undefined) {
    assert.equal(outcome?.text, expect.text, describe(failure, outcome));
  }
  const results = new Map(model.requests.flatMap(({ outputs }) => outputs.map((o) => [o.callId, o.content])));
  for (const [id, texts] of Object.entries(expect.told ?? {})) {
    for (const text of texts) assert.ok(results.get(id)?.includes(text), `${id} told: ${results.get(id)}`);
  }
  for (const text of expect.untold ?? []) {
    assert.ok(!(outcome?.text ?? '').includes(text), `the user got: ${outcome?.text}`);
    for (const told of results.values()) assert.ok(!told.includes(text), `the model got: ${told}`);
  }
  if (expect.record !== undefined) assert.deepEqual(await recordOf(engine, session), expect.record);
}

function describe(failure: unknown, outcome: Outcome | null): string {
  return failure === null ? `text: ${outcome?.text}` : String((failure as Error).stack ?? failure);
}

/** Frameworks wrap what a tool throws. */
export function causeOf(error: unknown): InterlockError | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if (at instanceof InterlockError) return at;
    const { cause, error: inner } = at as { cause?: unknown; error?: unknown };
    at = cause ?? inner;
  }
  return null;
}

export function turnOf(turn: ModelTurn): Turn {
  if ('say' in turn) return says(turn.say);
  if ('hand_over' in turn) {
    const [id, agent] = turn.hand_over;
    return calls(call(`transfer_to_${agent}`, {}, id));
  }
  return calls(...turn.call.map(([id, tool, args]) => call(tool, args, id)));
}

export function toolsOf({ abort }: Pick<Scenario, 'abort'>, ran: Ran[], stop: AbortController): PlainTool[] {
  return Object.entries(FILE.tools).map(([name, { gives, fails, waits }]) => ({
    name,
    parameters: SPEC.tools[name]!.input,
    async execute(args, signal) {
      ran.push([name, args]);
      if (abort === name) setImmediate(() => stop.abort());
      if (fails !== undefined) throw new Error(fails);
      if (waits !== undefined) await waited(waits, signal);
      return gives ?? null;
    },
  }));
}

function waited(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function answering(scenario: Scenario, engine: Engine): () => void {
  if (scenario.answer === undefined) return () => {};
  const approve = scenario.answer === 'approve';
  return engine.subscribe((event) => {
    if (event.type !== 'hold' || event.state !== 'pending') return;
    void engine.answerHold(event.hold, { approve, by: 'reviewer', role: 'support-lead' });
  });
}

async function answerAll(scenario: Scenario, interlock: Interlock): Promise<void> {
  const approve = scenario.answer === 'approve';
  const holds = await interlock.holds({ state: 'pending' });
  assert.equal(holds.length, 1);
  for (const { id } of holds)
    await interlock.answerHold(id, { approve, by: 'reviewer', role: 'support-lead' });
}

async function recordOf(engine: Engine, session: Session): Promise<string[]> {
  const { steps } = await engine.steps(session.id, { from: 0, limit: 100 });
  return steps
    .filter(({ step }) => !/^(model|session)\./.test(step.kind))
    .map(({ step, decision }) => {
      const how = step.error === undefined ? decision?.verdict : 'error';
      return [step.kind, step.name, how].filter((word) => word !== '').join(' ');
    });
}
