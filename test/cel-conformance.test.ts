// google/cel-spec's conformance suite, as packaged in @bufbuild/cel-spec, against our compiler. What is left out of the
// JSON-relevant core is listed with its reason; the list must be exact in both directions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Value as ExprValue } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js';
import { kindOf } from '../src/spec/cel/arithmetic.ts';
import { BUDGET_SLOT, compileExpr, Scope } from '../src/spec/cel/compile.ts';
import { celEquals, mapGet } from '../src/spec/cel/equals.ts';
import { parseCel } from '../src/spec/cel/parse.ts';
import { CelType, CelUint, Duration, isCelError, Timestamp, type Value } from '../src/spec/cel/value.ts';
import { ENGINES } from '../src/spec/engines/all.ts';
import { FIRST_LOCAL } from '../src/spec/run.ts';
import { DYN } from '../src/spec/schema/type.ts';

/** Suites about protobuf messages, checking alone, and extension libraries: no part of a language over JSON. */
const OUTSIDE =
  /_ext$|^macros2$|^optionals$|^type_deductions?$|^proto[23]|^enums$|^wrappers$|^dynamic$|^unknowns$/;

/** Tests of the core that we do not pass, and why. */
const EXPECTED_FAILURES: Readonly<Record<string, string>> = {};

interface Case {
  readonly name: string;
  readonly test: IncrementalTest;
}

function* casesOf(suite: IncrementalTestSuite, path: readonly string[] = []): Generator<Case> {
  const here = [...path, suite.name];
  for (const item of suite.tests) yield { name: [...here.slice(1), item.name].join('/'), test: item };
  for (const child of suite.suites) yield* casesOf(child, here);
}

/** A test value as ours; undefined when it is a protobuf message. */
function fromProto(value: ExprValue | undefined): Value | undefined {
  const kind = value?.kind;
  switch (kind?.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
    case 'bytesValue':
    case 'doubleValue':
      return kind.value;
    case 'int64Value':
      return kind.value;
    case 'uint64Value':
      return new CelUint(kind.value);
    case 'typeValue':
      return new CelType(kind.value);
    case 'listValue': {
      const items = kind.value.values.map(fromProto);
      return items.includes(undefined) ? undefined : (items as Value[]);
    }
    case 'mapValue': {
      const map = new Map<Value, Value>();
      for (const entry of kind.value.entries) {
        const key = fromProto(entry.key);
        const item = fromProto(entry.value);
        if (key === undefined || item === undefined) return undefined;
        map.set(key, item);
      }
      return map;
    }
    case 'objectValue': {
      const any = kind.value;
      const time = any.typeUrl.endsWith('google.protobuf.Timestamp');
      if (!time && !any.typeUrl.endsWith('google.protobuf.Duration')) return undefined;
      const { seconds, nanos } = secondsOf(any.value);
      return time
        ? new Timestamp(seconds * 1_000_000_000n + nanos)
        : new Duration(seconds * 1_000_000_000n + nanos);
    }
    default:
      return undefined;
  }
}

/** The two varint fields of a Timestamp or Duration message. */
function secondsOf(bytes: Uint8Array): { seconds: bigint; nanos: bigint } {
  const out = [0n, 0n];
  for (let at = 0; at < bytes.length; ) {
    const field = bytes[at++]! >> 3;
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    out[field - 1] = BigInt.asIntN(64, value);
  }
  return { seconds: out[0]!, nanos: out[1]! };
}

type Outcome = 'pass' | 'skip' | string;

