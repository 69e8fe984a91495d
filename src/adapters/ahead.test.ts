// Decisions asked for ahead of the run: each is for one call, whatever ids a model gives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidedAhead } from './ahead.ts';
import type { FrameworkCall, RunTool } from './run-tool.ts';

/** Decides by name: what is no `read` is denied. */
function setUp() {
  const decided: string[] = [];
  const run = (async ({ name, args, execute }: FrameworkCall<unknown>) => {
    decided.push(`${name} ${JSON.stringify(args)}`);
    if (name !== 'read') throw new Error(`${name} is denied`);
    return execute(args, new AbortController().signal);
  }) as RunTool;
  return { decided, ahead: decidedAhead(run) };
}

function call(name: string, args: object, ran: string[] = []) {
  const execute = (given: object) => void ran.push(`${name} ${JSON.stringify(given)}`);
  return { name, args, callId: 'call_0', signal: undefined, execute };
}

test('what was decided ahead is what runs, and is decided once', async () => {
  const { decided, ahead } = setUp();
  const ran: string[] = [];
  assert.equal(await ahead.isHeld(call('read', { id: 1 })), false);
  await ahead.run(call('read', { id: 1 }, ran));
  assert.deepEqual([decided, ran], [['read {"id":1}'], ['read {"id":1}']]);
});

test('a call does not run by the decision on another one of its id', async () => {
  for (const other of [call('wipe', { id: 1 }), call('read', { id: 2 })]) {
    const { decided, ahead } = setUp();
    const ran: string[] = [];
    // Allowed, and never run: the framework was stopped in between. The model's next reply counts its calls from 0 again.
    assert.equal(await ahead.isHeld(call('read', { id: 1 })), false);
    assert.equal(await ahead.isHeld(other), false);
    const outcome = await ahead
      .run({ ...other, execute: call(other.name, {}, ran).execute })
      .catch((error: Error) => error.message);
    assert.deepEqual(decided[1], `${other.name} ${JSON.stringify(other.args)}`, 'it was decided');
    if (other.name === 'wipe') assert.deepEqual([outcome, ran], ['wipe is denied', []]);
    else assert.deepEqual(ran, ['read {"id":2}']);
  }
});
