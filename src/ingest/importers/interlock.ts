// Our own export, one session a line, lossless:
// `{ interlock: 1, session, agent, spec: { digest, name, canonical } | null, noSpec, steps, decisions, stepDigests,
// stateDigests }`.
// Unlike the logs of others it is refused as a whole when a part of it is not what it should be. No I/O.
import type { Decision } from '../../monitor/types.ts';
import { reader } from '../../step/parse.ts';
import { type Agent, type JsonObject, STEP_KINDS, type Step, type StepKind } from '../../step/types.ts';
import { isObject } from './fields.ts';
import { readRecord } from './record.ts';
import type { Import, ImportedSession, ImportProblem, Where } from './types.ts';

export interface RecordedSpec {
  readonly digest: string;
  readonly name: string;
  /** The canonical text that was compiled. */
  readonly canonical: string;
}

/** A session as it was decided live. The four lists run in parallel. */
export interface Recording {
  readonly session: string;
  readonly agent: Agent;
  /** The spec the session was pinned to; null when none applied. */
  readonly spec: RecordedSpec | null;
  /** What was configured for a session without a spec; null when it has one. */
  readonly noSpec: 'deny' | 'allow' | null;
  readonly steps: readonly Step[];
  readonly decisions: readonly Decision[];
  readonly stepDigests: readonly string[];
  readonly stateDigests: readonly string[];
}

export type RecordingRead =
  | { readonly ok: true; readonly recording: Recording; readonly extra: JsonObject }
  | { readonly ok: false; readonly problem: ImportProblem };

/** One line of an export, without the line break. */
export function formatRecording(recording: Recording): string {
  return JSON.stringify({ interlock: 1, ...recording });
}

const MEND = 'Export the session again with `interlock sessions export`.';
const KEYS = [
  'interlock',
  'session',
  'agent',
  'spec',
  'noSpec',
  'steps',
  'decisions',
  'stepDigests',
  'stateDigests',
];

export function readRecording(line: string, where: Where): RecordingRead {
  const refuse = (what: string): RecordingRead => ({ ok: false, problem: { ...where, what, mend: MEND } });
  const read = readRecord(line, where);
  if (!read.ok) return read;
  const { record } = read;
  if (record.interlock !== 1) return refuse(`"interlock" is ${JSON.stringify(record.interlock)}, not 1`);
  if (typeof record.session !== 'string') return refuse('no "session"');
  const { steps, decisions, stepDigests, stateDigests } = record;
  if (!Array.isArray(steps) || steps.length === 0) return refuse('no "steps"');
  const parsed: Step[] = [];
  for (const [seq, value] of (steps as readonly unknown[]).entries()) {
    const step = readStep(value, record.session, seq);
    if (typeof step === 'string') return refuse(`step ${seq}: ${step}`);
    parsed.push(step);
  }
  if (!isListOf(decisions, steps.length, isDecision)) return refuse('"decisions" does not match the steps');
  if (!isListOf(stepDigests, steps.length, isDigest)) return refuse('"stepDigests" does not match the steps');
  if (!isListOf(stateDigests, steps.length, isDigest))
    return refuse('"stateDigests" does not match the steps');
  const spec = readSpec(record.spec);
  if (spec === undefined) return refuse('"spec" is not { digest, name, canonical } or null');
  const noSpec: Recording['noSpec'] =
    record.noSpec === 'deny' || record.noSpec === 'allow' ? record.noSpec : null;
  if ((spec === null) !== (noSpec !== null))
    return refuse('it needs a "spec", or "noSpec" of "deny" or "allow"');
  const agent = isAgent(record.agent) ? record.agent : (parsed[0]?.agent ?? { name: 'unknown' });
  const extra = Object.fromEntries(
    Object.entries(record).filter(([key]) => !KEYS.includes(key)),
  ) as JsonObject;
  const recording = {
    session: record.session,
    agent,
    spec,
    noSpec,
    steps: parsed,
    decisions,
    stepDigests,
    stateDigests,
  };
  return { ok: true, recording, extra };
}

