// The gateway as agents meet it: one address changed, on a real server over a scripted model. What is recorded, what the client
// gets, and how a conversation is known again.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  call,
  type ScriptedModel,
  says,
  startScriptedModel,
  type Turn,
} from '../../test/gateway/scripted-model.ts';
import type { Recorded } from '../engine/types.ts';
import { type RunningServer, startServer } from '../server/server.ts';

const SPEC = `
interlock: 1
name: shop
default: deny
tools:
  get_order: { effect: read }
  refund: { effect: write }
  wire: { effect: send }
rules:
  - id: small
    on: call refund
    require: args.amount <= 100
    because: Refunds are at most 100.
    repair: Refund at most 100.
  - id: looked-up
    on: call refund
    require: past.exists("result get_order", o, o.args.id == args.id)
    because: An order is looked up before it is refunded.
  - id: in-cents
    on: call wire
    when: args.amount > 1000
    transform: { set: { args.amount: "1000" } }
    because: A wire is at most 1000.
  - id: wires-wait
    on: call wire
    hold: args.amount == 77
    approve: { by: [lead], expires: 1h }
    because: A wire of 77 needs a lead.
  - id: no-keys
    on: output
    deny: content.matches("sk-[a-z0-9]{6,}")
    because: Keys are not told.
  - id: models
    on: request secret-*
    deny: true
    because: This model is not for agents.
  - id: short
    on: request long-*
    transform: { set: { args.max_tokens: "100" } }
    because: Replies are short.
`;

interface Chat {
  messages: Record<string, unknown>[];
  model?: string;
  headers?: Record<string, string>;
  path?: string;
}

