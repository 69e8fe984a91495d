// The OpenID AuthZEN Authorization API 1.0.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPoint } from './spec.ts';

type Context = Parameters<typeof withPoint>[0];

async function authzen(t: Context, options: Parameters<typeof withPoint>[2] = {}) {
  const made = await withPoint(t, {}, options);
  const url = `http://127.0.0.1:${made.point.httpPort}`;
  return {
    ...made,
    url,
    async post(path: string, body: unknown, headers: Record<string, string> = {}) {
      const sent = typeof body === 'string' ? body : JSON.stringify(body);
      const given = { 'content-type': 'application/json', ...headers };
      const answer = await fetch(url + path, { method: 'POST', headers: given, body: sent });
      return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) };
    },
  };
}

const ONE = '/access/v1/evaluation';
const MANY = '/access/v1/evaluations';
const alice = { type: 'user', id: 'alice' };
const read = { name: 'read' };
const doc = (id: string) => ({ type: 'document', id });

test('a question is a step of the subject, answered with the reason of a denial', async (t) => {
  const { post, engine } = await authzen(t);
  const yes = await post(
    ONE,
    { subject: alice, action: read, resource: doc('1') },
    { 'x-request-id': 'r-1' },
  );
  assert.deepEqual([yes.status, yes.body], [200, { decision: true }]);
  assert.equal(yes.headers.get('x-request-id'), 'r-1');
  assert.equal(yes.headers.get('content-type'), 'application/json');

  const action = { ...read, properties: { soft: true } };
  const context = { agent: 'shop', session: 's-1', ip: '::1' };
  const no = await post(ONE, { subject: alice, action, resource: doc('secret'), context, more: 'ignored' });
  assert.equal(no.status, 200);
  assert.equal(no.body.decision, false);
  assert.equal(no.body.context.reason, 'Secrets are not read.');
  assert.equal(no.body.context.rules[0].rule, 'no-secrets');
  const session = await engine.session('s-1');
  assert.deepEqual([session?.agent.name, session?.principal], ['shop', 'user:alice']);
  const { steps } = await engine.steps('s-1', { from: 1, limit: 1 });
  const { kind, name, args } = steps[0]!.step;
  assert.deepEqual(
    { kind, name, args },
    {
      kind: 'tool.call',
      name: 'read',
      args: { subject: alice, resource: doc('secret'), context, properties: { soft: true } },
    },
  );
});

test('a held question is denied with its hold, and allowed once it is approved', async (t) => {
  const { post, engine } = await authzen(t);
  const question = { subject: alice, action: { name: 'wipe' }, resource: doc('1') };
  const held = await post(ONE, question);
  assert.deepEqual([held.body.decision, held.body.context.verdict], [false, 'hold']);
  await engine.answerHold(held.body.context.hold, { approve: true, by: 'ann', role: 'reviewer' });
  assert.deepEqual((await post(ONE, question)).body, { decision: true });
});

test('several questions share defaults and stop as asked', async (t) => {
  const { post } = await authzen(t);
  const evaluations = ['1', 'secret', '3'].map((id) => ({ resource: doc(id) }));
  const decisions = async (more: object, each: readonly object[] = evaluations) => {
    const answer = await post(MANY, { subject: alice, action: read, evaluations: each, ...more });
    assert.equal(answer.status, 200);
    return answer.body.evaluations.map(({ decision }: { decision: boolean }) => decision);
  };
  const semantic = (evaluations_semantic: string) => ({ options: { evaluations_semantic } });
  assert.deepEqual(await decisions({}), [true, false, true]);
  assert.deepEqual(await decisions(semantic('execute_all')), [true, false, true]);
  assert.deepEqual(await decisions(semantic('deny_on_first_deny')), [true, false]);
  assert.deepEqual(await decisions(semantic('permit_on_first_permit')), [true]);
  assert.deepEqual(await decisions({ resource: doc('secret') }, [{}, { resource: doc('1') }]), [false, true]);
  const single = await post(MANY, { subject: alice, action: read, resource: doc('1') });
  assert.deepEqual(single.body, { decision: true });
  const empty = await post(MANY, { subject: alice, action: read, resource: doc('1'), evaluations: [] });
  assert.deepEqual(empty.body, { decision: true });
});

