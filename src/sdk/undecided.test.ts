// What a spec lets go on when no decision can be had, with a real server that goes away and comes back.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunningServer, startServer } from '../server/server.ts';
import { DecisionUnavailable, StepHeld } from './errors.ts';
import { Interlock } from './interlock.ts';

const SPEC = (fail: string) => `interlock: 1
name: offers
fail: ${fail}
tools:
  offers: { effect: read, fail: open }
  order: { effect: write }
  costly: { effect: read, fail: open }
rules:
  - { id: asked, on: call costly, hold: "true" }
`;

async function stage(t: TestContext, fail: 'open' | 'closed') {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-away-'));
  const spec = join(directory, 'spec.yaml');
  writeFileSync(spec, SPEC(fail));
  const start = (port: number) =>
    startServer({ port, otlpPort: null, dataDir: join(directory, 'data'), specFiles: [spec] });
  let server: RunningServer = await start(0);
  const interlock = Interlock.connect(server.url, { retryForMs: 100 });
  t.after(async () => {
    await interlock.close();
    await server.close();
    rmSync(directory, { recursive: true });
  });
  return {
    interlock,
    stop: () => server.close(),
    async back() {
      server = await start(server.port);
    },
    rows: async (session: string) => (await server.engine.steps(session, { from: 1, limit: 100 })).steps,
    findings: (session: string) => server.engine.findings({ session }),
  };
}

test('what may go on does, in order and on record as soon as the server is back', async (t) => {
  const { interlock, stop, back, rows, findings } = await stage(t, 'open');
  const session = await interlock.session({ agent: { name: 'a' } });
  const offers = session.guard({ name: 'offers', execute: (args: { page: number }) => [args.page] });
  const order = session.guard({ name: 'order', execute: () => 'ordered' });
  await stop();
  assert.equal(await session.input('What is on offer?'), null);
  assert.deepEqual(await Promise.all([offers({ page: 1 }), offers({ page: 2 })]), [[1], [2]]);
  await assert.rejects(order({}), DecisionUnavailable);
  await assert.rejects(session.handoff('other'), DecisionUnavailable);
  assert.equal(await session.output('Two things.'), null);
  await back();
  assert.equal(await order({}), 'ordered');
  const recorded = (await rows(session.id)).map(({ step }) => [step.kind, step.name, step.labels ?? []]);
  assert.deepEqual(recorded, [
    ['input', '', ['undecided']],
    ['tool.result', 'offers', ['undecided']],
    ['tool.result', 'offers', ['undecided']],
    ['output', '', ['undecided']],
    ['tool.call', 'order', []],
    ['tool.result', 'order', []],
  ]);
  const [, first] = await rows(session.id);
  assert.deepEqual([first!.step.args, first!.step.result], [{ page: 1 }, [1]]);
  const found = await findings(session.id);
  assert.deepEqual(
    found.map(({ kind, name }) => [kind, name]),
    [
      ['unguarded-step', 'offers'],
      ['unguarded-step', 'offers'],
    ],
  );
});

test('a contract opens its calls and nothing else; an ending settles what is left', async (t) => {
  const { interlock, stop, back, rows } = await stage(t, 'closed');
  const session = await interlock.session({ agent: { name: 'a' } });
  const offers = session.guard({ name: 'offers', execute: () => Promise.reject(new Error('closed today')) });
  await stop();
  await assert.rejects(session.input('What is on offer?'), DecisionUnavailable);
  await assert.rejects(offers({}), /closed today/);
  await back();
  await session.end();
  const kinds = (await rows(session.id)).map(({ step }) => [step.kind, step.error?.message]);
  assert.deepEqual(kinds, [
    ['tool.result', 'closed today'],
    ['session.end', undefined],
  ]);
});

test('a held call stays held when the server goes away while a person thinks', async (t) => {
  const { interlock, stop } = await stage(t, 'open');
  const session = await interlock.session({ agent: { name: 'a' } });
  let ran = false;
  const costly = session.guard({
    name: 'costly',
    execute: () => {
      ran = true;
    },
  });
  const call = costly({});
  const held = assert.rejects(
    call,
    (error) => error instanceof DecisionUnavailable || error instanceof StepHeld,
  );
  while ((await interlock.holds({ state: 'pending' })).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await stop();
  await held;
  assert.equal(ran, false);
});
