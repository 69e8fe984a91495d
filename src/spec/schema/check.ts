// What every compiled check is made of: its signature, how it fails, and the work one validation may take. Pure.
import type { Json, JsonObject } from '../../step/types.ts';
import type { Patterns } from '../engines.ts';
import type { Type } from './type.ts';

export interface SchemaViolation {
  /** JSON Pointer into the value. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** Levels of a schema, and of a value under one. */
export const MAX_DEPTH = 64;
export const MAX_VIOLATIONS = 10;
/** Fields, items and references that one validation may look at: alternatives under a recursive `$ref` multiply. */
export const MAX_WORK = 1_000_000;

/**
 * Answers whether the value is valid. Without `into` it only answers, and stops at the first violation; with it, it
 * reports them there. `path` is a JSON Pointer, kept only while reporting.
 */
export type Check = (value: Json, path: string, into: SchemaViolation[] | null, depth: number) => boolean;

export interface Node {
  readonly type: Type;
  readonly check: Check;
}

/** Shared by the closures of one schema. */
export interface Context {
  readonly patterns: Patterns | null;
  readonly root: JsonObject;
  readonly problems: SchemaProblem[];
  readonly refs: Map<string, { check: Check | null; type: Type }>;
  nodes: number;
  /** Spent by the validation that runs now. */
  work: number;
}

export function fail(into: SchemaViolation[] | null, path: string, expected: string, value: Json): false {
  into?.push({ path, expected, found: shown(value) });
  return false;
}

/** Whether a check that has failed need not go on: nobody listens, or enough has been said. */
export function isDone(into: SchemaViolation[] | null): boolean {
  return into === null || into.length >= MAX_VIOLATIONS;
}

/** The path below `path`; empty while nobody reports. */
export function below(into: SchemaViolation[] | null, path: string, key: string | number): string {
  if (into === null) return '';
  return typeof key === 'number'
    ? `${path}/${key}`
    : `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A value in a message: scalars as they are, the rest by its size, so that deep values stay short. */
export function shown(value: Json): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value))
    return `an object with ${Object.keys(value).slice(0, 5).join(', ').slice(0, 60) || 'no fields'}`;
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that two JSON values share exactly when they are equal (JSON Schema core, section 4.2.2). */
export function identityOf(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => identityOf(item as Json)).join()}]`;
  if (!isObject(value)) return Object.is(value, -0) ? '0' : JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${identityOf(value[key]!)}`);
  return `{${members.join()}}`;
}
