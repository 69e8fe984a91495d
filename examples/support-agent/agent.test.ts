// The whole example with the real engine: denied, repaired, held, approved, finished; and again across a restart.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Interlock } from '../../src/sdk/index.ts';
import { freshNotebook, type Notebook, runSupportAgent } from './agent.ts';
import { type Model, scriptedModel } from './model.ts';
import { CUSTOMER, openShop } from './shop.ts';

const SPEC = fileURLToPath(new URL('./spec.yaml', import.meta.url));

async function withInterlock(play: (open: () => Promise<Interlock>) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'interlock-example-'));
  try {
    await play(() => Interlock.open({ spec: SPEC, data }));
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

interface Played {
  readonly answer: string;
  readonly said: readonly string[];
  readonly shop: ReturnType<typeof openShop>;
}

async function play(
  interlock: Interlock,
  answer: { approve: boolean },
  model: Model = scriptedModel,
): Promise<Played> {
  const shop = openShop();
  const said: string[] = [];
  const save = async ({ held }: Notebook) => {
    if (held === null) return;
    await interlock.answerHold(held.hold, {
      ...answer,
      by: 'lea@example.com',
      role: 'support-lead',
      reason: 'seen',
    });
  };
  const say = (line: string) => said.push(line);
  const spoken = await runSupportAgent({
    interlock,
    model,
    shop,
    notebook: freshNotebook('example'),
    save,
    say,
  });
  return { answer: spoken, said, shop };
}

test('is denied, repairs itself, is held, and finishes when approved', () =>
  withInterlock(async (open) => {
    const interlock = await open();
    const { answer, said, shop } = await play(interlock, { approve: true });
    assert.match(answer, /refund of 240 is on its way/);
    assert.deepEqual(shop.refunds, [{ order_id: 'A-1001', amount: 240 }]);
    assert.deepEqual(
      shop.emails.map((mail) => mail.to),
      [CUSTOMER.email],
      'the address in the note got nothing',
    );
    const calls = said
      .filter((line) => line.startsWith('call'))
      .map((line) => line.split(' ').filter(Boolean)[1]);
    assert.deepEqual(calls, ['get_order', 'refund', 'verify_identity', 'refund', 'send_email', 'send_email']);
    const denied = said.filter((line) => line.startsWith('denied'));
    assert.equal(denied.length, 2);
    assert.match(denied[0]!, /identity-first/);
    assert.match(denied[1]!, /recipient-is-known/);
    const repair = said.find((line) => line.startsWith('repair'));
    assert.match(repair!, /Call verify_identity with customer_id C-7 first/);
    await interlock.close();
  }));

test('tells the customer when the refund is refused', () =>
  withInterlock(async (open) => {
    const interlock = await open();
    const { answer, shop } = await play(interlock, { approve: false });
    assert.match(answer, /not approved/);
    assert.deepEqual([shop.refunds, shop.emails], [[], []]);
    await interlock.close();
  }));

test('goes on after a restart while the refund waits', () =>
  withInterlock(async (open) => {
    let notebook = freshNotebook('example');
    const stop = new AbortController();
    const first = await open();
    const save = async (next: Notebook) => {
      notebook = JSON.parse(JSON.stringify(next)) as Notebook;
      if (next.held !== null) setImmediate(() => stop.abort());
    };
    const say = () => {};
    const shop = openShop();
    await assert.rejects(
      runSupportAgent({
        interlock: first,
        model: scriptedModel,
        shop,
        notebook,
        save,
        say,
        signal: stop.signal,
      }),
      { name: 'AbortError' },
    );
    await first.close();
    assert.equal(notebook.held?.name, 'refund');

    const second = await open();
    const later = openShop();
    const finished = runSupportAgent({
      interlock: second,
      model: scriptedModel,
      shop: later,
      notebook,
      save: async () => {},
      say,
    });
    await second.answerHold(notebook.held.hold, {
      approve: true,
      by: 'lea@example.com',
      role: 'support-lead',
    });
    assert.match(await finished, /on its way/);
    assert.deepEqual(later.refunds, [{ order_id: 'A-1001', amount: 240 }]);
    await second.close();
  }));

test('a model that calls a tool nobody has is denied by the default, not crashed', () =>
  withInterlock(async (open) => {
    const interlock = await open();
    let turn = 0;
    const model: Model = {
      name: 'confused',
      next: async () =>
        turn++ === 0
          ? { content: '', calls: [{ id: 'x', name: 'drop_tables', args: {} }] }
          : { content: 'sorry', calls: [] },
    };
    const { said } = await play(interlock, { approve: true }, model);
    assert.match(said.find((line) => line.startsWith('denied'))!, /drop_tables/);
    await interlock.close();
  }));
