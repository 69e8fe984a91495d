// The conformance kit of agent-hooks, as it is published (agent-hooks-sdk 0.1.0b3 on PyPI), over our host; and our
// primitives against the kit's reference core. Skipped, and said so, where there is no Python or the kit cannot be had.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { validateEnvelope } from '../../src/agent-hooks/envelope.ts';
import {
  contextIdentity,
  createContexts,
  DECLARATION_VERSION,
  DeclarationRefused,
  resolveDeclaration,
  transformContext,
} from '../../src/agent-hooks/index.ts';
import type { AgentContext, Verdict } from '../../src/agent-hooks/types.ts';
import { parseVerdict } from '../../src/agent-hooks/verdict.ts';
import { canonicalize } from '../../src/step/canonical.ts';
import { declarationAtRandom, HOST } from './declarations.ts';
import { findKit } from './kit.ts';

const found = await findKit();
const skip = 'why' in found ? found.why : false;
const PYTHON = 'why' in found ? '' : found.python;
const HERE = new URL('ctk/', import.meta.url);

interface Result {
  readonly id: string;
  readonly part: string;
  readonly status: 'pass' | 'fail' | 'skip';
  readonly failures: readonly string[];
  readonly detail?: string;
}

test('every vector of the declared surface passes', { skip }, async () => {
  const { stdout } = await promisify(execFile)(PYTHON, [fileURLToPath(new URL('harness.py', HERE))], {
    env: { ...process.env, INTERLOCK_NODE: process.execPath },
    maxBuffer: 1 << 24,
  });
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  const failed = results.filter(({ status }) => status === 'fail');
  assert.deepEqual(failed, []);
  const skipped = results.filter(({ status }) => status === 'skip');
  // JavaScript reads numbers as doubles: it cannot tell these integers from their neighbours (section 4.4).
  assert.deepEqual(
    skipped.map(({ id }) => id),
    ['AH-CTK-090', 'AH-CTK-091', 'AH-CTK-095'],
  );
  assert.equal(results.length, 75);
});

