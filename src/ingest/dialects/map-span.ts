// One span to the steps it shows: a tool span is a call and its result, a model span a request and its response.
// Only turns words; whose span it is (`context`) is settled in map-traces.ts, and the raw span goes along with each step.
import type { Observation, Span } from '../../engine/types.ts';
import type { Json, JsonObject, Proposal } from '../../step/types.ts';
import type { Fillable } from '../otlp/values.ts';
import { isExact } from './exact.ts';
import { interpret, type Reading } from './interpret.ts';
import { isObject, unwrapJson, unwrapStructure } from './json-text.ts';
import { askedBy, messagesOfEvents, textOf } from './messages.ts';
import { idOf, nameOf } from './names.ts';
import type { MappedSpan, SpanContext } from './types.ts';
import { readUsage, USAGE_INCONSISTENT } from './usage.ts';

/** On a call whose sender records no arguments: its empty `args` say nothing. */
export const ARGUMENTS_NOT_RECORDED = 'arguments-not-recorded';

type Draft = Omit<Proposal, 'id' | 'parent' | 'agent'>;
interface Acts {
  readonly began: readonly Draft[];
  readonly ended: readonly Draft[];
}
const NO_ACTS: Acts = { began: [], ended: [] };

/**
 * The steps a span shows, none for a span that only frames others. Ids are made of trace id, span id and kind, so that
 * a batch sent twice gives the same steps. A span still running (end 0) has begun and not ended.
 */
export function mapSpan(raw: Span, context: SpanContext, reading: Reading = interpret(raw)): MappedSpan {
  const span: Span = reading.dialect === null ? raw : { ...raw, dialect: reading.dialect.name };
  const { began, ended } = actsOf(span, context, reading);
  const beganMs = milliseconds(span.startNs);
  // A clock that was set back gives an end before the start: the result still follows its call.
  const endedMs = Math.max(beganMs, milliseconds(span.endNs));
  const first = began[0];
  return {
    span,
    began: began.map((draft) => observation(span, context, beganMs, draft, undefined)),
    ended:
      span.endNs === '0'
        ? []
        : ended.map((draft) => observation(span, context, endedMs, draft, first && stepId(span, first))),
  };
}

function observation(
  span: Span,
  context: SpanContext,
  time: number,
  draft: Draft,
  parent: string | undefined,
): Observation {
  const proposal: Proposal = {
    ...draft,
    id: stepId(span, draft),
    ...(parent === undefined ? {} : { parent }),
    ...(context.actor === undefined ? {} : { agent: context.actor }),
  };
  return {
    session: context.session,
    agent: context.agent,
    ...(context.principal === undefined ? {} : { principal: context.principal }),
    ...(context.tenant === undefined ? {} : { tenant: context.tenant }),
    time,
    proposal,
    span,
  };
}

function stepId(span: Span, { kind }: Draft): string {
  return `${span.traceId}/${span.spanId}/${kind}`;
}

function milliseconds(ns: string): number {
  return ns.length > 6 ? Number(ns.slice(0, -6)) : 0;
}

function actsOf(span: Span, context: SpanContext, reading: Reading): Acts {
  switch (reading.act) {
    case 'tool':
      return toolActs(span, context, reading);
    case 'model':
      return modelActs(span, reading);
    case 'agent':
      return agentActs(context, reading);
    case 'retrieval':
      return retrievalActs(span, reading);
    case 'memory.read':
    case 'memory.write':
      return memoryActs(span, reading, reading.act);
    case null:
      return NO_ACTS;
  }
}

function toolActs(span: Span, context: SpanContext, { field }: Reading): Acts {
  const name = toolNameOf(span, field);
  // The MCP request that carries out a call shown already is that call, not a second one.
  if (context.insideTool === name && span.attributes['mcp.method.name'] !== undefined) return NO_ACTS;
  const callId = idOf(field('tool.callId'));
  const common = { name, ...(callId === undefined ? {} : { callId }) };
  const args = field('tool.args');
  const call: Draft = {
    kind: 'tool.call',
    ...common,
    args: args === undefined ? {} : argumentsOf(args),
    ...(args === undefined ? { labels: [ARGUMENTS_NOT_RECORDED] } : {}),
  };
  const result: Draft = {
    kind: 'tool.result',
    ...common,
    ...outputOf(field('tool.result')),
    ...errorOf(span, field),
  };
  return { began: [call], ended: [result] };
}

export function toolNameOf(span: Span, field: Reading['field']): string {
  return nameOf(field('tool.name')) ?? nameOf(span.name) ?? 'unknown';
}

function modelActs(span: Span, reading: Reading): Acts {
  const { field } = reading;
  const requested = nameOf(field('model.requested')) ?? nameOf(field('model.served')) ?? 'unknown';
  const served = nameOf(field('model.served')) ?? requested;
  const dialect = reading.dialect!;
  const output = field('model.output') ?? messagesOfEvents(span, dialect, 'model.output');
  const apart = dialect.usage.cacheApartWhen;
  const cacheApart =
    apart !== undefined &&
    String(span.attributes[apart.attribute] ?? '').startsWith(apart.prefix) &&
    span.attributes[apart.unless] === undefined;
  const { usage, consistent } = readUsage(field, dialect.usage, cacheApart);
  const response: Draft = {
    kind: 'model.response',
    name: served,
    ...saidBy(output),
    ...(usage === null ? {} : { usage }),
    ...(consistent ? {} : { labels: [USAGE_INCONSISTENT] }),
    ...errorOf(span, field),
  };
  const args = promptOf(field, field('model.input') ?? messagesOfEvents(span, dialect, 'model.input'));
  return { began: [{ kind: 'model.request', name: requested, args }], ended: [response] };
}

