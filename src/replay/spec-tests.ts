// Runs the example sessions written in a spec: each step through the real monitor, each expectation checked. Pure.
import { SharedHistory } from '../monitor/history.ts';
import { bindingOf, createMonitor } from '../monitor/session-monitor.ts';
import { type Decision, VERDICTS } from '../monitor/types.ts';
import { parseDuration } from '../spec/duration.ts';
import type { CompiledSpec } from '../spec/index.ts';
import type { Problem } from '../spec/problem.ts';
import {
  fieldsOf,
  type MapEntry,
  Source,
  type SourceNode,
  textOf,
  textsOf,
  toJson,
  wordOf,
} from '../spec/source.ts';
import type { JsonObject, Step, StepKind } from '../step/types.ts';

export interface SpecTestFailure {
  readonly step: number;
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

export interface SpecTestResult {
  readonly name: string;
  readonly line: number;
  readonly failures: readonly SpecTestFailure[];
}

export interface SpecTestReport {
  readonly results: readonly SpecTestResult[];
  /** Ids of rules that fired in some example, and of those that never did. */
  readonly fired: readonly string[];
  readonly silent: readonly string[];
  readonly problems: readonly Problem[];
}

/** Acts that are one step of a kind, with what is written beside them. */
const PLAIN_ACTS = {
  request: 'model.request',
  response: 'model.response',
  retrieval: 'retrieval',
  recall: 'memory.read',
  remember: 'memory.write',
  handoff: 'handoff',
  check: 'check',
  end: 'session.end',
} as const satisfies Record<string, StepKind>;
type PlainAct = keyof typeof PLAIN_ACTS;
const ACTS = [
  'input',
  'system',
  'call',
  'result',
  'output',
  'approve',
  'refuse',
  'wait',
  'session',
  ...(Object.keys(PLAIN_ACTS) as PlainAct[]),
] as const;
const STEP_KEYS = [...ACTS, 'args', 'id', 'value', 'content', 'error', 'expect', 'rule', 'by', 'role'];
const EPOCH_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 1000;

/** Runs every example of the spec; `text` is the spec's own text, for places in messages. */
export function runSpecTests(spec: CompiledSpec, file: string, text: string): SpecTestReport {
  const source = new Source(file, text);
  const results: SpecTestResult[] = [];
  const fired = new Set<string>();
  if (spec.tests !== null) {
    if (spec.tests.t !== 'list')
      source.error('type', spec.tests.range, '`tests` must be a list of example sessions');
    else
      for (const node of spec.tests.items) {
        const result = runExample(spec, source, node, fired);
        if (result) results.push(result);
      }
  }
  const ids = spec.program.rules.map((rule) => rule.id);
  return {
    results,
    fired: ids.filter((id) => fired.has(id)),
    silent: ids.filter((id) => !fired.has(id)),
    problems: source.problems,
  };
}

function runExample(
  spec: CompiledSpec,
  source: Source,
  node: SourceNode,
  fired: Set<string>,
): SpecTestResult | null {
  const fields = fieldsOf(source, node, 'a test', ['name', 'principal', 'agent', 'steps']);
  const nameEntry = fields?.get('name');
  const stepsEntry = fields?.get('steps');
  if (!fields || !nameEntry || stepsEntry?.node.t !== 'list') {
    if (fields) source.error('test', node.range, 'a test needs a `name` and a list of `steps`');
    return null;
  }
  const session = new Example(spec, optionalText(fields.get('principal')), optionalText(fields.get('agent')));
  const failures: SpecTestFailure[] = [];
  stepsEntry.node.items.forEach((item, index) => {
    const step = fieldsOf(source, item, 'a step of a test', STEP_KEYS);
    if (!step) return;
    const acts = ACTS.filter((act) => step.has(act));
    if (acts.length !== 1) {
      source.error('test', item.range, `a step of a test has exactly one of ${ACTS.join(', ')}`);
      return;
    }
    const decision = session.take(source, acts[0]!, step);
    for (const outcome of decision?.rules ?? []) fired.add(outcome.rule);
    const expectEntry = step.get('expect');
    if (!expectEntry || !decision) return;
    const expected = wordOf(source, expectEntry.node, '`expect`', VERDICTS);
    const ruleEntry = step.get('rule');
    const rule = ruleEntry ? textOf(source, ruleEntry.node, '`rule`') : undefined;
    const ok =
      decision.verdict === expected &&
      (rule === undefined || decision.rules.some((outcome) => outcome.rule === rule));
    if (ok) return;
    const { line } = source.lines.position(expectEntry.node.range.start);
    failures.push({
      step: index,
      line,
      expected: rule === undefined ? String(expected) : `${expected} by ${rule}`,
      found: showDecision(decision),
    });
  });
  return {
    name: String(toJson(nameEntry.node)),
    line: source.lines.position(node.range.start).line,
    failures,
  };
}

function showDecision(decision: Decision): string {
  const rules = decision.rules.map((outcome) => `${outcome.rule} (${outcome.cause}: ${outcome.because})`);
  return rules.length === 0 ? decision.verdict : `${decision.verdict} by ${rules.join('; ')}`;
}

function optionalText(entry: MapEntry | undefined): string | undefined {
  const value = entry ? toJson(entry.node) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** What an example writes beside an act. */
function writtenIn(
  step: ReadonlyMap<string, MapEntry>,
): Partial<Pick<Step, 'args' | 'content' | 'result' | 'error'>> {
  const args = step.get('args');
  const value = step.get('value');
  const content = optionalText(step.get('content'));
  const error = optionalText(step.get('error'));
  return {
    ...(args ? { args: toJson(args.node) as JsonObject } : {}),
    ...(value ? { result: toJson(value.node) } : {}),
    ...(content === undefined ? {} : { content }),
    ...(error === undefined ? {} : { error: { message: error } }),
  };
}

/** One example under the spec, a session or several: a clock that moves a second a step, call ids made up where none is given. */
class Example {
  readonly #monitor;
  /** What its sessions share. */
  readonly #history = new SharedHistory();
  readonly #agent: string;
  #state;
  #principal: string | undefined;
  #open: { name: string; callId: string }[] = [];
  #session = 0;
  #seq = 0;
  #time = EPOCH_MS;
  #held: Step | null = null;

  constructor(spec: CompiledSpec, principal: string | undefined, agent: string | undefined) {
    this.#monitor = createMonitor(spec.program);
    this.#state = this.#monitor.start();
    this.#principal = principal;
    this.#agent = agent ?? 'example';
    this.#step('session.start', this.#agent, {});
  }

  take(source: Source, act: (typeof ACTS)[number], step: ReadonlyMap<string, MapEntry>): Decision | null {
    const value = toJson(step.get(act)!.node);
    const text = typeof value === 'string' ? value : '';
    switch (act) {
      case 'wait': {
        const ms = parseDuration(text);
        if (ms === null) source.error('test', step.get(act)!.node.range, '`wait` is a duration such as 30m');
        this.#time += ms ?? 0;
        return null;
      }
      case 'session':
        this.#begin(text === '' ? this.#principal : text);
        return null;
      case 'input':
      case 'system':
        return this.#step('input', act === 'input' ? 'user' : 'system', { content: text });
      case 'output':
        return this.#step('output', '', { content: text });
      case 'call': {
        const callId = optionalText(step.get('id')) ?? `call-${this.#seq}`;
        const args = step.get('args');
        const decision = this.#step('tool.call', text, {
          callId,
          args: (args ? toJson(args.node) : {}) as JsonObject,
        });
        // What was refused has no result.
        if (decision.verdict !== 'deny' && decision.verdict !== 'halt')
          this.#open.push({ name: text, callId });
        return decision;
      }
      case 'result':
        return this.#result(text, step);
      case 'approve':
      case 'refuse':
        return this.#answer(source, act === 'approve', step);
      default:
        return this.#step(PLAIN_ACTS[act], text, writtenIn(step));
    }
  }

