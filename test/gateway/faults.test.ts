// What goes wrong around the gateway, end to end: the upstream, the conversation, the store, the process. Nothing that was not
// allowed gets through, nothing is lost from the record, and a policy's denial reads otherwise than an error.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { type GatewayUnderTest, recordingFetch, SHOP, startGateway } from './harness.ts';
import {
  call,
  calls,
  fails,
  type ScriptedModel,
  type ScriptedModelOptions,
  says,
  startScriptedModel,
  type Turn,
} from './scripted-model.ts';

const MODEL = 'scripted-model';
const MARK = 'ACCOUNT-66613';
const WIRE = call('wire_money', { account: MARK, amount: 1 });
const PADDING = 'All of this is harmless and goes through. '.repeat(20);

let model: ScriptedModel;
let gateway: GatewayUnderTest;
before(async () => {
  model = await startScriptedModel({ script: [says('Hello.')] });
  gateway = await startGateway({
    upstream: model.url,
    settings: [
      'hold: 50ms',
      'timeout: 400ms',
      'routes:',
      '  - { model: "routed-*", to: [openai, spare], on: [429, 5xx, timeout, network] }',
      '  - { model: "nowhere-*", to: [dead, spare], on: [network] }',
      '',
    ].join('\n'),
    upstreams: [
      `  spare: { protocol: openai, url: "${model.url}/spare", key: { env: SPARE_KEY } }`,
      '  dead: { protocol: openai, url: "http://127.0.0.1:9" }',
      '',
    ].join('\n'),
    env: { SPARE_KEY: 'sk-of-ours' },
  });
});
after(async () => {
  await gateway?.stop();
  await model?.close();
});

