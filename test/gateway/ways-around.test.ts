// Every way of asking a vendor for a reply, and every way a reply may come: a call that is denied is in none of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { type GatewayUnderTest, startGateway } from './harness.ts';
import {
  call,
  type ScriptedModel,
  type StreamStyle,
  startScriptedModel,
  type Turn,
} from './scripted-model.ts';

const MARK = 'ACCOUNT-66613';
const user = [{ role: 'user', content: 'Wire it.' }];
const WIRE = call('wire_money', { account: MARK, amount: 1 });
const PLAIN: Turn = { parts: [{ kind: 'text', text: 'So be it.' }, WIRE] };
const CUSTOM: Turn = { parts: [{ ...WIRE, custom: true }] };
const CUT_OFF: Turn = { parts: [WIRE], finish: 'length' };
const HALF: Turn = { parts: [{ ...WIRE, arguments: `{"account":"${MARK}",` }], finish: 'length' };

const chat = '/openai/v1/chat/completions';
const responses = '/openai/v1/responses';
const messages = '/anthropic/v1/messages';
const gemini = (way: string) => `/gemini/v1beta/models/scripted-model:${way}`;
const contents = [{ role: 'user', parts: [{ text: 'Wire it.' }] }];

/** What is asked, where, and what the model says to it. */
const WAYS: readonly (readonly [string, string, object, Turn])[] = [
  ['chat', chat, { messages: user }, PLAIN],
  ['chat with several choices', chat, { messages: user, n: 3 }, PLAIN],
  ['chat with functions of old', chat, { messages: user, functions: [{ name: 'wire_money' }] }, PLAIN],
  ['chat with a custom tool', chat, { messages: user }, CUSTOM],
  ['chat whose reply was cut off', chat, { messages: user }, CUT_OFF],
  ['chat whose call was cut off', chat, { messages: user }, HALF],
  ['responses', responses, { input: 'Wire it.' }, PLAIN],
  ['responses with a custom tool', responses, { input: 'Wire it.' }, CUSTOM],
  ['responses whose reply was cut off', responses, { input: 'Wire it.' }, CUT_OFF],
  ['responses whose call was cut off', responses, { input: 'Wire it.' }, HALF],
  ['messages', messages, { messages: user, max_tokens: 9 }, PLAIN],
  ['messages whose reply was cut off', messages, { messages: user, max_tokens: 9 }, CUT_OFF],
  ['messages whose call was cut off', messages, { messages: user, max_tokens: 9 }, HALF],
  ['gemini', gemini('generateContent'), { contents }, PLAIN],
  ['gemini, streamed as events', `${gemini('streamGenerateContent')}?alt=sse`, { contents }, PLAIN],
  ['gemini, streamed as a list', gemini('streamGenerateContent'), { contents }, PLAIN],
];

const STYLES: Readonly<Record<string, Partial<StreamStyle>>> = {
  'as it comes': {},
  'a character at a time': { deltaChars: 1, writes: { seed: 2, maxBytes: 17 } },
  'with CRLF and comments': { lineEnd: '\r\n', comments: true, writes: 'whole' },
  'with CR': { lineEnd: '\r', deltaChars: 3 },
};

let model: ScriptedModel;
let gateway: GatewayUnderTest;
before(async () => {
  // It would compress for whoever accepts that; the gateway asks for what it can read.
  model = await startScriptedModel({ script: [], gzip: true });
  gateway = await startGateway({ upstream: model.url });
});
after(async () => {
  await gateway?.stop();
  await model?.close();
});

describe('a denied call is not in the bytes', () => {
  for (const [name, path, body, turn] of WAYS)
    for (const stream of path.startsWith('/gemini') ? [null] : [false, true])
      test(`${name}${stream === true ? ', streamed' : ''}`, async () => {
        for (const [how, style] of Object.entries(stream === false ? { whole: {} } : STYLES)) {
          model.play(() => ({ ...turn, stream: style }));
          const sent = { ...(stream === null ? {} : { model: 'scripted-model', stream }), ...body };
          const answer = await fetch(`${gateway.url}/gateway${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip, br' },
            body: JSON.stringify(sent),
          });
          const text = await answer.text();
          assert.equal(answer.status, 200, text);
          assert.ok(!text.includes(MARK) && !text.includes('66613'), `${how}: ${text}`);
          assert.match(text, /\[interlock\]/, `${how}: it says why`);
          if (turn === PLAIN) assert.match(text, /wire_money was denied/, how);
        }
      });
});

describe('what cannot be guarded is refused', () => {
  for (const [name, path, body] of [
    ['a reply that is fetched later', responses, { input: 'x', background: true }],
    ['old completions', '/openai/v1/completions', { prompt: 'x' }],
    ['batches', '/openai/v1/batches', {}],
    ['batches of messages', '/anthropic/v1/messages/batches', { requests: [] }],
    ['assistants', '/openai/v1/threads/t/runs', {}],
    ['live sessions', '/openai/v1/realtime/sessions', {}],
    ['batches of Gemini', '/gemini/v1beta/models/m:batchGenerateContent', {}],
    ['a path that leaves its place', '/openai/v1/models/../chat/completions/../../x', {}],
  ] as const)
    test(name, async () => {
      model.play([PLAIN]);
      const seen = model.requests.length;
      const answer = await fetch(`${gateway.url}/gateway${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'scripted-model', ...body }),
      });
      assert.ok([400, 404].includes(answer.status), `${answer.status}`);
      assert.equal(model.requests.length, seen, 'the upstream was not asked');
    });

  // As no browser and no `fetch` sends it: what stands behind a `#` is not part of what the upstream reads.
  for (const path of [
    '/openai/v1/chat/completions#/embeddings',
    '/openai/v1/responses#/embeddings',
    '/anthropic/v1/messages#/messages/count_tokens',
    '/gemini/v1beta/models/m:generateContent#:countTokens',
    '/openai/v1/batches#/chat/completions',
    '/openai/v1/x\\..\\responses/embeddings',
  ])
    test(`an address that says two things: ${path}`, async () => {
      model.play([PLAIN]);
      const seen = model.requests.length;
      const { port } = new URL(gateway.url);
      const asked = request({ host: '127.0.0.1', port, path: `/gateway${path}`, method: 'POST' });
      asked.end(JSON.stringify({ model: 'scripted-model', messages: user, input: 'x', contents }));
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      const text = (await answer.toArray()).join('');
      assert.equal(answer.statusCode, 404, text);
      assert.equal(model.requests.length, seen, 'the upstream was not asked');
    });
});