  /** Another session, of this principal: the one before it is left as it is. */
  #begin(principal: string | undefined): void {
    this.#principal = principal;
    this.#state = this.#monitor.start();
    this.#open = [];
    this.#held = null;
    this.#session++;
    this.#seq = 0;
    this.#step('session.start', this.#agent, {});
  }

  #result(name: string, step: ReadonlyMap<string, MapEntry>): Decision {
    const args = step.get('args');
    // With arguments it is a call of its own, and its result; without, the result of the oldest open call.
    const at = args ? -1 : this.#open.findIndex((call) => call.name === name);
    const callId =
      optionalText(step.get('id')) ?? (at >= 0 ? this.#open.splice(at, 1)[0]!.callId : `call-${this.#seq}`);
    if (args) this.#step('tool.call', name, { callId, args: toJson(args.node) as JsonObject });
    const { args: _, ...given } = writtenIn(step);
    return this.#step('tool.result', name, { callId, ...given });
  }

  /** `by` and `role` are one person and their role, or lists of the same length: a quorum answers at once. */
  #answer(source: Source, approve: boolean, step: ReadonlyMap<string, MapEntry>): Decision | null {
    const held = this.#held;
    if (held === null) return null;
    const by = step.get('by');
    const role = step.get('role');
    const args: JsonObject = {
      binding: bindingOf(held),
      approve,
      by: by ? textsOf(source, by.node, '`by`') : ['reviewer@example.com'],
      roles: role ? textsOf(source, role.node, '`role`') : ['reviewer'],
    };
    this.#step('approval', held.name, {
      args,
      ...(held.callId === undefined ? {} : { callId: held.callId }),
    });
    // The agent's door proposes the held act again once it is answered.
    const { name, kind, args: heldArgs, callId, content } = held;
    return this.#step(kind, name, {
      ...(heldArgs ? { args: heldArgs } : {}),
      ...(callId === undefined ? {} : { callId }),
      ...(content === undefined ? {} : { content }),
    });
  }

  #step(
    kind: StepKind,
    name: string,
    rest: Partial<Pick<Step, 'args' | 'content' | 'result' | 'error' | 'callId'>>,
  ): Decision {
    this.#time += STEP_MS;
    const step: Step = {
      id: `step-${this.#seq}`,
      session: `example-${this.#session}`,
      seq: this.#seq++,
      time: this.#time,
      kind,
      name,
      agent: { name: this.#agent },
      ...(this.#principal === undefined ? {} : { principal: this.#principal }),
      ...rest,
    };
    const { decision, arrival } = this.#monitor.step(this.#state, step, this.#history);
    if (arrival !== undefined) this.#monitor.feed?.(arrival, this.#history, new Set());
    this.#history.drain();
    if (decision.verdict === 'hold')
      this.#held = decision.transformed ? { ...step, args: decision.transformed } : step;
    return decision;
  }
}