describe('the gateway', () => {
  let dir: string;
  let model: ScriptedModel;
  let second: ScriptedModel;
  let server: RunningServer;

  async function start(extra = ''): Promise<RunningServer> {
    const file = join(dir, 'gateway.yaml');
    const upstreams = `{ openai: { url: "${model.url}" }, anthropic: { url: "${model.url}" }, gemini: { url: "${model.url}" }, spare: { protocol: openai, url: "${second.url}" }, gone: { protocol: openai, url: "http://127.0.0.1:9" } }`;
    await writeFile(file, `gateway: 1\nupstreams: ${upstreams}\nhold: 300ms\n${extra}`);
    await writeFile(join(dir, 'spec.yaml'), SPEC);
    return startServer({
      port: 0,
      otlpPort: null,
      dataDir: join(dir, 'data'),
      specFiles: [join(dir, 'spec.yaml')],
      gatewayFile: file,
    });
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlock-gateway-'));
    model = await startScriptedModel({ script: [] });
    second = await startScriptedModel({ script: [says('from the second')] });
    server = await start();
  });
  after(async () => {
    await server?.close();
    await model?.close();
    await second?.close();
    await rm(dir, { recursive: true, force: true });
  });

  function play(...turns: Turn[]): void {
    model.play(turns);
  }

  async function ask({
    messages,
    model: name = 'gpt',
    headers = {},
    path = 'openai/v1/chat/completions',
  }: Chat) {
    const answer = await fetch(`${server.url}/gateway/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: name, messages }),
    });
    const body = (await answer.json()) as {
      choices: {
        message: {
          content: string;
          tool_calls?: { id: string; function: { name: string; arguments: string } }[];
        };
        finish_reason: string;
      }[];
      error: { code: string; message: string; interlock: { rules: { rule: string }[] } };
    };
    const session = answer.headers.get('x-interlock-session');
    return {
      status: answer.status,
      session,
      verdict: answer.headers.get('x-interlock-verdict'),
      body,
      message: body.choices?.[0]?.message,
    };
  }

  async function steps(session: string | null): Promise<Pick<Recorded, 'step' | 'decision'>[]> {
    // What needed no verdict is recorded after the reply.
    for (let tries = 0; tries < 100; tries++) {
      const { steps: rows } = await server.engine.steps(session!, { from: 0, limit: 1000 });
      const last = rows.at(-1)?.step.kind;
      if (last === 'model.response') return rows as unknown as Pick<Recorded, 'step' | 'decision'>[];
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('the reply was not recorded');
  }

  const user = (content: string) => ({ role: 'user', content });

  it('records a conversation as one session, each thing once, and decides calls before the client has them', async () => {
    play(
      { parts: [call('get_order', { id: 'A1' })] },
      { parts: [call('refund', { id: 'A1', amount: 40 })] },
      says('Done so.'),
    );
    const messages: Record<string, unknown>[] = [{ role: 'system', content: 'Be brief.' }, user('refund A1')];
    let session: string | null = null;
    for (let i = 0; i < 3; i++) {
      const answer = await ask({ messages });
      session ??= answer.session;
      assert.equal(answer.session, session);
      messages.push({ ...answer.message });
      for (const made of answer.message?.tool_calls ?? [])
        messages.push({
          role: 'tool',
          tool_call_id: made.id,
          content: made.function.name === 'get_order' ? '{"total":50}' : 'ok',
        });
    }
    const rows = await steps(session);
    assert.deepEqual(
      rows.map(({ step }) => `${step.kind} ${step.name}`),
      [
        ...[
          'session.start gateway',
          'input system',
          'input user',
          'model.request gpt',
          'tool.call get_order',
          'model.response gpt',
        ],
        ...['tool.result get_order', 'model.request gpt', 'tool.call refund', 'model.response gpt'],
        ...['tool.result refund', 'model.request gpt', 'output ', 'model.response gpt'],
      ],
    );
    const [asked, answered] = [rows[4]!.step, rows[6]!.step];
    assert.equal(answered.callId, asked.callId);
    assert.ok(rows[5]!.step.usage!.outputTokens! > 0);
  });

  it('puts the reason in place of a denied call, beside the calls that are allowed', async () => {
    play({ parts: [call('get_order', { id: 'B1' }), call('refund', { id: 'B1', amount: 500 })] });
    const { message, body, session } = await ask({ messages: [user('refund all of B1')] });
    assert.deepEqual(
      message!.tool_calls!.map((made) => made.function.name),
      ['get_order'],
    );
    assert.match(
      message!.content,
      /refund was denied and did not run\. Refunds are at most 100\. Refund at most 100\./,
    );
    assert.equal(body.choices[0]!.finish_reason, 'tool_calls');
    const denied = (await steps(session)).find(({ step }) => step.name === 'refund')!;
    assert.equal(denied.decision.verdict, 'deny');
    play({ parts: [call('refund', { id: 'B1', amount: 500 })] });
    const alone = await ask({ messages: [user('refund all of B1 now')] });
    assert.equal(alone.message!.tool_calls, undefined);
    assert.equal(alone.body.choices[0]!.finish_reason, 'stop');
  });

  it('hands rewritten arguments on, of calls and of requests', async () => {
    play({ parts: [call('wire', { amount: 5000 })] });
    const { message } = await ask({ messages: [user('wire 5000')] });
    assert.deepEqual(JSON.parse(message!.tool_calls![0]!.function.arguments), { amount: 1000 });
    play(says('short'));
    await ask({ messages: [user('talk')], model: 'long-one' });
    assert.equal(model.requests.at(-1)!.body.max_tokens, 100);
  });

  it('answers a denied request in the words of each vendor, and asks no model', async () => {
    const before = model.requests.length;
    const { status, body, verdict } = await ask({ messages: [user('hi')], model: 'secret-1' });
    assert.equal(status, 403);
    assert.equal(verdict, 'deny');
    assert.equal(body.error.code, 'interlock_denied');
    assert.deepEqual(
      body.error.interlock.rules.map(({ rule }) => rule),
      ['models'],
    );
    const anthropic = await fetch(`${server.url}/gateway/anthropic/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'secret-1', max_tokens: 5, messages: [user('hi')] }),
    });
    const told = (await anthropic.json()) as { type: string; error: { type: string } };
    assert.deepEqual([anthropic.status, told.type, told.error.type], [403, 'error', 'permission_error']);
    const gemini = await fetch(`${server.url}/gateway/gemini/v1beta/models/secret-1:generateContent`, {
      method: 'POST',
      body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }),
    });
    const said = (await gemini.json()) as { error: { status: string } };
    assert.deepEqual([gemini.status, said.error.status], [403, 'PERMISSION_DENIED']);
    assert.equal(model.requests.length, before);
  });

  it('waits for people a while, then tells the model; the approved call passes, once', async () => {
    const wire: Turn = { parts: [call('wire', { amount: 77 })] };
    play(wire, wire, wire);
    const first = await ask({ messages: [user('wire 77')] });
    assert.equal(first.message!.tool_calls, undefined);
    assert.match(first.message!.content, /waits for approval by lead/);
    const [hold] = await server.engine.holds({ session: first.session! });
    await server.engine.answerHold(hold!.id, { approve: true, by: 'user:lea', role: 'lead' });
    const messages = [user('wire 77'), { ...first.message }, user('now')];
    const again = await ask({ messages });
    assert.equal(again.session, first.session);
    assert.equal(again.message!.tool_calls!.length, 1);
    const third = await ask({
      messages: [
        ...messages,
        { ...again.message },
        { role: 'tool', tool_call_id: again.message!.tool_calls![0]!.id, content: 'ok' },
      ],
    });
    assert.equal(third.message!.tool_calls, undefined, 'an approval is good for one call');
  });

  it('answers in time when a person answers in time', async () => {
    play({ parts: [call('wire', { amount: 77 })] });
    const unsubscribe = server.engine.subscribe((event) => {
      if (event.type === 'hold' && event.state === 'pending')
        void server.engine.answerHold(event.hold, { approve: true, by: 'user:lea', role: 'lead' });
    });
    const { message } = await ask({ messages: [user('wire it')] });
    unsubscribe();
    assert.equal(message!.tool_calls!.length, 1);
  });

  it('knows a conversation again after a restart, by what was said and by its calls', async () => {
    play(says('Hello, who is it?'), { parts: [call('get_order', { id: 'C1' })] }, says('Fine.'));
    const messages: Record<string, unknown>[] = [user('hello, restart')];
    const first = await ask({ messages });
    await server.close();
    server = await start();
    messages.push({ ...first.message }, user('it is me'));
    const again = await ask({ messages });
    assert.equal(again.session, first.session);
    await server.close();
    server = await start();
    // The client has lost its beginning; the call tells whose it is.
    const [made] = again.message!.tool_calls!;
    const later = await ask({
      messages: [
        { ...again.message },
        { role: 'tool', tool_call_id: made!.id, content: '{"total":1}' },
        user('and now?'),
      ],
    });
    assert.equal(later.session, first.session);
    const rows = await steps(first.session);
    assert.deepEqual(
      rows.filter(({ step }) => step.kind === 'input').map(({ step }) => step.content),
      ['hello, restart', 'it is me', 'and now?'],
    );
  });

  it('keeps conversations with the same words apart, and takes a repeated request for the same one', async () => {
    play(says('Hi!'), says('More.'));
    const one = await ask({ messages: [user('hi there')] });
    const two = await ask({ messages: [user('hi there')] });
    assert.notEqual(one.session, two.session);
    const next = [user('hi there'), { ...one.message }, user('more')];
    const third = await ask({ messages: next });
    const fourth = await ask({ messages: next.map((message) => ({ ...message })) });
    assert.equal(new Set([one.session, two.session, third.session, fourth.session]).size, 2);
    const other = await ask({ messages: next, headers: { 'x-interlock-principal': 'user:eve' } });
    assert.ok(
      ![one.session, two.session].includes(other.session),
      'nobody finds the conversation of another',
    );
    const lost = await ask({ messages: [user('hi there')], headers: { 'x-stainless-retry-count': '1' } });
    assert.ok([one.session, two.session].includes(lost.session), 'a client that asks again asked before');
  });

  it('takes the session and the agent that a request names', async () => {
    play(says('a'), says('b'));
    const one = await ask({ messages: [user('x')], headers: { 'x-interlock-session': 'case-7' } });
    const two = await ask({ messages: [user('y')], headers: { 'x-interlock-session': 'case-7' } });
    assert.deepEqual([one.session, two.session], ['case-7', 'case-7']);
    const named = await ask({ messages: [user('z')], path: 'as/billing-bot/openai/v1/chat/completions' });
    assert.equal((await server.engine.session(named.session!))!.agent.name, 'billing-bot');
  });

  it('lets nothing pass that it cannot guard, and lists of models pass', async () => {
    const get = (path: string, init?: RequestInit) => fetch(`${server.url}/gateway/${path}`, init);
    assert.equal((await get('openai/v1/models')).status, 200);
    for (const path of [
      'openai/v1/files',
      'openai/v1/responses/resp_1',
      'openai/v1/threads/t/runs',
      'openai/../v1/models',
    ]) {
      const answer = await get(path);
      assert.equal(answer.status, 404, path);
    }
    assert.equal((await get('nowhere/v1/models')).status, 404);
    assert.equal((await get('openai/v1/batches', { method: 'POST', body: '{}' })).status, 404);
    const later = await get('openai/v1/responses', {
      method: 'POST',
      body: JSON.stringify({ model: 'gpt', input: 'x', background: true }),
    });
    assert.equal(later.status, 400);
    assert.equal(((await later.json()) as { error: { code: string } }).error.code, 'not_guardable');
  });

  it('ends a stream that goes on when an agent is stopped', async () => {
    const long = Array.from({ length: 200 }, (_, i) => `word${i} `).join('');
    model.play([{ parts: [{ kind: 'text', text: long }], stream: { deltaChars: 10, delayMs: 10 } }]);
    const answer = await fetch(`${server.url}/gateway/as/stoppable/openai/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'gpt', stream: true, messages: [user('talk long')] }),
    });
    let text = '';
    let stop: { id: string } | null = null;
    for await (const chunk of answer.body!) {
      text += Buffer.from(chunk).toString();
      stop ??= await server.engine.stop({
        agent: 'stoppable',
        version: null,
        tool: null,
        tenant: null,
        reason: 'enough',
        by: 'user:op',
      });
    }
    await server.engine.liftStop(stop!.id, 'user:op');
    assert.match(text, /The rest of this answer was withheld\. user:op stopped this: enough/);
    assert.ok(!text.includes('word199'));
    assert.ok(text.includes('[DONE]'), 'the stream is whole all the same');
  });

  it('goes to the next upstream as the file says, and says when none answers', async () => {
    await server.close();
    server = await start(
      'routes:\n  - { model: "fall-*", to: [gone, openai, { upstream: spare, model: other }], on: [network, 5xx] }\n  - { model: "nobody", to: gone }\n',
    );
    play({ parts: [], fault: { kind: 'status', status: 500 } });
    const { message } = await ask({ messages: [user('hi')], model: 'fall-1' });
    assert.equal(message!.content, 'from the second');
    assert.equal(second.requests.at(-1)!.body.model, 'other');
    const { status, body } = await ask({ messages: [user('hi')], model: 'nobody' });
    assert.deepEqual([status, body.error.code], [502, 'upstream_unreachable']);
  });
});
