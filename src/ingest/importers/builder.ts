// Lays the steps of one imported session in order: seq, ids, times, and which result answers which call.
// No I/O and no clock, so that the same record always gives the same steps.
import { ID_LENGTH_MAX } from '../../step/parse.ts';
import { parseStructure } from '../../step/structure.ts';
import type { Agent, Json, JsonObject, Step, StepKind, Usage } from '../../step/types.ts';
import { argumentsText, callArguments } from './fields.ts';
import type { ImportedSession, ImportProblem, Where } from './types.ts';

/** Time of the first step of a session that recorded none: 2024-01-01T00:00:00Z; one second a step from there. */
export const EPOCH_MS = Date.UTC(2024, 0, 1);
const STEP_MS = 1000;

/** What a record says about a step, beside its kind and name. */
export interface Recorded {
  readonly message: number | null;
  readonly timeMs?: number | undefined;
  readonly content?: string | undefined;
  readonly args?: JsonObject | undefined;
  readonly error?: NonNullable<Step['error']> | undefined;
  /** A result the record gives in structure; otherwise it is parsed out of the content. */
  readonly result?: Json | undefined;
  readonly usage?: Usage | undefined;
  readonly parent?: string | undefined;
  readonly agent?: Agent | undefined;
}

export interface SessionInit {
  readonly session: string;
  readonly agent: Agent;
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  /** The first time recorded, in milliseconds since the epoch; absent when the record has no times at all. */
  readonly startMs?: number | undefined;
}

interface OpenCall {
  readonly message: number | null;
  readonly step: Step;
}

export type SessionBuilder = ReturnType<typeof buildSession>;