/** The steps of a recording, for a replay under another spec. */
export function importRecording(line: string, where: Where): Import {
  const read = readRecording(line, where);
  if (!read.ok) return { session: null, problems: [read.problem] };
  const { session, agent, steps } = read.recording;
  return {
    session,
    agent,
    steps,
    messageIndex: steps.map(() => null),
    callIds: steps.map((step) => step.callId ?? null),
    problems: [],
    extra: read.extra,
  } satisfies ImportedSession;
}

const STEP_KEYS = [
  'id',
  'session',
  'seq',
  'time',
  'kind',
  'name',
  'agent',
  'principal',
  'tenant',
  'callId',
  'args',
  'content',
  'result',
  'error',
  'labels',
  'attributes',
  'usage',
  'parent',
  'facts',
] as const;

/** A step whose shape is right, or what is wrong with it. */
function readStep(value: unknown, session: string, seq: number): Step | string {
  const read = reader();
  const fields = read.object(value, '', STEP_KEYS);
  if (fields !== null) {
    read.text(fields.id, '/id');
    read.name(fields.name, '/name');
    read.optional(fields.agent, '/agent', read.agent);
    for (const key of ['principal', 'tenant', 'callId', 'parent'] as const)
      read.optional(fields[key], `/${key}`, read.text);
    read.optional(fields.args, '/args', read.args);
    read.optional(fields.content, '/content', read.content);
    read.optional(fields.result, '/result', read.json);
    read.optional(fields.error, '/error', read.error);
    read.optional(fields.labels, '/labels', read.labels);
    read.optional(fields.attributes, '/attributes', read.named);
    read.optional(fields.usage, '/usage', read.usage);
    if (fields.facts !== undefined) readFacts(read, fields.facts);
  }
  const [problem] = read.problems;
  if (problem !== undefined) return `${problem.at} should be ${problem.expected}, is ${problem.found}`;
  const step = value as Step;
  if (step.session !== session) return 'it belongs to another session';
  if (step.seq !== seq) return `"seq" is ${JSON.stringify(step.seq)}`;
  if (!Number.isSafeInteger(step.time)) return '"time" is not in milliseconds';
  if (!STEP_KINDS.includes(step.kind as StepKind)) return `the kind ${JSON.stringify(step.kind)} is unknown`;
  return step;
}

const MAX_FACTS = 1_000;

function readFacts(read: ReturnType<typeof reader>, value: unknown): void {
  if (!Array.isArray(value) || value.length > MAX_FACTS) {
    read.json(undefined, '/facts');
    return;
  }
  for (const [i, fact] of value.entries()) {
    const at = `/facts/${i}`;
    const fields = read.object(fact, at, ['id', 'key', 'value', 'error', 'seen']);
    if (fields === null) continue;
    read.text(fields.id, `${at}/id`);
    read.content(fields.key, `${at}/key`);
    read.optional(fields.value, `${at}/value`, read.json);
    const error = read.optional(fields.error, `${at}/error`, (given, here) =>
      read.object(given, here, ['code', 'message']),
    );
    if (error) {
      read.text(error.code, `${at}/error/code`);
      read.content(error.message, `${at}/error/message`);
    }
    for (const [j, seen] of (Array.isArray(fields.seen) ? fields.seen : [null]).entries()) {
      const here = `${at}/seen/${j}`;
      const step = read.object(seen, here, ['session', 'seq', 'id', 'kind', 'name', 'note']);
      if (step === null) continue;
      read.text(step.session, `${here}/session`);
      read.text(step.id, `${here}/id`);
      read.name(step.name, `${here}/name`);
      read.kind(step.kind);
      if (!Number.isSafeInteger(step.seq)) read.json(undefined, `${here}/seq`);
    }
  }
}

function readSpec(value: unknown): RecordedSpec | null | undefined {
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  const { digest, name, canonical } = value;
  if (!isDigest(digest) || typeof name !== 'string' || typeof canonical !== 'string') return undefined;
  return { digest, name, canonical };
}

function isListOf<T>(value: unknown, length: number, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length === length && value.every(isItem);
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}

function isDecision(value: unknown): value is Decision {
  return isObject(value) && typeof value.verdict === 'string' && Array.isArray(value.rules);
}

function isAgent(value: unknown): value is Agent {
  return isObject(value) && typeof value.name === 'string';
}
