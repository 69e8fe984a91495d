// Calls that wait for a person.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PAY, within } from '../testing/pay.ts';
import { call, result } from '../testing/setup.ts';

test('a held call waits for a person, says so to whom asked for progress, and runs once approved', () =>
  within(
    {
      ...PAY,
      rules: [
        { id: 'lead', on: 'call pay', hold: true, approve: { by: ['lead'] }, because: 'A lead decides.' },
      ],
    },
    { holdWaitMs: 20_000 },
    async (s) => {
      const waiting = s.client(call(1, 'pay', { amount: 1 }, { _meta: { progressToken: 'p' } }));
      let [hold] = await s.transport.holds({});
      while (hold === undefined) [hold] = await s.transport.holds({});
      await s.transport.answerHold(hold.id, { approve: true, by: 'user:bob', role: 'lead' });
      assert.equal((await waiting).t, 'forward');
      const [progress] = s.notified as {
        method: string;
        params: { progressToken: string; progress: number };
      }[];
      assert.equal(progress?.method, 'notifications/progress');
      assert.equal(progress?.params.progressToken, 'p');
      assert.ok(progress.params.progress < 1);
    },
  ));

test('a held call that nobody answers says what to do, and the same call runs later; a refused one is denied', () =>
  within(
    {
      ...PAY,
      rules: [
        { id: 'lead', on: 'call pay', hold: true, approve: { by: ['lead'] }, because: 'A lead decides.' },
      ],
    },
    {},
    async (s) => {
      const held = await s.client(call(1, 'pay', { amount: 1 }));
      assert.equal(held.body.result.isError, true);
      const { hold } = held.body.result._meta['interlock/held'];
      await s.transport.answerHold(hold, { approve: true, by: 'user:bob', role: 'lead' });
      assert.equal(
        (await s.client(call(2, 'pay', { amount: 2 }))).body.result.isError,
        true,
        'other arguments',
      );
      assert.equal((await s.client(call(3, 'pay', { amount: 1 }))).t, 'forward');
      await s.server(result(3, 'paid'));
      const again = await s.client(call(4, 'pay', { amount: 1 }));
      assert.notEqual(again.body.result._meta['interlock/held'].hold, undefined, 'an approval is used once');
    },
  ));

test('an approval that comes too late opens nothing', () =>
  within(
    {
      ...PAY,
      rules: [
        {
          id: 'lead',
          on: 'call pay',
          hold: true,
          approve: { by: ['lead'], expires: '1s' },
          because: 'A lead decides.',
        },
      ],
    },
    {},
    async (s) => {
      const held = await s.client(call(1, 'pay', { amount: 1 }));
      const { hold } = held.body.result._meta['interlock/held'];
      await pause(1_100);
      const late = s.transport.answerHold(hold, { approve: true, by: 'user:bob', role: 'lead' });
      await assert.rejects(late, { code: 'hold-closed' });
      const again = await s.client(call(2, 'pay', { amount: 1 }));
      assert.notEqual(again.body.result._meta['interlock/held'].hold, hold);
    },
  ));

test('a call that is cancelled while a person is asked never reaches the server', () =>
  within(
    {
      ...PAY,
      rules: [
        { id: 'lead', on: 'call pay', hold: true, approve: { by: ['lead'] }, because: 'A lead decides.' },
      ],
    },
    { holdWaitMs: 20_000 },
    async (s) => {
      const waiting = s.client(call(1, 'pay', { amount: 1 }));
      while ((await s.transport.holds({})).length === 0);
      const cancelled = await s.client({ method: 'notifications/cancelled', params: { requestId: 1 } });
      assert.equal(cancelled.t, 'drop');
      assert.equal((await waiting).t, 'drop');
    },
  ));
