// A call of a tool that only reads goes on while its record is written; nothing comes back before that is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecisionUnavailable } from '../../sdk/errors.ts';
import type { Transport } from '../../sdk/transport.ts';
import { PAY, within } from '../testing/pay.ts';
import { call, result, type SetUp } from '../testing/setup.ts';
import { UNAVAILABLE } from '../wire/message.ts';

/** Keeps the record of calls back until it is told how it ends. */
function slowRecord() {
  const ends = Promise.withResolvers<'written' | 'lost'>();
  const transport = (engine: Transport): Transport => ({
    ...engine,
    async decide(session, proposal, early) {
      const recorded = await engine.decide(session, proposal, early);
      if (proposal.kind === 'tool.call' && (await ends.promise) === 'lost')
        throw new DecisionUnavailable('The store is full.');
      return recorded;
    },
  });
  return { transport, end: ends.resolve };
}

/** The spec is known once a list was asked for. */
async function listed(s: SetUp) {
  await s.client({ id: 'list', method: 'tools/list' });
  await s.server({ id: 'list', result: { tools: [] } });
}

const state = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => 'done'), new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);

test('a read goes on early, and its answer and what else the server says wait for the record', () => {
  const { transport, end } = slowRecord();
  return within(PAY, { transport }, async (s) => {
    await listed(s);
    assert.equal((await s.client(call(1, 'page'))).t, 'forward');
    const noted = s.server({ method: 'notifications/message', params: {} });
    const answered = s.server(result(1, 'a page'));
    assert.deepEqual(await Promise.all([state(noted), state(answered)]), ['waits', 'waits']);
    end('written');
    assert.equal((await answered).body.result.content[0].text, 'a page');
    assert.equal((await noted).t, 'forward');
    assert.deepEqual(await s.steps(), ['tool.call page allow', 'tool.result page allow']);
  });
});

test('a read whose record is lost gives nothing back', () => {
  const { transport, end } = slowRecord();
  return within(PAY, { transport }, async (s) => {
    await listed(s);
    await s.client(call(1, 'page'));
    const task = { task: { taskId: 't', status: 'working' } };
    await s.client(call(2, 'page'));
    const answered = [s.server(result(1, 'secret')), s.server({ id: 2, result: task })];
    end('lost');
    for (const { body } of await Promise.all(answered)) {
      assert.equal(body.error?.code, UNAVAILABLE);
      assert.doesNotMatch(JSON.stringify(body), /secret|working/);
    }
  });
});

test('a call with an effect, and one that the contract does not say of, wait', () => {
  const { transport, end } = slowRecord();
  return within({ ...PAY, default: 'allow' }, { transport }, async (s) => {
    await listed(s);
    const calls = [s.client(call(1, 'pay', { amount: 1 })), s.client(call(2, 'unknown'))];
    assert.deepEqual(await Promise.all(calls.map(state)), ['waits', 'waits']);
    end('written');
    for (const { t } of await Promise.all(calls)) assert.equal(t, 'forward');
  });
});

test('a read that is denied or held does not go on', () =>
  within(
    { ...PAY, rules: [{ id: 'never', on: 'call page', deny: 'has(args.x)', because: 'No x.' }] },
    {},
    async (s) => {
      await listed(s);
      assert.equal((await s.client(call(1, 'page', { x: 1 }))).t, 'answer');
    },
  ));
