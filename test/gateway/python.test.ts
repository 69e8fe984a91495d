// The vendors' Python libraries through the gateway. Skipped, and said so, where there is no Python or the libraries cannot be
// had.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findPython } from '../python.ts';
import { type GatewayUnderTest, startGateway } from './harness.ts';
import { call, type ScriptedModel, says, startScriptedModel } from './scripted-model.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'python_clients.py');
const LIBRARIES = ['openai==3.54.0', 'anthropic==2.12.0'];
const REFUND = { id: 'A-1', amount: 140 };
let model: ScriptedModel;
let gateway: GatewayUnderTest;
before(async () => {
  model = await startScriptedModel({
    script: [
      { parts: [call('get_order', { id: 'A-1' }), call('wire_money', { account: 'ACCOUNT-66613' })] },
      { parts: [call('refund', REFUND)] },
      { parts: [call('refund', REFUND)] },
      says('I refunded 140 of A-1.'),
    ],
    stream: { deltaChars: 4, writes: { seed: 9, maxBytes: 120 } },
  });
  gateway = await startGateway({ upstream: model.url });
});
after(async () => {
  await gateway?.stop();
  await model?.close();
});

test('agents on the Python libraries: allowed, denied, held and approved', async (t) => {
  const found = await findPython(LIBRARIES, ['openai', 'anthropic']);
  if ('why' in found) return t.skip(found.why);
  const { stdout } = await run(found.python, [SCRIPT, gateway.url]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { agent: string; turns: { text: string; calls: string[] }[] });
  assert.equal(lines.length, 6);
  for (const { agent, turns } of lines) {
    const [looked, held, approved, done] = turns;
    assert.deepEqual(looked!.calls, ['get_order'], agent);
    assert.match(looked!.text, /wire_money was denied/, agent);
    assert.deepEqual(held!.calls, [], agent);
    assert.match(held!.text, /waits for approval/, agent);
    assert.deepEqual(approved!.calls, ['refund'], agent);
    assert.equal(done!.text, 'I refunded 140 of A-1.', agent);
    const [session, ...others] = await gateway.sessionsOf(agent);
    assert.ok(session !== undefined && others.length === 0, agent);
    assert.equal(session.verdicts.deny, 1, agent);
    assert.equal(session.verdicts.hold, 1, agent);
  }
});