function run(item: IncrementalTest): Outcome {
  const { original } = item;
  const matcher = original.resultMatcher;
  // A container gives short names to those within it: of protobuf packages, which the spec language has none of.
  const isWithin = (name: string) => original.container !== '' && name.startsWith(`${original.container}.`);
  if (original.checkOnly || Object.keys(original.bindings).some(isWithin)) return 'skip';
  const variables: Record<string, readonly [number, typeof DYN]> = {};
  const frame: Value[] = [];
  let next = FIRST_LOCAL;
  for (const [name, binding] of Object.entries(original.bindings)) {
    const value = binding.kind.case === 'value' ? fromProto(binding.kind.value) : undefined;
    if (value === undefined) return 'skip';
    frame[next] = value;
    variables[name] = [next++, DYN];
  }
  let expected: Value | undefined;
  if (matcher.case === 'value') {
    expected = fromProto(matcher.value);
    if (expected === undefined) return 'skip';
  } else if (matcher.case === undefined) expected = true;
  else if (matcher.case !== 'evalError' && matcher.case !== 'anyEvalErrors') return 'skip';
  const parsed = parseCel(original.expr);
  if ('problem' in parsed) return expected === undefined ? 'pass' : `syntax: ${parsed.problem.message}`;
  let broken = '';
  let refused = '';
  let message = false;
  const scope = Scope.root(
    {
      engines: ENGINES,
      nextSlot: () => next++,
      problem: (problem) => {
        if (problem.message.startsWith('the message')) message = true;
        else if (problem.code === 'type') refused ||= problem.message;
        else if (problem.severity === 'error') broken ||= problem.message;
      },
    },
    variables,
  );
  const compiled = compileExpr(parsed.expr, scope);
  if (message) return 'skip';
  frame[BUDGET_SLOT] = 0;
  const value = compiled.eval(frame);
  if (expected === undefined)
    return isCelError(value) || broken !== '' ? 'pass' : `expected an error, found ${show(value)}`;
  if (isCelError(value)) return `error: ${broken || value.message}`;
  const nan = Number.isNaN(expected) && Number.isNaN(value);
  if (!nan && !(celEquals(expected, value) && sameKinds(expected, value)))
    return `expected ${show(expected)}, found ${show(value)}`;
  // Some tests are not to be type-checked: they show what an unchecked expression would do.
  return refused === '' || original.disableCheck ? 'pass' : `refused when compiled: ${refused}`;
}

/** CEL's numbers are equal across their kinds; a result must be of the kind that is expected. */
function sameKinds(a: Value, b: Value): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.every((item, i) => sameKinds(item as Value, b[i] as Value));
  if (a instanceof Map && b instanceof Map)
    return [...(a as Map<Value, Value>)].every(([key, item]) => sameKinds(item, mapGet(b, key) as Value));
  return kindOf(a) === kindOf(b);
}

function show(value: Value): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ??
    String(value)
  );
}

const suite = getConformanceSuite();

test('the JSON-relevant core of cel-spec passes, but for the listed exceptions', (context) => {
  let passed = 0;
  let skipped = 0;
  const failures = new Map<string, string>();
  for (const { name, test: item } of casesOf(suite)) {
    if (OUTSIDE.test(name.split('/')[0]!)) continue;
    const outcome = run(item);
    if (outcome === 'pass') passed++;
    else if (outcome === 'skip') skipped++;
    else failures.set(name, `${item.original.expr} — ${outcome}`);
  }
  const total = passed + failures.size;
  context.diagnostic(
    `${passed} of ${total} pass (${((100 * passed) / total).toFixed(1)} %), ${skipped} are about messages or packages`,
  );
  const unexpected = [...failures]
    .filter(([name]) => !Object.hasOwn(EXPECTED_FAILURES, name))
    .map(([name, why]) => `${name}: ${why}`);
  const stale = Object.keys(EXPECTED_FAILURES).filter((name) => !failures.has(name));
  assert.deepEqual({ unexpected, stale }, { unexpected: [], stale: [] });
  assert.equal(passed, total);
  assert.deepEqual({ total, skipped }, { total: 1079, skipped: 100 }, 'tests came, went or changed sides');
});

test('for information: how far the extension suites pass', (context) => {
  for (const child of suite.suites) {
    if (!/^(string|math|bindings|encoders|block)_ext$|^macros2$|^optionals$/.test(child.name)) continue;
    const outcomes = [...casesOf(child, [''])].map(({ test: item }) => run(item));
    const passed = outcomes.filter((outcome) => outcome === 'pass').length;
    context.diagnostic(`${child.name}: ${passed} of ${outcomes.length}`);
    assert.ok(outcomes.length > 0);
  }
});