export function buildSession(init: SessionInit, where: Where) {
  const steps: Step[] = [];
  const messageIndex: (number | null)[] = [];
  const callIds: (string | null)[] = [];
  const problems: ImportProblem[] = [];
  const openCalls = new Map<string, OpenCall[]>();
  const timesSeen = new Map<string, number>();
  const callIdsUsed = new Set<string>();
  const common = {
    ...(init.principal === undefined ? {} : { principal: init.principal }),
    ...(init.tenant === undefined ? {} : { tenant: init.tenant }),
  };
  let lastMs = init.startMs ?? EPOCH_MS;

  let line = where.line;

  function problem(what: string, mend: string): void {
    problems.push({ file: where.file, line, what, mend });
  }

  /** Where the record goes on, for records of several lines. */
  function moveTo(nextLine: number): void {
    line = nextLine;
  }

  /** The recorded time, or that of the step before; never earlier than it, as recording clocks may step back. */
  function timeOf(recordedMs: number | undefined): number {
    if (init.startMs === undefined) return EPOCH_MS + steps.length * STEP_MS;
    lastMs = Math.max(lastMs, recordedMs ?? lastMs);
    return lastMs;
  }

  function push(kind: StepKind, name: string, at: Recorded, call: { id: string; raw: string } | null): Step {
    const step: Step = {
      id: `s${steps.length}`,
      session: init.session,
      seq: steps.length,
      time: timeOf(at.timeMs),
      kind,
      name,
      agent: at.agent ?? init.agent,
      ...common,
    };
    const open = step as { -readonly [K in keyof Step]: Step[K] };
    if (call !== null) open.callId = call.id;
    if (at.args !== undefined) open.args = at.args;
    if (at.content !== undefined) open.content = wellFormed(at.content);
    if (at.error !== undefined) open.error = at.error;
    if (at.usage !== undefined) open.usage = at.usage;
    if (at.parent !== undefined) open.parent = at.parent;
    steps.push(step);
    messageIndex.push(at.message);
    callIds.push(call?.raw ?? null);
    return step;
  }

  function wellFormed(text: string): string {
    if (text.isWellFormed()) return text;
    problem('text with half a surrogate pair', 'It was replaced by U+FFFD; export the log as valid UTF-8.');
    return text.toWellFormed();
  }

  /** A name a step may carry: not empty, no control characters, at most 200 characters. */
  function nameOf(raw: unknown, what: string): string {
    if (typeof raw === 'string' && raw !== '' && isPlain(raw)) return raw;
    problem(
      `${what} has no usable name`,
      'It is replayed as "unnamed"; give it a name of 1 to 200 characters.',
    );
    return 'unnamed';
  }

  function add(kind: StepKind, name: string, at: Recorded): Step {
    return push(kind, name, at, null);
  }

  /** What a model thought and told nobody. */
  function addThought(at: Recorded & { readonly model?: string | undefined }): Step {
    return add('model.response', at.model ?? init.agent.name, at);
  }

  /** A call, with its arguments as they were recorded. When they cannot be read it keeps their text and says so. */
  function addCall(rawId: unknown, name: unknown, rawArguments: unknown, at: Recorded): Step {
    const args = callArguments(rawArguments);
    const content = args === null ? argumentsText(rawArguments) : undefined;
    const error = args === null ? MALFORMED_ARGUMENTS : undefined;
    return pushCall(rawId, name, { ...at, args: args ?? {}, content, error });
  }

  /** The id itself the first time, then `id#2`, `id#3`: the monitor joins a result to its call by it. */
  function uniqueId(base: string): string {
    let times = timesSeen.get(base) ?? 0;
    let id: string;
    do {
      times++;
      id = times === 1 ? base : `${base.slice(0, ID_LENGTH_MAX - 12)}#${times}`;
    } while (callIdsUsed.has(id));
    timesSeen.set(base, times);
    callIdsUsed.add(id);
    return id;
  }

  function pushCall(rawId: unknown, name: unknown, at: Recorded): Step {
    const raw = typeof rawId === 'string' && rawId !== '' && isPlain(rawId) ? rawId : null;
    const base = raw ?? `call-${steps.length}`;
    const id = uniqueId(base);
    const step = push('tool.call', nameOf(name, 'a tool call'), at, { id, raw: base });
    const calls = openCalls.get(base);
    if (calls === undefined) openCalls.set(base, [{ message: at.message, step }]);
    else calls.push({ message: at.message, step });
    return step;
  }

  /** The unanswered call of this id in the latest message that has one; the first of them when it has several. */
  function takeCall(rawId: string): Step | null {
    const calls = openCalls.get(rawId);
    const latest = calls?.at(-1);
    if (calls === undefined || latest === undefined) return null;
    const index = calls.findIndex((call) => call.message === latest.message);
    const [call] = calls.splice(index, 1);
    if (calls.length === 0) openCalls.delete(rawId);
    return call!.step;
  }

  /** The nearest earlier unanswered call of a tool, for logs whose results carry no id. */
  function takeCallNamed(name: string | null): { raw: string; step: Step } | null {
    let found: { raw: string; step: Step } | null = null;
    for (const [raw, calls] of openCalls) {
      for (const { step } of calls) {
        if (name !== null && step.name !== name) continue;
        if (found === null || step.seq > found.step.seq) found = { raw, step };
      }
    }
    return found === null ? null : { raw: found.raw, step: takeCall(found.raw) ?? found.step };
  }

  /** A tool's answer: raw, in structure where it has one, and as an error where it says so. */
  function addResult(rawId: unknown, name: unknown, content: string, at: Recorded): Step {
    const found =
      typeof rawId === 'string' && rawId !== '' ? answered(rawId) : takeCallNamed(textOrNull(name));
    if (found === null) {
      const id = typeof rawId === 'string' && rawId !== '' ? JSON.stringify(rawId.slice(0, 60)) : 'no id';
      problem(`a tool result with ${id} answers no earlier call`, 'Give it the id of the call it answers.');
    }
    const raw = found?.raw ?? (typeof rawId === 'string' && isPlain(rawId) && rawId !== '' ? rawId : null);
    const step = push(
      'tool.result',
      found?.step.name ?? nameOf(name ?? 'unknown', 'a tool result'),
      { ...at, content, error: at.error ?? errorIn(content), parent: found?.step.id },
      raw === null ? null : { id: found?.step.callId ?? raw, raw },
    );
    if (step.error === undefined) {
      const result = at.result ?? parseStructure(step.content ?? '');
      if (result !== undefined) (step as { result?: Step['result'] }).result = result;
    }
    return step;
  }

  function answered(rawId: string): { raw: string; step: Step } | null {
    const step = takeCall(rawId);
    return step === null ? null : { raw: rawId, step };
  }

  function finish(extra: JsonObject): ImportedSession {
    add('session.end', '', { message: null });
    return { session: init.session, agent: init.agent, steps, messageIndex, callIds, problems, extra };
  }

  add('session.start', '', { message: null });
  return { add, addThought, addCall, addResult, problem, moveTo, finish };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Whether a string may be an id or a name: at most 200 characters, well-formed, no control characters. */
export function isPlain(text: string): boolean {
  if (text.length > ID_LENGTH_MAX || !text.isWellFormed()) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
  }
  return true;
}

const MALFORMED_ARGUMENTS: NonNullable<Step['error']> = {
  message: 'the arguments are not one JSON object with distinct keys',
  type: 'malformed-arguments',
};

const ERROR_MESSAGE_LENGTH = 500;

/** The error a tool's text announces: logs of this kind begin it with `ERROR:` or `Error:`. */
function errorIn(content: string): NonNullable<Step['error']> | undefined {
  if (!content.startsWith('ERROR:') && !content.startsWith('Error:')) return undefined;
  return {
    message: content
      .slice(6, 6 + ERROR_MESSAGE_LENGTH)
      .trim()
      .toWellFormed(),
    type: 'tool-error',
  };
}