/** A prompt and what came with it. */
function promptOf(field: Reading['field'], input: Json | undefined): JsonObject {
  const args: Fillable = input === undefined ? {} : { ...messagesIn(input) };
  for (const part of ['system', 'tools', 'parameters'] as const) {
    const value = field(`model.${part}`);
    // Lists of tools come as JSON of a list of JSON texts: unwrapped twice.
    if (value !== undefined && !Object.hasOwn(args, part)) args[part] = exact(unwrapJson(unwrapJson(value)));
  }
  return args;
}

/** Messages under `messages`, a prompt in structure as it is, plain text under `input`. */
function messagesIn(input: Json): JsonObject {
  const prompt = exact(unwrapJson(input));
  if (isObject(prompt)) return prompt;
  return Array.isArray(prompt) ? { messages: prompt } : { input: prompt };
}

/** An agent within another was handed the work; one outside of any was asked by a user and answers. */
function agentActs(context: SpanContext, { field }: Reading): Acts {
  const input = field('agent.input');
  if (context.place === 'nested') {
    const { actor, caller } = context;
    if (actor === undefined || caller === undefined || actor.name === caller) return NO_ACTS;
    const args = input === undefined ? {} : messagesIn(input);
    return { began: [{ kind: 'handoff', name: actor.name, args }], ended: [] };
  }
  // Input is what a user said and is trusted as such: with the frame unknown, nobody can say that one did.
  if (context.place === 'unknown') return NO_ACTS;
  const asked = input === undefined ? '' : askedBy(unwrapStructure(input));
  const output = field('agent.output');
  return {
    began: asked === '' ? [] : [{ kind: 'input', name: '', content: asked }],
    ended: output === undefined ? [] : [{ kind: 'output', name: '', ...givenOut(output) }],
  };
}

function retrievalActs(span: Span, { field }: Reading): Acts {
  const query = field('retrieval.query');
  const documents = field('retrieval.documents');
  const step: Draft = {
    kind: 'retrieval',
    name: nameOf(field('retrieval.name')) ?? nameOf(span.name) ?? 'unknown',
    args: query === undefined ? {} : argumentsOf(query, 'query'),
    ...saidBy(documents),
    ...errorOf(span, field),
  };
  return { began: [], ended: [step] };
}

function memoryActs(span: Span, { field }: Reading, kind: 'memory.read' | 'memory.write'): Acts {
  const query = field('memory.query');
  const record = field('memory.record');
  const records = field('memory.records');
  const args: Fillable = query === undefined ? {} : { ...argumentsOf(query, 'query') };
  if (record !== undefined) args.record = exact(record);
  const written = kind === 'memory.write' && records !== undefined;
  if (written) args.records = exact(unwrapJson(records));
  const step: Draft = {
    kind,
    name: nameOf(field('memory.name')) ?? nameOf(span.name) ?? 'unknown',
    args,
    ...(written ? {} : saidBy(records)),
    ...errorOf(span, field),
  };
  return { began: [], ended: [step] };
}

/** Arguments are an object of names; anything else is the one argument a call has. */
function argumentsOf(raw: Json, only = 'input'): JsonObject {
  const value = exact(unwrapJson(raw));
  return isObject(value) ? value : { [only]: value };
}

/** A tool's output: its text as it was, and its structure where the text is JSON. */
function outputOf(raw: Json | undefined): Pick<Proposal, 'content' | 'result'> {
  if (raw === undefined) return {};
  const result = exact(unwrapJson(raw));
  if (typeof raw !== 'string') return { result };
  return result === raw ? { content: raw } : { content: raw, result };
}

/** Messages: what they say as text, and their structure. */
function saidBy(raw: Json | undefined): Pick<Proposal, 'content' | 'result'> {
  if (raw === undefined) return {};
  const result = exact(unwrapJson(raw));
  if (typeof raw === 'string' && (typeof result !== 'object' || result === null)) return { content: raw };
  const text = textOf(result);
  return text === '' ? { result } : { content: text, result };
}

/** What leaves the session is text somebody reads, whatever its structure. */
function givenOut(raw: Json): Pick<Proposal, 'content' | 'result'> {
  const said = saidBy(raw);
  return { content: typeof raw === 'string' ? raw : JSON.stringify(raw), ...said };
}

function errorOf(span: Span, field: Reading['field']): Pick<Proposal, 'error'> {
  const exception = span.events.find((event) => event.name === 'exception')?.attributes ?? {};
  const type = nameOf(field('error.type') ?? exception['exception.type']);
  if (span.status.code !== 2 && field('error.type') === undefined) return {};
  const said = span.status.message || textOf(exception['exception.message']);
  return { error: { message: said || type || 'error', ...(type === undefined ? {} : { type }) } };
}

/** JSON a step may hold; numbers too large to be exact make it text. */
function exact(value: Json): Json {
  return isExact(value) ? value : JSON.stringify(value);
}