/** A model that goes on talking as long as somebody listens. */
async function endless(): Promise<{ url: string; closed: Promise<void>; close(): Promise<void> }> {
  const choices = [{ index: 0, delta: { content: 'and so on '.repeat(5_000) }, finish_reason: null }];
  const chunk = { id: 'c-1', object: 'chat.completion.chunk', created: 1, model: MODEL, choices };
  const event = `data: ${JSON.stringify(chunk)}\n\n`;
  let gone = () => {};
  const closed = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const talk = () => {
      while (!response.destroyed && response.write(event));
    };
    response.on('drain', talk).once('close', gone);
    talk();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closed,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Client {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  readonly bytes: () => Promise<string>;
  readonly agent: string;
}

let clients = 0;
function client(to = gateway): Client {
  const agent = `faulty-${++clients}`;
  const { fetch, bytes } = recordingFetch();
  const common = {
    apiKey: 'sk-of-the-client',
    maxRetries: 0,
    fetch,
    defaultHeaders: { 'x-interlock-agent': agent },
  };
  return {
    openai: new OpenAI({ ...common, baseURL: `${to.url}/gateway/openai/v1` }),
    anthropic: new Anthropic({ ...common, baseURL: `${to.url}/gateway/anthropic` }),
    bytes,
    agent,
  };
}

function chat(text = `Hello, ${Math.random()}`) {
  return { model: MODEL, messages: [{ role: 'user' as const, content: text }] };
}

function play(script: ScriptedModelOptions['script']): void {
  model.play(script);
}

/** `kind name verdict error` of every step of the agent's only session, without its beginning. */
async function record(agent: string, of = gateway, replied = true): Promise<string[]> {
  const [session, ...others] = await of.sessionsOf(agent);
  assert.ok(session !== undefined && others.length === 0, 'there is one session');
  const steps = await (replied ? of.endedSteps(session.id) : of.stepsOf(session.id));
  return steps
    .filter(({ step }) => step.kind !== 'session.start')
    .map(({ step, decision }) =>
      [step.kind, step.name, decision.verdict, step.error === undefined ? '' : 'failed']
        .filter((word) => word !== '')
        .join(' '),
    );
}

describe('the upstream', () => {
  test('is slow: the text comes as it is made, long before the end', async () => {
    const { openai } = client();
    play([{ ...says(PADDING), stream: { delayMs: 15, deltaChars: 40 } }]);
    const stream = await openai.chat.completions.create({ ...chat(), stream: true });
    const arrivals: number[] = [];
    let text = '';
    for await (const chunk of stream) {
      arrivals.push(performance.now());
      text += chunk.choices[0]?.delta.content ?? '';
    }
    assert.equal(text, PADDING);
    assert.ok(arrivals.at(-1)! - arrivals[0]! > 100, 'it was not held back to the end');
  });

  for (const afterBytes of [0, 700])
    test(`hangs after ${afterBytes} bytes: an error in time, in the vendor's words`, async () => {
      const { openai, agent } = client();
      play([{ parts: [WIRE], fault: { kind: 'hang', afterBytes } }]);
      const stream = afterBytes > 0;
      const asked = stream
        ? openai.chat.completions.stream(chat()).finalChatCompletion()
        : openai.chat.completions.create(chat());
      await assert.rejects(asked, (error: Error & { status?: number; code?: string }) => {
        if (!stream) assert.deepEqual([error.status, error.code], [504, 'upstream_timeout']);
        return true;
      });
      const steps = await record(agent, gateway, stream);
      if (stream) assert.ok(steps.includes('model.response scripted-model allow failed'));
      assert.ok(!steps.some((step) => step.startsWith('tool.call')));
    });

  for (const afterBytes of [900, 1300, 1700])
    test(`is cut off after ${afterBytes} bytes: the client knows, and has no half of a call`, async () => {
      const { openai, anthropic, bytes, agent } = client();
      const turn: Turn = {
        parts: [{ kind: 'text', text: 'Well.' }, call('get_order', { id: 'A-1', note: PADDING })],
        stream: { deltaChars: 5 },
        fault: { kind: 'cut', afterBytes },
      };
      play([turn]);
      await assert.rejects(openai.chat.completions.stream(chat()).finalChatCompletion());
      await assert.rejects(anthropic.messages.stream({ ...chat(), max_tokens: 9 }).finalMessage());
      assert.ok(!(await bytes()).includes('get_order'));
      const sessions = await gateway.sessionsOf(agent);
      for (const { id } of sessions) {
        const kinds = (await gateway.endedSteps(id)).map(({ step }) => [step.kind, step.error !== undefined]);
        assert.deepEqual(kinds.at(-1), ['model.response', true]);
      }
    });

  test('ends early without saying so: that is an error too', async () => {
    const { openai } = client();
    play([{ ...says(PADDING), fault: { kind: 'end-early', afterBytes: 900 } }]);
    await assert.rejects(openai.chat.completions.stream(chat()).finalChatCompletion(), /broke off/);
  });

  test('answers with something else than a reply: refused, and not as a denial', async () => {
    const { openai, agent } = client();
    play([{ parts: [WIRE], fault: { kind: 'content-type', type: 'text/html', body: `<p>${MARK}</p>` } }]);
    const refused = { status: 502, code: 'upstream_invalid' };
    await assert.rejects(openai.chat.completions.create(chat()), refused);
    await assert.rejects(openai.chat.completions.create({ ...chat(), stream: true }), refused);
    play([{ parts: [WIRE], fault: { kind: 'content-type', type: 'text/plain' } }]);
    await assert.rejects(openai.chat.completions.create(chat()), refused);
    for (const { id, verdicts } of await gateway.sessionsOf(agent)) assert.equal(verdicts.deny, 0, id);
  });

  test('says no by itself: its error goes through as it is', async () => {
    const { openai, anthropic } = client();
    play([fails({ kind: 'status', status: 429, retryAfter: 7 })]);
    await assert.rejects(
      openai.chat.completions.create(chat()),
      (error: InstanceType<typeof OpenAI.APIError>) => {
        assert.deepEqual([error.status, error.code], [429, 'rate_limit_exceeded']);
        assert.equal(error.headers?.get('retry-after'), '7');
        return true;
      },
    );
    play([fails({ kind: 'status', status: 529 })]);
    await assert.rejects(anthropic.messages.create({ ...chat(), max_tokens: 9 }), { status: 529 });
  });

  for (const fault of [
    fails({ kind: 'status', status: 429 }),
    fails({ kind: 'status', status: 500 }),
    fails({ kind: 'hang', afterBytes: 0 }),
  ])
    test(`${JSON.stringify(fault.fault)}: the route goes to the next, with our key`, async () => {
      const { openai } = client();
      play(({ path }) => (path.startsWith('/spare') ? says('From the spare.') : fault));
      const completion = await openai.chat.completions.create({ ...chat(), model: 'routed-model' });
      assert.equal(completion.choices[0]!.message.content, 'From the spare.');
      const [first, second] = model.requests.slice(-2);
      assert.equal(first!.headers.authorization, 'Bearer sk-of-the-client');
      assert.equal(second!.headers.authorization, 'Bearer sk-of-ours');
    });

  test('cannot be reached: the next one, or an error that says so', async () => {
    const { openai } = client();
    play([says('From the spare.')]);
    const completion = await openai.chat.completions.create({ ...chat(), model: 'nowhere-model' });
    assert.equal(completion.choices[0]!.message.content, 'From the spare.');
    const dead = new OpenAI({ baseURL: `${gateway.url}/gateway/dead/v1`, apiKey: 'k', maxRetries: 0 });
    await assert.rejects(dead.chat.completions.create(chat()), { status: 502, code: 'upstream_unreachable' });
  });

  test('is given up when the client is gone', async () => {
    const { openai } = client();
    play([{ ...says(PADDING), stream: { delayMs: 20, deltaChars: 4 } }]);
    const stream = await openai.chat.completions.create({ ...chat(), stream: true });
    for await (const _ of stream) break;
    const seen = model.requests.at(-1)!;
    for (let i = 0; i < 200 && seen.outcome === 'open'; i++) await sleep(10);
    assert.equal(seen.outcome, 'aborted');
  });
});

describe('the reply', () => {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    const ask = ({ openai }: Client) =>
      stream
        ? openai.chat.completions.stream(chat()).finalChatCompletion()
        : openai.chat.completions.create(chat());

    test(`has arguments that are no JSON object, ${how}: not run, and told as an error`, async () => {
      for (const broken of ['{"id": "A-1"', '["A-1"]', '"A-1"', '{"id":"A-1","id":"A-2"}']) {
        const one = client();
        play([calls(call('get_order', broken))]);
        const { message, finish_reason } = (await ask(one)).choices[0]!;
        assert.deepEqual([message.tool_calls?.length ?? 0, finish_reason], [0, 'stop'], broken);
        assert.match(message.content ?? '', /get_order did not run.*an error, not a denial/s, broken);
      }
    });

    test(`has two calls of one id, ${how}: only the first is one`, async () => {
      const one = client();
      play([calls(call('get_order', { id: 'A-1' }, 'same-id-twice'), { ...WIRE, id: 'same-id-twice' })]);
      const { message } = (await ask(one)).choices[0]!;
      assert.deepEqual(
        message.tool_calls?.map((each) => each.type === 'function' && each.function.name),
        ['get_order'],
      );
      assert.ok(!(await one.bytes()).includes(MARK));
    });

    test(`has an id that came before in another reply, ${how}: two calls on record`, async () => {
      const one = client();
      const again = call('get_order', { id: 'A-1' }, 'once-more');
      play([calls(again), calls(again)]);
      const messages: OpenAI.Chat.Completions.ChatCompletionMessageParam[] = [...chat().messages];
      for (let turn = 0; turn < 2; turn++) {
        const { choices } = await one.openai.chat.completions.create({ model: MODEL, messages });
        messages.push(choices[0]!.message, { role: 'tool', tool_call_id: 'once-more', content: '{}' });
      }
      const acts = (await record(one.agent)).filter((step) => step.startsWith('tool.call'));
      assert.deepEqual(acts, ['tool.call get_order allow', 'tool.call get_order allow']);
    });

    test(`is huge, ${how}: it goes through as far as it can be judged, and is refused beyond`, async () => {
      const one = client();
      const parts = [call('get_order', { id: 'A-1' }), WIRE];
      const huge = (chars: number): Turn => ({
        parts,
        fault: { kind: 'huge', chars },
        stream: { deltaChars: 50_000 },
      });
      play([huge(200_000)]);
      const { message } = (await ask(one)).choices[0]!;
      assert.ok(message.content!.startsWith('huge huge') && message.content!.length > 200_000);
      assert.equal(message.tool_calls?.length, 1);
      // Longer than a pattern is matched against: the rule fires.
      play([huge(900_000)]);
      const withheld = (await ask(one)).choices[0]!.message;
      assert.match(withheld.content!.slice(-300), /Keys stay inside/);
      assert.equal(withheld.tool_calls?.length, 1);
      play([huge(2_000_000)]);
      await assert.rejects(ask(one), (error: InstanceType<typeof OpenAI.APIError>) => {
        assert.match(String(error.code), /^(upstream_invalid|interlock_stream_broken)$/);
        return true;
      });
      assert.ok(!(await one.bytes()).includes(MARK));
    });
  }

  for (const [kind, spec] of [
    ['is guarded', SHOP],
    ['no rule reads', SHOP.slice(0, SHOP.indexOf('  - id: no-secrets'))],
  ] as const)
    test(`is a stream without end, of text that ${kind}: broken off, and the upstream is let go`, async () => {
      const upstream = await endless();
      const endured = await startGateway({ upstream: upstream.url, spec });
      try {
        const one = client(endured);
        await assert.rejects(one.openai.chat.completions.stream(chat()).finalChatCompletion(), /broke off/);
        await upstream.closed;
        const failed = 'model.response scripted-model allow failed';
        assert.equal((await record(one.agent, endured)).at(-1), failed);
      } finally {
        await endured.stop();
        await upstream.close();
      }
    });

  test('is beyond every limit: refused', async () => {
    const { openai } = client();
    play([{ ...says(''), fault: { kind: 'huge', chars: 70_000_000 } }]);
    await assert.rejects(openai.chat.completions.create(chat()), { status: 502, code: 'upstream_invalid' });
  });

  test('says what must stay inside: the rest is withheld, however the stream is cut', async () => {
    const key = 'sk-live-0123abcd';
    for (const deltaChars of [1, 7, Number.POSITIVE_INFINITY]) {
      const one = client();
      play([{ ...says(`The key is ${key}, use it well.`), stream: { deltaChars } }]);
      const { message } = (await one.openai.chat.completions.stream(chat()).finalChatCompletion())
        .choices[0]!;
      assert.match(message.content ?? '', /^The key is .*withheld.*Keys stay inside/s);
      assert.ok(!(await one.bytes()).includes('0123abcd'));
      assert.ok((await record(one.agent)).includes('output deny'));
    }
  });
});

