// Notices reach a real server, signed, again after a failure, and with nothing in them that a chat would act on.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { call, withEngine } from '../engine/testing/engine.ts';
import { startNotifying } from './notify.ts';

interface Received {
  readonly path: string;
  readonly signature: string | undefined;
  readonly body: string;
}

test('people are told of holds, answers, findings and stops', async (t) => {
  const received: Received[] = [];
  const failures = [500];
  let changed = () => {};
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const status = failures.shift() ?? 200;
    const signature = request.headers['x-interlock-signature'] as string | undefined;
    if (status === 200)
      received.push({ path: request.url!, signature, body: Buffer.concat(chunks).toString() });
    response.writeHead(status).end();
    changed();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { engine } = await withEngine(t);
  const logged: string[] = [];
  const common = { page: 'http://page.example', log: (line: string) => logged.push(line) };
  const stops = [
    startNotifying(engine, { ...common, url: `${base}/json`, format: 'json', secret: 's3cret' }),
    startNotifying(engine, { ...common, url: `${base}/slack`, format: 'slack' }),
  ];
  t.after(() => {
    for (const stop of stops) stop();
  });
  async function until(count: number): Promise<void> {
    while (received.length < count) await new Promise<void>((resolve) => (changed = resolve));
  }

  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const { holdId } = await engine.decide(id, call('hold_<!channel>', { n: 1 }));
  await until(2);
  const json = received.find(({ path }) => path === '/json')!;
  assert.equal(json.signature, `sha256=${createHmac('sha256', 's3cret').update(json.body).digest('hex')}`);
  const notice = JSON.parse(json.body);
  assert.deepEqual([notice.type, notice.hold.id], ['hold', holdId]);
  assert.equal(notice.url, `http://page.example/sessions/${id}?step=1`);
  const slack = JSON.parse(received.find(({ path }) => path === '/slack')!.body);
  assert.match(slack.text, /hold_&lt;!channel&gt;/);
  assert.match(slack.text, /<http:\/\/page\.example\/sessions\/.*\|Open in Interlock>/);

  await engine.answerHold(holdId!, { approve: false, by: 'ann', role: notice.hold.by[0] });
  await engine.stop({ agent: 'x', version: null, tool: null, tenant: null, reason: 'why', by: 'ann' });
  await until(6);
  const types = received.filter(({ path }) => path === '/json').map(({ body }) => JSON.parse(body).type);
  assert.deepEqual(types.sort(), ['hold', 'hold-closed', 'stop']);
  assert.deepEqual(logged, []);

  failures.push(404, 404);
  await engine.stop({ agent: 'y', version: null, tool: null, tenant: null, reason: 'why', by: 'ann' });
  while (logged.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(logged[0]!, /was not delivered: .* answered 404/);
});
