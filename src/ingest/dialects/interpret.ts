// Which dialect a span speaks, which act it shows, and its fields, looked up by the dialect's table.
import type { Span } from '../../engine/types.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { COMMON_FIELDS } from './common.ts';
import { OPENINFERENCE } from './openinference.ts';
import { OTEL_GENAI } from './otel-genai.ts';
import { PYDANTIC_AI } from './pydantic-ai.ts';
import { compileSource, type ReadSource } from './sources.ts';
import type { Act, ActRule, Dialect, Field, Source } from './types.ts';
import { VERCEL_AI } from './vercel-ai.ts';

/** The most particular first: most frameworks write GenAI attributes beside their own. */
export const DIALECTS: readonly Dialect[] = [VERCEL_AI, PYDANTIC_AI, OPENINFERENCE, OTEL_GENAI];

/** A span as its dialect reads it. */
export interface Reading {
  readonly dialect: Dialect | null;
  readonly act: Act | null;
  /** The first source of the field that the span has. */
  readonly field: (field: Field) => Json | undefined;
}

type Fields = ReadonlyMap<string, readonly ReadSource[]>;

const COMPILED: ReadonlyMap<Dialect | null, Fields> = new Map<Dialect | null, Fields>([
  ...DIALECTS.map((dialect) => [dialect, compileFields(dialect.fields)] as const),
  [null, compileFields(COMMON_FIELDS)],
]);

/** Facts of a whole process: written once on the resource, true of each of its spans. */
const RESOURCE_FIELDS: readonly Field[] = ['session', 'principal', 'tenant', 'agent.name', 'agent.version'];

export function interpret(span: Span): Reading {
  const dialect = DIALECTS.find((candidate) => speaks(span, candidate)) ?? null;
  const fields = COMPILED.get(dialect)!;
  return {
    dialect,
    act: dialect === null ? null : actOf(span, dialect.acts),
    field: (field) => {
      const sources = fields.get(field) ?? [];
      const value = firstOf(span.attributes, span.name, sources) ?? ofDetailEvents(span, dialect, sources);
      if (value !== undefined || !RESOURCE_FIELDS.includes(field)) return value;
      return firstOf(span.resource, '', sources);
    },
  };
}

function ofDetailEvents(
  span: Span,
  dialect: Dialect | null,
  sources: readonly ReadSource[],
): Json | undefined {
  for (const { name, attributes } of span.events) {
    if (dialect?.detailEvents.includes(name) !== true) continue;
    const value = firstOf(attributes, '', sources);
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstOf(attributes: JsonObject, spanName: string, sources: readonly ReadSource[]): Json | undefined {
  for (const read of sources) {
    const value = read(attributes, spanName);
    if (value !== undefined) return value;
  }
  return undefined;
}

function speaks(span: Span, { recognise }: Dialect): boolean {
  if (recognise.scopes.some((scope) => matches(span.scope.name, scope))) return true;
  return recognise.attributes.some((attribute) => {
    if (!attribute.endsWith('*')) return span.attributes[attribute] !== undefined;
    const prefix = attribute.slice(0, -1);
    for (const key in span.attributes) if (key.startsWith(prefix)) return true;
    return false;
  });
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function actOf(span: Span, rules: readonly ActRule[]): Act | null {
  for (const rule of rules) {
    switch (rule.by) {
      case 'value': {
        const value = span.attributes[rule.attribute];
        if (typeof value === 'string' && Object.hasOwn(rule.acts, value)) return rule.acts[value]!;
        break;
      }
      case 'presence':
        if (span.attributes[rule.attribute] !== undefined) return rule.act;
        break;
      case 'name':
        if (span.name.startsWith(rule.prefix)) return rule.act;
        break;
    }
  }
  return null;
}

function compileFields(fields: Dialect['fields']): Fields {
  const entries = Object.entries(fields) as [Field, readonly Source[]][];
  return new Map(entries.map(([field, sources]) => [field, sources.map(compileSource)]));
}