/** Asks the reference core: a list of `[function, ...arguments]` gives a list of `{ ok }` or `{ error }`. */
async function core(asked: readonly (readonly unknown[])[]): Promise<{ ok?: string; error?: string }[]> {
  const child = spawn(PYTHON, [fileURLToPath(new URL('core.py', HERE))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stdin.end(JSON.stringify(asked));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  return JSON.parse(text);
}

const name = fc.constantFrom('a', 'b', 'é', '', 'z-1');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    // Short ones: the core reads long fractions off by a unit in the last place.
    fc.integer().map((n) => n / 8),
    fc.string({ unit: 'grapheme', maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const args = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
const path = fc.constantFrom(
  ...[
    '$target',
    '$target.a',
    '$target["b"]',
    '$target.a[0]',
    '$target[1]',
    '$target.a.b',
    '$policy_target.a',
  ],
  ...['$targets', 'a', '$target.', '$target.a[', '$target..a', '$target.é', '$target.z-1', '$target.content'],
);

test('identities and transforms are those of the reference core', { skip }, async () => {
  const contexts = createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' });
  const anyContext = fc.oneof(
    args.map((given) => contexts.preTool({ id: 'c', name: 't', args: given as never })),
    value.map((given) => contexts.postTool({ id: 'c', name: 't', args: {} }, given as never, false)),
    value.map((given) => contexts.input(given as never)),
    args.map((given) => contexts.preModel('m', [given as never])),
    value.map((given) =>
      contexts.postModel('m', { content: given as never, tool_calls: [], finish_reason: 'stop' }),
    ),
    value.map((given) => contexts.output(given as never)),
    fc.constant(contexts.startup(['t'])),
  );
  const cases = fc.sample(fc.tuple(anyContext, path, value), 600) as [AgentContext, string, never][];
  const answers = await core(
    cases.flatMap(([context, at, by]) => [
      ['context_identity', JSON.stringify(context)],
      ['apply_transform_ctx', JSON.stringify(context), at, JSON.stringify(by)],
    ]),
  );
  for (const [i, [context, at, by]] of cases.entries()) {
    const [identity, transformed] = answers.slice(2 * i) as [
      { ok?: string },
      { ok?: string; error?: string },
    ];
    const plain = JSON.parse(JSON.stringify(context)) as AgentContext;
    assert.equal(contextIdentity(plain), identity.ok, JSON.stringify(context));
    const ours = transformContext(plain, { path: at, value: by });
    if (ours.ok) assert.deepEqual(JSON.parse(JSON.stringify(ours.context)), JSON.parse(transformed.ok!), at);
    else assert.ok(transformed.error?.startsWith(`host_error:${ours.error}`), `${at}: ${transformed.error}`);
  }
});

test('the gates for verdicts and contexts are those of the reference core', { skip }, async () => {
  const odd = <T>(given: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 15, arbitrary: given }, { weight: 1, arbitrary: value });
  const text = fc.constantFrom('why', 'because', '', null, 'host', 'x', 'host_error:x');
  const any = fc.record(
    {
      decision: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('allow', 'deny', 'transform') },
        fc.constantFrom('warn', null, 1),
      ),
      reason: odd(text),
      message: odd(text),
      warnings: odd(
        fc.array(fc.oneof(fc.record({ reason: odd(text), message: text }, { requiredKeys: [] }), value), {
          maxLength: 2,
        }),
      ),
      approval: odd(args),
      transform: odd(fc.record({ path, value }, { requiredKeys: ['path'] })),
      evidence: odd(
        fc.record(
          { artefact: odd(text), verification_pointers: odd(fc.dictionary(name, fc.string())) },
          { requiredKeys: [] },
        ),
      ),
      result_labels: odd(fc.array(odd(fc.constant('l')), { maxLength: 2 })),
      more: value,
    },
    { requiredKeys: ['decision'] },
  );
  // Most without what is wrong in all the others.
  const tidy = fc.tuple(any, fc.nat(9)).map(([{ more, approval, transform, ...verdict }, n]) => ({
    ...verdict,
    ...(n === 0 ? { more } : {}),
    ...(n === 1 || verdict.decision === 'deny' ? { approval } : {}),
    ...(n === 2 || verdict.decision === 'transform' ? { transform } : {}),
  }));
  const verdicts = fc.sample(tidy, 3_000);
  const contexts = createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' });
  const whole = [
    contexts.startup([]),
    contexts.input('x'),
    contexts.preModel('m', []),
    contexts.postModel('m', { content: null, tool_calls: [], finish_reason: 'stop' }),
    contexts.preTool({ id: 'c', name: 't', args: {} }),
    contexts.postTool({ id: 'c', name: 't', args: {} }, null, false),
    contexts.output('x'),
    contexts.shutdown('completed'),
  ];
  // Each context without each of its members, and without each of theirs, and with a null in their place.
  const broken = whole.flatMap((context) => [
    context,
    ...Object.keys(context).flatMap((key) => {
      const inner = context[key];
      const { [key]: _, ...without } = context;
      const members =
        typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.keys(inner) : [];
      return [
        without,
        { ...context, [key]: null },
        ...members.flatMap((member) => {
          const { [member]: _, ...rest } = inner as Record<string, never>;
          return [
            { ...context, [key]: rest },
            { ...context, [key]: { ...rest, [member]: null } },
          ];
        }),
      ];
    }),
  ]) as AgentContext[];
  const answers = await core([
    ...verdicts.map((verdict) => ['validate_verdict', JSON.stringify(verdict)]),
    ...broken.map((context) => ['validate_envelope', JSON.stringify(context)]),
  ]);
  let valid = 0;
  for (const [i, verdict] of verdicts.entries()) {
    const ours = parseVerdict(JSON.parse(JSON.stringify(verdict)));
    const { ok, error } = answers[i]!;
    if (ours.reason?.startsWith('host_error:')) {
      // Of several faults either may be named first.
      assert.match(error ?? '', /^host_error:/, `${JSON.stringify(verdict)}: ${ours.reason}, ${ok}`);
    } else {
      assert.deepEqual(normal(ours), normal(JSON.parse(ok ?? 'null')), JSON.stringify(verdict));
      valid++;
    }
  }
  assert.ok(valid > 300, `only ${valid} of ${verdicts.length} are valid`);
  for (const [i, context] of broken.entries()) {
    const ours = validateEnvelope(JSON.parse(JSON.stringify(context)));
    const theirs = answers[verdicts.length + i]!;
    // The core asks of inner members only that they are there; their types are in its schema, and are asked here.
    if (theirs.error !== undefined)
      assert.notEqual(ours, null, `${JSON.stringify(context)}: ${theirs.error}`);
    if (whole.includes(context)) assert.equal(ours, null);
  }
});

test('declarations resolve, or are refused, as by the reference core', { skip }, async () => {
  const documents = fc.sample(declarationAtRandom, 4_000);
  const { surface } = resolveDeclaration({ declaration: DECLARATION_VERSION, bindings: [] }, HOST);
  const { buffered_output: _, ...code } = surface;
  const theirHost = {
    surface: {
      ...code,
      tool_seam_host_error: 'continue',
      streams_unbuffered: false,
      interceptor_timeout: 'bounded',
    },
    identity_providers: ['own'],
    approval_resolvers: ['queue'],
    approval_redactors: ['cut'],
    kinds: ['own.guard'],
  };
  const answers = await core(
    documents.map((each) => ['declaration_resolve', JSON.stringify(each), JSON.stringify(theirHost)]),
  );
  const seen = new Map<string, number>();
  for (const [i, each] of documents.entries()) {
    const { ok, error } = answers[i]!;
    let ours: string;
    try {
      ours = canonicalize(resolveDeclaration(each, HOST));
    } catch (refused) {
      assert.ok(refused instanceof DeclarationRefused, String(refused));
      ours = refused.code;
    }
    const theirs = ok === undefined ? error!.split(': ', 1)[0]! : canonicalize(JSON.parse(ok));
    assert.equal(ours, theirs, `${JSON.stringify(each)}\n${error}`);
    const outcome = ok === undefined ? ours.slice('declaration_error:'.length) : 'accepted';
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  const classes = [
    'version_unsupported',
    'spec_unsupported',
    'unknown_field',
    'invalid_field',
    'inconsistent',
  ];
  for (const outcome of [
    'accepted',
    ...classes,
    'surface_unsupported',
    'reference_unresolved',
    'kind_unknown',
  ])
    assert.ok(seen.has(outcome), `${outcome} of ${JSON.stringify([...seen])}`);
});

/** Empty and null members are the same as absent ones, but for an approval, which counts by being there. */
function normal(verdict: Verdict): unknown {
  const isEmpty = (member: unknown) =>
    member === null || (typeof member === 'object' && Object.keys(member).length === 0);
  return JSON.parse(JSON.stringify(verdict), (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(
          Object.entries(member).filter(
            ([key, each]) => !isEmpty(each) || (key === 'approval' && each !== null),
          ),
        )
      : member,
  );
}
