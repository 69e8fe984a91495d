import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createContexts } from './context.ts';
import { applyDeclaration, loadDeclaration, readDeclaration } from './declaration.ts';
import { DECLARATION_VERSION, type DeclarationHost, DeclarationRefused } from './declaration-types.ts';
import { createEmitter } from './emitter.ts';
import type { InterceptionRecord } from './types.ts';

const HOST: DeclarationHost = {
  capabilities: ['model_calls', 'tool_calls'],
  kinds: {
    'own.guard': async (config) => {
      if (typeof config !== 'object') throw new Error(`no configuration: ${String(config)}`);
      return { intercept: () => ({ decision: 'deny', reason: 'guarded' }) };
    },
    'own.nothing': () => null as never,
  },
  resolvers: {
    queue: {
      resolve: ({ context_identity }) => ({
        outcome: 'approve',
        context_identity,
        verdict: { decision: 'allow' },
      }),
    },
  },
};
const guard = { id: 'guard', kind: 'own.guard' };

async function refused(document: unknown, host = HOST): Promise<DeclarationRefused> {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  const error = await readDeclaration(text, host).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(error instanceof DeclarationRefused, text);
  return error;
}

test('a document sets an emitter up, and is named in its records', async () => {
  const { resolved, options } = await readDeclaration(
    JSON.stringify({
      declaration: DECLARATION_VERSION,
      configuration: { mode: 'evaluate_only', composition: { profile: 'sequential/run_all' } },
      bindings: [
        { ...guard, at: ['pre_tool_call'], timeout_ms: 50 },
        { id: 'all', kind: 'own.guard' },
      ],
    }),
    HOST,
  );
  assert.equal(resolved.configuration.timeouts.approval_resolver_ms, 5_000);
  const records: InterceptionRecord[] = [];
  const emitter = createEmitter({ ...options, onRecord: (record) => records.push(record) });
  const contexts = createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' });
  assert.equal((await emitter.emit(contexts.input('x'))).proceeds, true);
  await emitter.emit(contexts.preTool({ id: 'c', name: 't', args: {} }));
  assert.deepEqual(
    records.map(({ declaration, mode, composition, verdicts }) => [
      declaration,
      mode,
      composition.profile,
      verdicts.map(({ name }) => name),
    ]),
    [
      [DECLARATION_VERSION, 'evaluate_only', 'sequential/run_all', ['all']],
      [DECLARATION_VERSION, 'evaluate_only', 'sequential/run_all', ['guard', 'all']],
    ],
  );
});

test('a document is refused under the class of its first fault, and no value of it is told', async () => {
  const base = { declaration: DECLARATION_VERSION, bindings: [guard] };
  const wrong: [code: string, document: unknown][] = [
    ['malformed', '{'],
    ['malformed', '[]'],
    ['malformed', `{"declaration":"${DECLARATION_VERSION}","bindings":[],"bindings":[]}`],
    ['malformed', { ...base, extensions: { a: deep(40) } }],
    ['malformed', `{"x":"${'x'.repeat(1 << 20)}"}`],
    ['version_unsupported', { bindings: [] }],
    ['version_unsupported', { declaration: 'agent-hooks-declaration/1.1', bindings: [], more: 1 }],
    ['spec_unsupported', { ...base, spec: 'agent-hooks/1.0', more: 1 }],
    ['unknown_field', { ...base, configuration: { mode: 'x', more: 'SECRET' } }],
    ['invalid_field', { ...base, configuration: { mode: 'SECRET' } }],
    ['invalid_field', { declaration: DECLARATION_VERSION }],
    ['inconsistent', { ...base, bindings: [guard, guard] }],
    ['surface_unsupported', { ...base, configuration: { posture: { tool_seam_host_error: 'terminate' } } }],
    ['reference_unresolved', { ...base, configuration: { identity_provider: 'hmac-sha256-k1' } }],
    ['kind_unknown', { ...base, bindings: [{ id: 'a', kind: 'own.other' }] }],
    ['binding_rejected', { ...base, bindings: [{ ...guard, config: 'SECRET' }] }],
    ['binding_rejected', { ...base, bindings: [{ id: 'a', kind: 'own.nothing' }] }],
  ];
  for (const [code, document] of wrong) {
    const error = await refused(document);
    assert.equal(error.code, `declaration_error:${code}`, JSON.stringify(document).slice(0, 200));
    assert.doesNotMatch(error.message, /SECRET/);
  }
});

test('a host that streams may say so, with its bound', async () => {
  const surface = {
    buffered_output: false,
    exposure_bound: 'none',
    capabilities: ['model_calls', 'tool_calls', 'incremental_output'],
  };
  const document = { declaration: DECLARATION_VERSION, surface, bindings: [] };
  assert.equal((await refused(document)).code, 'declaration_error:surface_unsupported');
  const host = {
    ...HOST,
    isIncremental: true,
    capabilities: [...HOST.capabilities, 'incremental_output'],
  };
  const { resolved } = await applyDeclaration(document, host);
  assert.equal(resolved.surface.exposure_bound, 'none');
  await assert.rejects(applyDeclaration({ ...document, surface: undefined }, host), /inconsistent/);
});

test('a file is read as UTF-8 of bounded size, or refused as unreadable', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-declaration-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'host.json');
  const text = JSON.stringify({ declaration: DECLARATION_VERSION, bindings: [guard] });
  writeFileSync(file, text);
  assert.equal((await loadDeclaration(file, HOST)).resolved.bindings[0]!.id, 'guard');
  for (const bytes of [`\ufeff${text}`, Buffer.from([0xff]), 'x'.repeat((1 << 20) + 1)]) {
    writeFileSync(file, bytes);
    await assert.rejects(loadDeclaration(file, HOST), { code: 'declaration_error:unreadable' });
  }
  for (const path of [directory, join(directory, 'none')])
    await assert.rejects(loadDeclaration(path, HOST), { code: 'declaration_error:unreadable' });
});

function deep(levels: number): unknown {
  return levels === 0 ? 1 : [deep(levels - 1)];
}
