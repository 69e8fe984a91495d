// Holds the mapped form of real OTLP/JSON exports against the raw JSON: is a span, a link to a parent, a tool's name,
// argument or result, a model or a token lost? Walks the raw JSON by itself and shares nothing with the mappers' tables.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Observation, Span } from '../../engine/types.ts';
import type { Json, JsonObject, StepKind } from '../../step/types.ts';
import { mapTraces } from '../dialects/map-traces.ts';
import { traceMemory } from '../dialects/trace-memory.ts';
import { decodeTraceJson } from './json.ts';
import { OTLP_LIMITS } from './types.ts';

/** What was looked for, and found, in one file. */
export interface ExportCheck {
  readonly file: string;
  readonly spans: number;
  readonly parents: number;
  readonly attributes: number;
  readonly toolCalls: number;
  readonly toolResults: number;
  readonly modelCalls: number;
  readonly tokens: number;
  /** One line for each thing that is in the file and not in the mapped form; empty when nothing is lost. */
  readonly lost: readonly string[];
}

type Raw = { readonly [key: string]: Json | undefined };
interface RawSpan {
  readonly id: string;
  readonly raw: Raw;
  /** Every attribute as it is written, repeated keys included. */
  readonly attributes: readonly (readonly [key: string, value: Json])[];
}

/** Checks every `*.otlp.json` of a folder. Throws when the folder has none or a file is not JSON. */
export function checkOtlpExports(directory: string): readonly ExportCheck[] {
  const files = readdirSync(directory).filter((name) => name.endsWith('.otlp.json'));
  if (files.length === 0) throw new Error(`${directory} has no *.otlp.json`);
  return files.sort().map((file) => checkExport(file, readFileSync(join(directory, file))));
}

export function checkExport(file: string, body: Buffer): ExportCheck {
  const raws = rawSpans(JSON.parse(body.toString('utf8')) as Json);
  const decoded = decodeTraceJson(body);
  const batch = decoded.ok ? decoded.traces.spans : [];
  const { spans, observations } = mapTraces(batch, traceMemory(OTLP_LIMITS.tracesMax));
  const spanOf = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  const stepsOf = Map.groupBy(observations, ({ span }) => `${span.traceId}/${span.spanId}`);
  const counts = { parents: 0, attributes: 0, toolCalls: 0, toolResults: 0, modelCalls: 0, tokens: 0 };
  const lost: string[] = decoded.ok ? [] : [`the whole file: ${decoded.problem.message}`];
  if (spans.length > raws.length) lost.push(`${spans.length} spans came out of ${raws.length}`);
  for (const raw of raws) {
    const span = spanOf.get(raw.id);
    if (span === undefined) {
      lost.push(`span ${raw.id}`);
      continue;
    }
    const miss = (what: string): void => {
      lost.push(`span ${raw.id} (${span.name}): ${what}`);
    };
    const steps = stepsOf.get(raw.id) ?? [];
    checkSpan(raw, span, counts, miss);
    checkTool(raw, steps, counts, miss);
    checkModel(raw, steps, counts, miss);
  }
  return { file, spans: raws.length, ...counts, lost };
}

type Counts = {
  -readonly [K in 'parents' | 'attributes' | 'toolCalls' | 'toolResults' | 'modelCalls' | 'tokens']: number;
};
type Miss = (what: string) => void;

function rawSpans(body: Json): RawSpan[] {
  const found: RawSpan[] = [];
  const walk = (value: Json | undefined): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (isMap(value)) {
      if (value.traceId !== undefined && value.startTimeUnixNano !== undefined) found.push(rawSpan(value));
      else Object.values(value).forEach(walk);
    }
  };
  walk(body);
  return found;
}

function rawSpan(raw: JsonObject): RawSpan {
  const list = Array.isArray(raw.attributes) ? (raw.attributes as JsonObject[]) : [];
  const attributes = list.map(({ key, value }) => [String(key), plain(value ?? null)] as const);
  return { id: `${raw.traceId}/${raw.spanId}`, raw, attributes };
}

/** AnyValue written plainly: its only member, lists and maps inside it likewise. */
function plain(value: Json): Json {
  if (!isMap(value)) return value;
  const [kind, inner] = Object.entries(value)[0] ?? ['', null];
  if (kind === 'intValue') return Number(inner);
  if (kind === 'arrayValue') return listOf(inner).map(plain);
  if (kind === 'kvlistValue') {
    return Object.fromEntries(
      listOf(inner).map((pair) => [(pair as JsonObject).key, plain((pair as JsonObject).value ?? null)]),
    );
  }
  return inner;
}

function listOf(value: Json): readonly Json[] {
  return isMap(value) && Array.isArray(value.values) ? value.values : [];
}

function checkSpan({ raw, attributes }: RawSpan, span: Span, counts: Counts, miss: Miss): void {
  if (raw.parentSpanId) counts.parents += 1;
  if ((raw.parentSpanId || null) !== span.parentSpanId) miss('its parent');
  if (raw.name !== span.name) miss('its name');
  if (raw.startTimeUnixNano !== span.startNs || raw.endTimeUnixNano !== span.endNs) miss('its times');
  const events = Array.isArray(raw.events) ? raw.events : [];
  if (events.length !== span.events.length) miss('an event');
  for (const [key, value] of attributes) {
    counts.attributes += 1;
    const repeated = span.attributes['interlock.repeated_attributes'];
    const kept = [span.attributes[key], ...(isMap(repeated) ? ((repeated[key] ?? []) as Json[]) : [])];
    if (!kept.some((item) => isDeepStrictEqual(item, value))) miss(`attribute ${key}`);
  }
}

