// The form of a host declaration (agent-hooks-declaration/1.0, section 7.7): which members each of its objects may have and
// what each may be. Data, and the walk over it; rules between members are in `declaration.ts`.
import { type FieldProblem, pointer } from '../step/json.ts';
import { POINTS } from './types.ts';

export type Shape =
  | {
      readonly t: 'object';
      readonly members: Readonly<Record<string, Shape>>;
      readonly required?: readonly string[];
    }
  | {
      readonly t: 'list';
      readonly of: Shape;
      readonly min: number;
      readonly max: number;
      readonly isSet?: true;
    }
  | { readonly t: 'is'; readonly expected: string; readonly is: (value: unknown) => boolean };

const INTEGER_MAX = Number.MAX_SAFE_INTEGER;

function matching(pattern: RegExp, max = 128): Shape {
  return {
    t: 'is',
    expected: `text that matches ${pattern.source}`,
    is: (value) => typeof value === 'string' && value.length <= max && pattern.test(value),
  };
}
function oneOf(...values: readonly string[]): Shape {
  return { t: 'is', expected: values.join(', '), is: (value) => values.includes(value as string) };
}
function orNull(shape: Extract<Shape, { t: 'is' }>): Shape {
  return {
    t: 'is',
    expected: `${shape.expected}, or null`,
    is: (value) => value === null || shape.is(value),
  };
}
function integer(max: number): Extract<Shape, { t: 'is' }> {
  return {
    t: 'is',
    expected: `an integer from 1 to ${max}`,
    is: (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max,
  };
}
function text(max: number): Shape {
  return {
    t: 'is',
    expected: `text of 1 to ${max} characters`,
    is: (value) => typeof value === 'string' && value !== '' && [...value].length <= max,
  };
}
const set = (of: Shape, min: number, max = 64): Shape => ({ t: 'list', of, min, max, isSet: true });

const REFERENCE = matching(/^[a-z][a-z0-9_-]{0,63}$/) as Extract<Shape, { t: 'is' }>;
const TIMEOUT = orNull(integer(3_600_000));
const VERSION = matching(/^agent-hooks-declaration\/[0-9]+\.[0-9]+$/);
const KNOBS = {
  on_approval: oneOf('stop', 'resume'),
  on_disagreement: oneOf('deny', 'approval'),
  on_transform_conflict: oneOf('deny', 'approval'),
} as const;
const PROVIDER: Shape = {
  t: 'is',
  expected: 'jcs-sha256, the name of a provider (not jcs...), or null',
  is: (value) =>
    value === null || value === 'jcs-sha256' || (REFERENCE.is(value) && !(value as string).startsWith('jcs')),
};
export const CAPABILITIES = [
  ...['model_calls', 'tool_calls', 'parallel_tool_calls', 'streaming', 'multi_turn'],
  ...['int64_json', 'bigint_json', 'incremental_output', 'host_declaration'],
] as const;

/** The knob that each profile asks, and what it is when it is left out. */
export const PROFILES = {
  'sequential/first_deny': { knob: 'on_approval', otherwise: 'stop' },
  'sequential/run_all': null,
  'parallel/strictest': { knob: 'on_transform_conflict', otherwise: 'deny' },
  'parallel/unanimous': { knob: 'on_disagreement', otherwise: 'deny' },
} as const;
export type Profile = keyof typeof PROFILES;

export const DOCUMENT: Shape = {
  t: 'object',
  required: ['bindings'],
  members: {
    $schema: { t: 'is', expected: 'text', is: (value) => typeof value === 'string' },
    // Checked before everything else.
    declaration: { t: 'is', expected: 'a version', is: () => true },
    spec: { t: 'is', expected: 'a version', is: () => true },
    id: matching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
    host: {
      t: 'object',
      required: ['name'],
      members: { name: matching(/^[a-z0-9_-]{1,64}$/), version: text(64) },
    },
    configuration: {
      t: 'object',
      members: {
        mode: oneOf('enforce', 'evaluate_only'),
        composition: { t: 'object', members: { profile: oneOf(...Object.keys(PROFILES)), ...KNOBS } },
        identity_provider: PROVIDER,
        approval: { t: 'object', members: { resolver: orNull(REFERENCE), redactor: orNull(REFERENCE) } },
        posture: { t: 'object', members: { tool_seam_host_error: oneOf('continue', 'terminate') } },
        timeouts: { t: 'object', members: { interceptor_ms: TIMEOUT, approval_resolver_ms: TIMEOUT } },
        records: { t: 'object', members: { max_buffered: orNull(integer(INTEGER_MAX)) } },
      },
    },
    surface: {
      t: 'object',
      members: {
        interception_points: set(oneOf(...POINTS), 4, 8),
        capabilities: set(oneOf(...CAPABILITIES), 0),
        profiles: {
          t: 'object',
          members: Object.fromEntries(
            Object.entries(PROFILES).map(([profile, asks]): [string, Shape] => [
              profile,
              { t: 'object', members: asks === null ? {} : { [asks.knob]: set(KNOBS[asks.knob], 1) } },
            ]),
          ),
        },
        buffered_output: { t: 'is', expected: 'true or false', is: (value) => typeof value === 'boolean' },
        exposure_bound: text(512),
        declaration_versions: set(VERSION, 1),
      },
    },
    bindings: {
      t: 'list',
      min: 0,
      max: 256,
      of: {
        t: 'object',
        required: ['id', 'kind'],
        members: {
          id: REFERENCE,
          kind: matching(/^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+$/),
          config: { t: 'is', expected: 'JSON with integers up to 2^53 - 1', is: isExact },
          at: set(oneOf(...POINTS), 1, 8),
          timeout_ms: TIMEOUT,
        },
      },
    },
    extensions: {
      t: 'is',
      expected: 'an object whose keys match ^[a-z][a-z0-9_]*$',
      is: (value) =>
        isPlain(value) && Object.keys(value).every((key) => /^[a-z][a-z0-9_]*$/.test(key)) && isExact(value),
    },
  },
};

/** Members that the form does not have, at any level. */
export function unknownMembers(shape: Shape, value: unknown, at = ''): FieldProblem[] {
  if (shape.t === 'list' && Array.isArray(value))
    return value.flatMap((item, i) => unknownMembers(shape.of, item, pointer(at, i)));
  if (shape.t !== 'object' || !isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const inner = Object.hasOwn(shape.members, key) ? shape.members[key]! : null;
    if (inner !== null) return unknownMembers(inner, member, pointer(at, key));
    return [{ at: pointer(at, key), expected: 'a known member', found: JSON.stringify(key.slice(0, 60)) }];
  });
}

/** Members that are missing or are not what they may be. */
export function invalidMembers(shape: Shape, value: unknown, at = ''): FieldProblem[] {
  // The value itself may be a secret: only its place is told.
  const wrong = (expected: string): FieldProblem[] => [{ at, expected, found: 'something else' }];
  switch (shape.t) {
    case 'is':
      return shape.is(value) ? [] : wrong(shape.expected);
    case 'list': {
      if (!Array.isArray(value) || value.length < shape.min || value.length > shape.max)
        return wrong(`a list of ${shape.min} to ${shape.max}`);
      if (shape.isSet && new Set(value).size !== value.length) return wrong('a list without repetition');
      return value.flatMap((item, i) => invalidMembers(shape.of, item, pointer(at, i)));
    }
    case 'object': {
      if (!isPlain(value)) return wrong('an object');
      const missing = (shape.required ?? []).filter((key) => !Object.hasOwn(value, key));
      return [
        ...missing.map((key) => ({ at: pointer(at, key), expected: 'a value', found: 'nothing' })),
        ...Object.entries(value).flatMap(([key, member]) =>
          invalidMembers(shape.members[key]!, member, pointer(at, key)),
        ),
      ];
    }
  }
}

/** Every number stays what it was written as. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isExact);
}

export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
