// From a guarded tool through HTTP to the real engine and its store, and back.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  DecisionUnavailable,
  Interlock,
  type Session,
  SessionHalted,
  StepDenied,
  StepHeld,
} from '../sdk/index.ts';
import { PortTaken, type RunningServer, startServer } from './server.ts';

const SPEC = `
interlock: 1
name: payments
applies: { agents: ["payer-*"] }
default: deny
tools:
  check: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }
  pay: { effect: write }
  list: { effect: read }
  wipe: { effect: delete }
rules:
  - id: check-first
    on: call pay
    require: past.exists("result check", e, e.args.to == args.to && e.result.ok)
    because: A payment needs a check of its receiver.
    repair: Call check with to {{ args.to }} first.
  - id: three-payments
    on: call pay
    limit: { count: 3, per: session }
    because: Three payments are enough.
  - id: large
    on: call pay
    hold: args.amount > 100
    approve: { by: [lead], expires: 1h }
    because: Large payments need a lead.
  - id: first-page
    on: call list
    transform: { set: { args.limit: "10" } }
    because: Lists are short.
  - id: never-wipe
    on: call wipe
    require: "false"
    otherwise: halt
    because: Nobody wipes.
`;

let dir: string;
let server: RunningServer;
let interlock: Interlock;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-e2e-'));
  await writeFile(join(dir, 'spec.yaml'), SPEC);
  server = await start('main');
  interlock = Interlock.connect(server.url, { retryForMs: 200 });
});
after(async () => {
  await interlock.close();
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

function start(data: string, port = 0): Promise<RunningServer> {
  return startServer({ port, otlpPort: 0, dataDir: join(dir, data), specFiles: [join(dir, 'spec.yaml')] });
}

/** A session with the payer's four tools, and a record of what really ran. */
async function payer(on = interlock) {
  const session = await on.session({ agent: { name: 'payer-1' }, principal: 'user:1' });
  const ran: string[] = [];
  const tool = (name: string, result: unknown) => ({
    name,
    execute(args: object) {
      ran.push(`${name} ${JSON.stringify(args)}`);
      return result;
    },
  });
  return {
    session,
    ran,
    check: session.guard(tool('check', { ok: true })),
    list: session.guard(tool('list', [])),
    wipe: session.guard(tool('wipe', null), { onDeny: 'result' }),
    payTool: tool('pay', { paid: true }),
    pay: session.guard(tool('pay', { paid: true })),
  };
}

async function approveNext(session: Session, approve = true): Promise<void> {
  for (;;) {
    const [hold] = await interlock.holds({ state: 'pending', session: session.id });
    if (hold !== undefined) {
      await interlock.answerHold(hold.id, { approve, by: 'lea', role: 'lead' });
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a denial names the rule and the repair; doing the repair makes the same call pass', async () => {
  const { pay, check, ran } = await payer();
  const error = await pay({ to: 'acme', amount: 5 }).then(
    () => assert.fail('not denied'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof StepDenied);
  assert.deepEqual(error.rules, ['check-first']);
  assert.equal(error.repair, 'Call check with to acme first.');
  await check({ to: 'acme' });
  assert.deepEqual(await pay({ to: 'acme', amount: 5 }), { paid: true });
  assert.deepEqual(ran, ['check {"to":"acme"}', 'pay {"to":"acme","amount":5}']);
});

test('a transform runs the rewritten arguments', async () => {
  const { list, ran } = await payer();
  await list({ limit: 5000 });
  assert.deepEqual(ran, ['list {"limit":10}']);
});

test('a held call waits for its approval and then runs, once', async () => {
  const { session, check, pay, ran } = await payer();
  await check({ to: 'acme' });
  const paid = pay({ to: 'acme', amount: 500 });
  await approveNext(session);
  assert.deepEqual(await paid, { paid: true });
  assert.equal(ran.length, 2);
  const again = pay({ to: 'acme', amount: 500 });
  await approveNext(session, false);
  await assert.rejects(again, { code: 'step-denied', reason: 'refused', because: 'lea (lead) refused.' });
  assert.equal(ran.length, 2, 'an approval is good for one call');
});

test('only the role that the rule names may approve', async () => {
  const { session, check, payTool } = await payer();
  await check({ to: 'acme' });
  const guarded = session.guard(payTool, { onHold: 'suspend' });
  const held = await guarded({ to: 'acme', amount: 500 }).catch((error: unknown) => error);
  assert.ok(held instanceof StepHeld);
  const answer = { approve: true, by: 'eve', role: 'intern' };
  await assert.rejects(interlock.answerHold(held.token.hold, answer), { code: 'not-allowed-to-answer' });
});

test('a halt stops the session for good', async () => {
  const { session, wipe, list, ran } = await payer();
  await assert.rejects(wipe({}), SessionHalted);
  await assert.rejects(list({ limit: 1 }), SessionHalted);
  assert.deepEqual(ran, []);
  const summary = await server.engine.session(session.id);
  assert.equal(summary?.state, 'halted');
});

test('parallel calls never take more than the limit', async () => {
  const { check, pay, ran } = await payer();
  await check({ to: 'acme' });
  const calls = Array.from({ length: 10 }, (_, n) => pay({ to: 'acme', amount: n + 1 }));
  const settled = await Promise.allSettled(calls);
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 3);
  assert.equal(ran.filter((line) => line.startsWith('pay')).length, 3);
});

test('an aborted wait leaves the hold open and the call unrun', async () => {
  const { session, check, pay, ran } = await payer();
  await check({ to: 'acme' });
  const abort = new AbortController();
  const waiting = pay({ to: 'acme', amount: 500 }, { signal: abort.signal });
  for (;;) if ((await interlock.holds({ state: 'pending', session: session.id })).length > 0) break;
  abort.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal((await interlock.holds({ state: 'pending', session: session.id })).length, 1);
  assert.deepEqual(ran, ['check {"to":"acme"}']);
});

test('an agent no spec applies to may not act', async () => {
  const session = await interlock.session({ agent: { name: 'stranger' } });
  await assert.rejects(session.guard({ name: 'pay', execute: () => assert.fail('ran') })({}), StepDenied);
});

test('the same proposal sent twice is one step; another under its id is refused', async () => {
  const { session } = await payer();
  const first = await session.observe({ id: 'once', kind: 'input', name: '', content: 'hello' });
  const second = await session.observe({ id: 'once', kind: 'input', name: '', content: 'hello' });
  assert.deepEqual(second, first);
  const other = session.observe({ id: 'once', kind: 'input', name: '', content: 'other' });
  await assert.rejects(other, { code: 'duplicate-id' });
});

test('a server that restarts while a call waits is waited for', async () => {
  const first = await start('restarted');
  const patient = Interlock.connect(first.url, { retryForMs: 20_000 });
  const { session, check, pay, ran } = await payer(patient);
  await check({ to: 'acme' });
  const paid = pay({ to: 'acme', amount: 500 });
  for (;;) if ((await patient.holds({ state: 'pending', session: session.id })).length > 0) break;
  await first.close();
  const second = await start('restarted', first.port);
  const [hold] = await patient.holds({ state: 'pending', session: session.id });
  await patient.answerHold(hold!.id, { approve: true, by: 'lea', role: 'lead' });
  assert.deepEqual(await paid, { paid: true });
  assert.equal(ran.length, 2);
  await patient.close();
  await second.close();
});

test('a server that stays away is no permission', async () => {
  const gone = await start('gone');
  const hasty = Interlock.connect(gone.url, { retryForMs: 100 });
  const { session, check, pay, ran } = await payer(hasty);
  await check({ to: 'acme' });
  const waiting = pay({ to: 'acme', amount: 500 });
  for (;;) if ((await hasty.holds({ state: 'pending', session: session.id })).length > 0) break;
  const refused = assert.rejects(waiting, DecisionUnavailable);
  await gone.close();
  await refused;
  await assert.rejects(pay({ to: 'acme', amount: 1 }), DecisionUnavailable);
  assert.deepEqual(ran, ['check {"to":"acme"}']);
  await hasty.close();
});

test('a span that no decision covers becomes a finding', async () => {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'execute_tool pay',
    kind: 1,
    startTimeUnixNano: '1760000000000000000',
    endTimeUnixNano: '1760000001000000000',
    attributes: [
      text('gen_ai.operation.name', 'execute_tool'),
      text('gen_ai.tool.name', 'pay'),
      text('gen_ai.tool.call.id', 'call-1'),
      text('gen_ai.conversation.id', 'seen-from-outside'),
    ],
  };
  const sent = await fetch(`http://127.0.0.1:${server.otlpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  assert.equal(sent.status, 200);
  const answer = await (await fetch(`${server.url}/v1/findings`)).json();
  const { findings } = answer as { findings: { kind: string; name: string }[] };
  assert.deepEqual(
    findings.map(({ kind, name }) => [kind, name]),
    [['unguarded-step', 'pay']],
  );
});

test('page, API and telemetry refuse a foreign host', async () => {
  for (const port of [server.port, server.otlpPort]) {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/', headers: { host: 'evil.example' } });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sent.end();
    });
    assert.equal(status, 421);
  }
});

test('a port in use and a data directory in use are named', async () => {
  await assert.rejects(start('elsewhere', server.port), PortTaken);
  await assert.rejects(start('main'), { code: 'in-use' });
});
