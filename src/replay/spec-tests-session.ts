// One example session under a spec: each act made a step, decided by the real monitor. Pure.
import { SharedHistory } from '../monitor/history.ts';
import { bindingOf, createMonitor } from '../monitor/session-monitor.ts';
import type { Decision } from '../monitor/types.ts';
import { parseDuration } from '../spec/duration.ts';
import type { CompiledSpec } from '../spec/index.ts';
import { type MapEntry, type Source, textsOf, toJson } from '../spec/source.ts';
import type { JsonObject, Step, StepKind } from '../step/types.ts';
import { type Act, type ExampleClause, optionalMap, optionalText, PLAIN_ACTS } from './spec-tests-read.ts';

const EPOCH_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 1000;

export type Seen = (step: Step, decision: Decision) => void;

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
export class Example {
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
  #attributes: JsonObject | undefined;
  /** Attributes of the steps that do not say their own. */
  readonly #usual: JsonObject | undefined;
  readonly #seen: Seen;

  /** `seen` hears of every step that is decided. */
  constructor(
    spec: CompiledSpec,
    { principal, agent, attributes }: Pick<ExampleClause, 'principal' | 'agent' | 'attributes'>,
    seen: Seen,
  ) {
    this.#seen = seen;
    this.#usual = attributes;
    this.#attributes = attributes;
    this.#monitor = createMonitor(spec.program);
    this.#state = this.#monitor.start();
    this.#principal = principal;
    this.#agent = agent ?? 'example';
    this.#step('session.start', this.#agent, {});
  }

  take({ source, act, fields: step }: Act): Decision | null {
    const value = toJson(step.get(act)!.node);
    this.#attributes = optionalMap(source, step.get('attributes')) ?? this.#usual;
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
      case 'use':
        // Read away: its steps stand in its place.
        return null;
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
    this.#attributes = held.attributes;
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
      ...(this.#attributes === undefined ? {} : { attributes: this.#attributes }),
      ...rest,
    };
    const { decision, arrival } = this.#monitor.step(this.#state, step, this.#history);
    if (arrival !== undefined) this.#monitor.feed?.(arrival, this.#history, new Set());
    this.#history.drain();
    this.#seen(step, decision);
    if (decision.verdict === 'hold')
      this.#held = decision.transformed ? { ...step, args: decision.transformed } : step;
    return decision;
  }
}
