import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMonitor } from '../monitor/session-monitor.ts';
import { compileSpec } from '../spec/index.ts';
import { withEngine } from './testing/engine.ts';

const TEXT = `
interlock: 1
name: owed
tools: { refund: { effect: write }, post_ledger: { effect: write } }
rules:
  - { id: ledger, after: result refund, then: call post_ledger, before: { event: end } }
`;

test('a refused ending leaves the session open, also after a restart, until what is owed is done', async (t) => {
  const compiled = compileSpec(TEXT);
  assert.ok(compiled.ok);
  const { spec } = compiled;
  const like = { ...spec, applies: () => true, createMonitor: () => createMonitor(spec.program) };
  const first = await withEngine(t, { specs: [like] });
  const { engine } = first;
  const session = await engine.openSession({ agent: { name: 'a' } });
  await engine.decide(session.id, { kind: 'tool.call', name: 'refund', callId: 'c1', args: {} });
  await engine.decide(session.id, { kind: 'tool.result', name: 'refund', callId: 'c1', result: 'ok' });
  const refused = await engine.endSession(session.id);
  assert.deepEqual([refused.decision.verdict, refused.decision.rules[0]?.rule], ['deny', 'ledger']);
  const { engine: again } = await first.reopen({ specs: [like] });
  assert.equal((await again.session(session.id))?.state, 'open');
  assert.equal((await again.endSession(session.id)).decision.verdict, 'deny');
  await again.decide(session.id, { kind: 'tool.call', name: 'post_ledger', callId: 'c2', args: {} });
  assert.equal((await again.endSession(session.id)).decision.verdict, 'allow');
  assert.equal((await again.session(session.id))?.state, 'ended');
});