describe('the request', () => {
  test('is denied by a rule: 403, and a code of its own', async () => {
    const { openai, agent } = client();
    const seen = model.requests.length;
    await assert.rejects(
      openai.chat.completions.create({ ...chat(), model: 'forbidden-model' }),
      (error: InstanceType<typeof OpenAI.APIError>) => {
        assert.deepEqual([error.status, error.code], [403, 'interlock_denied']);
        assert.equal(error.headers?.get('x-interlock-verdict'), 'deny');
        assert.match(error.message, /This model is not used here/);
        return true;
      },
    );
    assert.equal(model.requests.length, seen, 'the upstream was not asked');
    assert.ok((await record(agent, gateway, false)).includes('model.request forbidden-model deny'));
  });

  test('is not JSON, too big, or to somewhere else: refused before anything is done', async () => {
    const seen = model.requests.length;
    const url = `${gateway.url}/gateway/openai/v1/chat/completions`;
    const post = (body: string, to = url) =>
      fetch(to, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    for (const broken of ['{"model":', '[]', '', '{"model":"m","messages":7}', '{"model":"m","model":"n"}']) {
      const answer = await post(broken);
      assert.equal(answer.status, 400, broken);
      assert.equal(answer.headers.get('x-interlock-verdict'), 'error');
    }
    for (const path of [
      '/gateway/openai/v1/files',
      '/gateway/openai/v1/batches',
      '/gateway/nobody/v1/chat/completions',
    ])
      assert.equal((await post('{}', gateway.url + path)).status, 404, path);
    assert.equal((await post(`{"x":"${'x'.repeat(65 << 20)}"}`).catch(() => ({ status: 413 }))).status, 413);
    assert.equal(model.requests.length, seen);
  });

  test('asks for embeddings, models, a count of tokens: they go through', async () => {
    const { openai, anthropic } = client();
    assert.equal((await openai.models.list()).data[0]!.id, MODEL);
    assert.equal((await openai.embeddings.create({ model: MODEL, input: ['a'] })).data.length, 1);
    assert.ok((await anthropic.messages.countTokens(chat())).input_tokens > 0);
  });
});

describe('an approval', () => {
  const refund = call('refund', { id: 'A-1', amount: 140 });
  const looked: Turn = calls(call('get_order', { id: 'A-1' }));
  type Messages = OpenAI.Chat.Completions.ChatCompletionMessageParam[];

  /** Up to where the refund is held; the model asks for the same refund whenever it speaks again. */
  async function untilHeld(one: Client): Promise<{ messages: Messages; session: string }> {
    play(({ turn }) => (turn === 0 ? looked : calls(refund)));
    const messages: Messages = [...chat().messages];
    const first = await speak(one, messages);
    messages.push({ role: 'tool', tool_call_id: first.tool_calls![0]!.id, content: '{"total":150}' });
    assert.match((await speak(one, messages)).content ?? '', /waits for approval/);
    return { messages, session: (await gateway.sessionsOf(one.agent))[0]!.id };
  }

  async function speak({ openai }: Client, messages: Messages) {
    const { choices } = await openai.chat.completions.create({ model: MODEL, messages });
    messages.push(choices[0]!.message);
    return choices[0]!.message;
  }

  test('is good for exactly one call: the same again waits again', async () => {
    const one = client();
    const { messages, session } = await untilHeld(one);
    const [hold] = await gateway.pendingHolds(session);
    await gateway.approve(hold!.id);
    messages.push({ role: 'user', content: 'Approved.' });
    const approved = await speak(one, messages);
    assert.equal(approved.tool_calls?.length, 1);
    messages.push({ role: 'tool', tool_call_id: approved.tool_calls![0]!.id, content: '{"ok":true}' });
    const again = await speak(one, messages);
    assert.equal(again.tool_calls, undefined);
    assert.match(again.content ?? '', /waits for approval/);
    const [second] = await gateway.pendingHolds(session);
    assert.notEqual(second!.id, hold!.id);
  });

  test('that comes too late is none', async () => {
    const one = client();
    const { messages, session } = await untilHeld(one);
    const [hold] = await gateway.pendingHolds(session);
    await sleep(1_100);
    const answer = await gateway.api<{ code?: string; state?: string }>(`/v1/holds/${hold!.id}/answer`, {
      approve: true,
      by: 'user:lead',
      role: 'support-lead',
    });
    assert.notEqual(answer.state, 'approved');
    messages.push({ role: 'user', content: 'I think it was approved.' });
    assert.equal((await speak(one, messages)).tool_calls, undefined);
  });

  test('of other arguments is none', async () => {
    const one = client();
    const { messages, session } = await untilHeld(one);
    const [hold] = await gateway.pendingHolds(session);
    await gateway.approve(hold!.id);
    play([
      looked,
      calls(call('refund', { id: 'A-1', amount: 141 })),
      calls(call('refund', { id: 'A-1', amount: 141 })),
    ]);
    messages.push({ role: 'user', content: 'Approved.' });
    assert.equal((await speak(one, messages)).tool_calls, undefined);
  });
});

describe('the node', () => {
  test('is killed between verdict and execution: what the client has is on record, and it goes on', async () => {
    const first = await startGateway({ upstream: model.url });
    let second: GatewayUnderTest | undefined;
    try {
      play([calls(call('get_order', { id: 'A-1' })), calls(WIRE)]);
      const one = client(first);
      const { messages } = chat();
      const { choices } = await one.openai.chat.completions.create({ model: MODEL, messages });
      const called = choices[0]!.message.tool_calls![0]!;
      await first.kill();

      second = await startGateway({ upstream: model.url, dir: first.dir });
      const base = new OpenAI({
        baseURL: `${second.url}/gateway/openai/v1`,
        apiKey: 'sk-of-the-client',
        defaultHeaders: { 'x-interlock-agent': one.agent },
      });
      const after = await base.chat.completions.create({
        model: MODEL,
        messages: [
          ...messages,
          choices[0]!.message,
          { role: 'tool', tool_call_id: called.id, content: '{"total":150}' },
        ],
      });
      assert.match(after.choices[0]!.message.content ?? '', /wire_money was denied/);
      const steps = await record(one.agent, second);
      const kinds = steps.map((step) => step.split(' ')[0]);
      assert.deepEqual(
        steps.filter((step) => step.startsWith('tool.')),
        ['tool.call get_order allow', 'tool.result get_order allow', 'tool.call wire_money deny'],
      );
      assert.equal(kinds.filter((kind) => kind === 'input').length, 1, 'nothing is told twice');
    } finally {
      await (second ?? first).stop();
    }
  });

  const limits = process.platform === 'win32' && 'a shell that limits the size of files is needed';
  test('has a full store: every call is refused as an error, and none as a denial', {
    skip: limits,
  }, async () => {
    const full = await startGateway({ upstream: model.url, fileBytesMax: 2_500_000 });
    try {
      play([calls(call('get_order', { id: 'A-1' }))]);
      const statuses: number[] = [];
      for (let i = 0; i < 60 && statuses.filter((status) => status !== 200).length < 3; i++) {
        const answer = await fetch(`${full.url}/gateway/openai/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(chat(`${i} ${'so much to say '.repeat(8_000)}`)),
        });
        const body = await answer.text();
        statuses.push(answer.status);
        if (answer.status === 200) continue;
        assert.equal(answer.status, 503, body);
        assert.equal(answer.headers.get('x-interlock-verdict'), 'error');
        assert.ok(!body.includes('get_order'), 'what is not on record does not reach the client');
      }
      assert.ok(statuses.includes(200) && statuses.includes(503), statuses.join(' '));
    } finally {
      await full.stop();
    }
  });
});