/** Signs of a tool's span, one for each writer. */
const TOOL_SIGNS: readonly (readonly [attribute: string, value: RegExp])[] = [
  ['openinference.span.kind', /^TOOL$/],
  ['gen_ai.operation.name', /^execute_tool$/],
  ['ai.operationId', /^ai\.toolCall$/],
  ['tool_arguments', /^/],
];
const TOOL_NAMES = /^(gen_ai\.)?tool\.name$|^ai\.toolCall\.name$/;
const TOOL_IDS = /(tool\.call\.id|toolCall\.id)$/;
const TOOL_ARGUMENTS =
  /^tool_arguments$|\.tool_call_args$|tool\.call\.arguments$|toolCall\.(args|input)$|^input\.value$/;
const TOOL_RESULTS =
  /^tool_response$|\.tool_response$|tool\.call\.result$|toolCall\.(result|output)$|^output\.value$/;

function checkTool(span: RawSpan, steps: readonly Observation[], counts: Counts, miss: Miss): void {
  if (!TOOL_SIGNS.some(([key, value]) => texts(span, key).some((text) => value.test(text)))) return;
  const call = only(steps, 'tool.call');
  const result = only(steps, 'tool.result');
  counts.toolCalls += 1;
  if (call === undefined || result === undefined) {
    miss('its tool call or result');
    return;
  }
  const names = matching(span, TOOL_NAMES);
  if (!names.includes(call.proposal.name) || !names.includes(result.proposal.name))
    miss('the name of the tool');
  const ids = matching(span, TOOL_IDS);
  if (ids.length > 0 && !ids.includes(call.proposal.callId ?? '')) miss('the id of the call');
  const args = matching(span, TOOL_ARGUMENTS).map(parsed);
  if (args.length > 0 && !args.some((value) => isDeepStrictEqual(call.proposal.args, value))) {
    miss('the arguments');
  }
  const results = matching(span, TOOL_RESULTS);
  if (results.length === 0) return;
  counts.toolResults += 1;
  const { content, result: structure } = result.proposal;
  if (!results.some((text) => content === text || isDeepStrictEqual(structure, parsed(text)))) {
    miss('the result');
  }
}

const MODEL_SIGNS: readonly (readonly [attribute: string, value: RegExp])[] = [
  ['openinference.span.kind', /^LLM$/],
  ['gen_ai.operation.name', /^chat$/],
  ['ai.operationId', /\.do(Generate|Stream)$/],
];
const MODEL_NAMES =
  /^gen_ai\.(request|response)\.model$|^llm\.model_name$|^ai\.model\.id$|^ai\.response\.model$/;
const INPUT_TOKENS =
  /^gen_ai\.usage\.input_tokens$|^llm\.token_count\.prompt$|^ai\.usage\.(promptTokens|inputTokens)$/;
const OUTPUT_TOKENS =
  /^gen_ai\.usage\.output_tokens$|^llm\.token_count\.completion$|^ai\.usage\.(completionTokens|outputTokens)$/;

function checkModel(span: RawSpan, steps: readonly Observation[], counts: Counts, miss: Miss): void {
  const isModel = MODEL_SIGNS.some(([key, value]) => texts(span, key).some((text) => value.test(text)));
  if (!isModel) {
    // A frame that repeats its inner spans' counts: taking them again would double the bill.
    if (steps.some(({ proposal }) => proposal.usage !== undefined)) miss('tokens counted twice');
    return;
  }
  const request = only(steps, 'model.request');
  const response = only(steps, 'model.response');
  counts.modelCalls += 1;
  if (request === undefined || response === undefined) {
    miss('its model request or response');
    return;
  }
  const mapped = [request.proposal.name, response.proposal.name];
  for (const name of matching(span, MODEL_NAMES)) if (!mapped.includes(name)) miss(`the model ${name}`);
  const usage = response.proposal.usage ?? {};
  const input = (usage.inputTokens ?? 0) + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
  const output = (usage.outputTokens ?? 0) + (usage.reasoningTokens ?? 0);
  for (const [pattern, total, what] of [
    [INPUT_TOKENS, input, 'input'],
    [OUTPUT_TOKENS, output, 'output'],
  ] as const) {
    const written = matching(span, pattern).map(Number);
    if (written.some((count) => count !== total))
      miss(`${what} tokens: ${written.join(', ')} became ${total}`);
    counts.tokens += total;
  }
}

function only(steps: readonly Observation[], kind: StepKind): Observation | undefined {
  const found = steps.filter(({ proposal }) => proposal.kind === kind);
  return found.length === 1 ? found[0] : undefined;
}

function texts({ attributes }: RawSpan, key: string): string[] {
  return attributes.filter(([name]) => name === key).map(([, value]) => String(value));
}

function matching({ attributes }: RawSpan, pattern: RegExp): string[] {
  return attributes
    .filter(([key]) => pattern.test(key))
    .map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value)));
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
