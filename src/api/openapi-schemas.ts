// The shapes of src/step, src/monitor and src/engine as JSON Schema 2020-12, for the OpenAPI document. Data only; a test
// holds real answers to them.
import { DOORS } from '../engine/types.ts';
import { VERDICTS } from '../monitor/types.ts';
import { STEP_KINDS } from '../step/types.ts';

/** A JSON Schema, as far as this document uses it. */
export type Schema = { readonly [keyword: string]: unknown };

const string: Schema = { type: 'string' };
const integer: Schema = { type: 'integer', minimum: 0 };
const boolean: Schema = { type: 'boolean' };
const epochMs: Schema = { type: 'number', description: 'Milliseconds since the Unix epoch.' };
const digest: Schema = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' };
const json: Schema = { description: 'Any JSON value.' };
const jsonObject: Schema = { type: 'object' };

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function nullable(schema: Schema): Schema {
  return 'type' in schema
    ? { ...schema, type: [schema.type, 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
}

export function record(required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

const short: Schema = { type: 'string', minLength: 1, maxLength: 200 };
const stepFields: Record<string, Schema> = {
  callId: { ...string, description: 'Joins a result or an approval to its call.' },
  args: jsonObject,
  content: string,
  result: json,
  error: record({ message: string }, { type: string }),
  labels: list(string),
  attributes: {
    ...jsonObject,
    description: 'What the caller knows of the circumstances and the model does not choose; rules read it.',
  },
  usage: ref('Usage'),
  parent: { ...string, description: 'Id of the step that caused this one.' },
  agent: ref('Agent'),
};

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Agent: record({ name: short }, { version: string }),
  Usage: record(
    {},
    {
      inputTokens: integer,
      cacheReadTokens: integer,
      cacheWriteTokens: integer,
      outputTokens: integer,
      reasoningTokens: integer,
    },
  ),
  Verdict: { enum: VERDICTS, description: 'Strictest last.' },
  SessionInit: record({ agent: ref('Agent') }, { id: short, principal: short, tenant: short }),
  Proposal: record(
    { kind: { enum: STEP_KINDS.filter((kind) => !['approval', 'check', 'session.start'].includes(kind)) } },
    {
      id: { ...short, description: 'For safe retries: the same id with the same content is the same step.' },
      name: { ...string, description: 'Required for every kind but input, output and session.end.' },
      ...stepFields,
    },
  ),
  CheckRequest: record(
    { name: short },
    {
      subject: { description: 'What the check is about, any JSON.' },
      attestation: {
        description: 'For a check by attestation: a DSSE envelope around an in-toto statement.',
      },
    },
  ),
  Step: record(
    { id: string, session: string, seq: integer, time: epochMs, kind: { enum: STEP_KINDS }, name: string },
    { ...stepFields, principal: string, tenant: string, facts: list(ref('Fact')) },
  ),
  Fact: record(
    {
      id: { ...string, description: 'Which question of the spec.' },
      key: { ...string, description: 'What it was asked for.' },
      seen: list(
        record(
          { session: string, seq: integer, id: string, kind: { enum: STEP_KINDS }, name: string },
          { note: string },
        ),
      ),
    },
    {
      value: { description: 'The answer, any JSON; absent when there was none, and `error` says why.' },
      error: record({ code: { enum: ['absent', 'error'] }, message: string }),
    },
  ),
  Witness: record(
    { seq: integer, id: string, kind: { enum: STEP_KINDS }, name: string },
    { session: { ...string, description: 'Set when it is a step of another session.' }, note: string },
  ),
  ApprovalTerms: record(
    { by: list(string), quorum: integer, notPrincipal: boolean, expiresMs: integer },
    { escalate: record({ afterMs: integer, to: list(string) }) },
  ),
  Fix: {
    description: 'What would be allowed, for a program; `repair` says it in words.',
    oneOf: [
      record({ t: { const: 'call-first' }, tool: string, args: jsonObject }),
      record({
        t: { enum: ['at-most', 'at-least'] },
        path: string,
        value: { type: 'number' },
        exclusive: boolean,
      }),
      record({ t: { const: 'one-of' }, path: string, values: { type: 'array' } }),
      record({ t: { const: 'run-check' }, check: string, subject: {} }),
      record({ t: { const: 'approval' }, by: list(string), quorum: integer }),
    ],
  },
  RuleOutcome: record(
    {
      rule: string,
      verdict: ref('Verdict'),
      mode: { enum: ['shadow', 'warn', 'enforce'] },
      cause: { enum: ['violated', 'absent', 'error'] },
      because: string,
      witness: list(ref('Witness')),
      controls: list(string),
    },
    { repair: string, fixes: list(ref('Fix')), approve: ref('ApprovalTerms') },
  ),
  Decision: record(
    {
      session: string,
      seq: integer,
      step: string,
      verdict: ref('Verdict'),
      wouldBe: ref('Verdict'),
      mode: { enum: ['shadow', 'warn', 'enforce'] },
      rules: list(ref('RuleOutcome')),
      witness: list(ref('Witness')),
      spec: nullable(digest),
      engine: string,
    },
    {
      repair: string,
      transformed: { ...jsonObject, description: 'Arguments to run instead of the proposed ones.' },
      binding: { ...digest, description: 'Digest of the held arguments: what an approval binds to.' },
    },
  ),
  Recorded: record(
    { step: ref('Step'), decision: ref('Decision'), stepDigest: digest, stateDigest: digest },
    { holdId: string },
  ),
  SessionSummary: record(
    {
      id: string,
      agent: ref('Agent'),
      principal: nullable(string),
      tenant: nullable(string),
      state: { enum: ['open', 'held', 'halted', 'ended'] },
      guarded: boolean,
      startedAt: epochMs,
      lastAt: epochMs,
      steps: integer,
      verdicts: record({ allow: integer, transform: integer, hold: integer, deny: integer, halt: integer }),
      findings: integer,
      title: nullable(string),
      spec: nullable(digest),
      specName: nullable(string),
    },
    {
      door: { enum: DOORS },
      failOpen: {
        ...record({ kinds: list({ enum: STEP_KINDS }), tools: list(string) }),
        description:
          'When a session is opened: what may go on when no decision can be had (`fail: open`). ' +
          'It is told later, with the label `undecided`.',
      },
    },
  ),
  Hold: record(
    {
      id: string,
      session: string,
      seq: integer,
      callId: nullable(string),
      kind: { enum: STEP_KINDS },
      name: string,
      args: jsonObject,
      binding: digest,
      rules: list(string),
      because: string,
      by: list(string),
      quorum: integer,
      state: { enum: ['pending', 'approved', 'refused', 'expired', 'used'] },
      createdAt: epochMs,
      expiresAt: epochMs,
      answers: list(
        record({ by: string, role: string, approve: boolean, reason: nullable(string), at: epochMs }),
      ),
    },
    { escalation: record({ at: epochMs, to: list(string) }) },
  ),
  Answer: record({ approve: boolean, by: short, role: short }, { reason: string }),
  Finding: record({
    id: string,
    kind: { enum: ['unguarded-step', 'replay-mismatch', 'overdue-obligation'] },
    session: string,
    seq: nullable(integer),
    name: string,
    detail: string,
    at: epochMs,
  }),
  Span: record({
    traceId: string,
    spanId: string,
    parentSpanId: nullable(string),
    name: string,
    kind: integer,
    startNs: string,
    endNs: string,
    status: record({ code: integer, message: string }),
    attributes: jsonObject,
    events: list(record({ name: string, timeNs: string, attributes: jsonObject })),
    resource: jsonObject,
    scope: record({ name: string, version: string }),
    dialect: string,
  }),
  StepRow: record({
    step: ref('Step'),
    decision: nullable(ref('Decision')),
    stepDigest: digest,
    stateDigest: nullable(digest),
    span: nullable(ref('Span')),
    finding: nullable(ref('Finding')),
    hold: nullable(ref('Hold')),
  }),
  StopRequest: record(
    { reason: short, by: short },
    {
      agent: { ...short, description: 'Glob over agent names.' },
      version: short,
      tool: { ...short, description: 'Glob over tools: only their calls stop.' },
      tenant: short,
    },
  ),
  Stop: record({
    id: string,
    agent: nullable(string),
    version: nullable(string),
    tool: nullable(string),
    tenant: nullable(string),
    reason: string,
    by: string,
    at: epochMs,
    lifted: nullable(record({ by: string, at: epochMs })),
  }),
  AgentCoverage: record({
    agent: string,
    version: nullable(string),
    covered: integer,
    unguarded: integer,
    unseen: integer,
    doors: list({ enum: DOORS }),
    lastAt: epochMs,
  }),
  Health: record(
    {
      ok: { const: true },
      version: string,
      spec: list(record({ name: string, digest })),
      dataDir: string,
    },
    { peers: list(record({ url: string, state: { enum: ['following', 'unreachable'] }, since: epochMs })) },
  ),
  EngineEvent: {
    oneOf: [
      record({ type: { const: 'session' }, session: string }),
      record({ type: { const: 'step' }, session: string, seq: integer }),
      record(
        { type: { const: 'hold' }, session: string, hold: string, state: string },
        { escalated: { const: true } },
      ),
      record({ type: { const: 'stop' }, stop: string }),
      record({ type: { const: 'finding' }, session: string, finding: string }),
    ],
  },
  Problem: record(
    { type: string, title: string, status: integer, code: string, detail: string },
    {
      where: string,
      mend: string,
      problems: list(record({ where: string, expected: string, found: string }, { mend: string })),
    },
  ),
};