test('one question that cannot be read is denied, and the others are answered', async (t) => {
  const { post } = await authzen(t);
  const evaluations = [{ resource: doc('1') }, { resource: { type: 'document' } }, 7];
  const { body } = await post(MANY, { subject: alice, action: read, evaluations });
  assert.deepEqual(body.evaluations[0], { decision: true });
  assert.equal(body.evaluations[1].decision, false);
  assert.deepEqual(body.evaluations[1].context.error, {
    status: 400,
    message: '/resource/id: expected a string that is not empty, found nothing',
  });
  assert.equal(body.evaluations[2].context.error.status, 400);
});

test('a request that cannot be read is an error and no decision', async (t) => {
  const { post, url } = await authzen(t);
  const wrong: [status: number, path: string, body: unknown, headers?: Record<string, string>][] = [
    [400, ONE, '{'],
    [400, ONE, []],
    [400, ONE, { subject: alice, action: read }],
    [400, ONE, { subject: { type: 'user' }, action: read, resource: doc('1') }],
    [400, ONE, { subject: alice, action: {}, resource: doc('1') }],
    [400, ONE, '{"subject":1,"subject":2}'],
    [400, MANY, { evaluations: 7 }],
    [400, MANY, { evaluations: [{}], options: { evaluations_semantic: 'any' } }],
    [400, MANY, { evaluations: Array.from({ length: 101 }, () => ({})) }],
    [415, ONE, '{}', { 'content-type': 'text/plain' }],
    [413, ONE, `"${'x'.repeat(1 << 20)}"`],
    [404, '/access/v1/search/subject', {}],
  ];
  for (const [status, path, body, headers] of wrong) {
    const answer = await post(path, body, headers);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(body).slice(0, 80)}`);
    assert.equal(typeof answer.body.error, 'string');
    assert.ok(!('decision' in answer.body));
  }
  assert.equal((await fetch(url + ONE)).status, 405);
});

test('a failure of ours is an error of the server', async (t) => {
  const broken = { openSession: () => Promise.reject(new Error('no')), decide: () => Promise.reject() };
  const { post } = await authzen(t, { engine: broken });
  const one = await post(ONE, { subject: alice, action: read, resource: doc('1') });
  assert.equal(one.status, 503);
  const many = await post(MANY, { subject: alice, action: read, evaluations: [{ resource: doc('1') }] });
  assert.equal(many.body.evaluations[0].context.error.status, 503);
});

test('the gateway shows its key as a bearer', async (t) => {
  const { post } = await authzen(t, {
    admit: (key, init) => (key === 'right' ? init : { code: 'unauthorized', message: 'no key' }),
  });
  const question = { subject: alice, action: read, resource: doc('1') };
  assert.equal((await post(ONE, question)).status, 401);
  assert.equal((await post(ONE, question, { authorization: 'Bearer right' })).status, 200);
});

test('the metadata says where to ask', async (t) => {
  const { url } = await authzen(t);
  const answer = await fetch(`${url}/.well-known/authzen-configuration`);
  assert.deepEqual(await answer.json(), {
    policy_decision_point: url,
    access_evaluation_endpoint: `${url}/access/v1/evaluation`,
    access_evaluations_endpoint: `${url}/access/v1/evaluations`,
  });
});

test('what the door is told to refuse is refused, and Envoy is asked nothing of the kind', async (t) => {
  const { post, url } = await authzen(t, { refuse: () => 'a web page made this request' });
  assert.equal((await post(ONE, { subject: alice, action: read, resource: doc('1') })).status, 403);
  assert.equal((await fetch(`${url}/ext-authz/x`)).status, 200);
});
