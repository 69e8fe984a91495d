// The scripted model is as good as the vendors' servers are to the vendors' own client libraries: each reads from it what
// the script says, streamed or whole, however the bytes are cut. What this proves the gateway's tests rest on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import {
  call,
  calls,
  fails,
  type ScriptedModel,
  type StreamStyle,
  says,
  startScriptedModel,
  type Turn,
} from './scripted-model.ts';

const MODEL = 'scripted-model';
const TEXT = 'Grüße — 你好, 🚂 and a "quoted"\nline.';
const TWO = { name: 'refund', arguments: '{"id":"A-1","note":"für Zoë 🚂","amount":40.5}' };
const TURN: Turn = {
  parts: [
    { kind: 'reasoning', text: 'I think, therefore.' },
    { kind: 'text', text: TEXT },
    call('get_order', { id: 'A-1' }, 'call_one'),
    { kind: 'call', ...TWO, id: 'call_two' },
  ],
  usage: { input: 11, output: 22, reasoning: 3, cached: 4 },
};
const STYLES: readonly (Partial<StreamStyle> & { readonly named: string })[] = [
  { named: 'whole pieces', deltaChars: Infinity, writes: 'whole' },
  { named: 'one character an event', deltaChars: 1 },
  { named: 'one byte a write', deltaChars: 5, writes: { seed: 1, maxBytes: 1 } },
  { named: 'writes of any size', deltaChars: 3, writes: { seed: 7, maxBytes: 40 } },
  { named: 'CRLF and comments', deltaChars: 3, lineEnd: '\r\n', comments: true },
];

type Block = Anthropic.ContentBlock;

let model: ScriptedModel;
let openai: OpenAI;
let anthropic: Anthropic;
let google: GoogleGenAI;
before(async () => {
  model = await startScriptedModel({ script: [TURN] });
  openai = new OpenAI({ baseURL: `${model.url}/v1`, apiKey: 'k', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: model.url, apiKey: 'k', maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: model.url } });
});
after(() => model.close());

const messages = [{ role: 'user' as const, content: 'Refund A-1.' }];
const chat = { model: MODEL, messages };
const asked = { ...chat, max_tokens: 64 };
const contents = { model: MODEL, contents: 'Refund A-1.' };

describe('the OpenAI client', () => {
  test('reads a chat completion', async () => {
    model.play([TURN]);
    const { choices, usage } = await openai.chat.completions.create(chat);
    assert.equal(choices[0]!.message.content, TEXT);
    assert.equal(choices[0]!.finish_reason, 'tool_calls');
    assert.deepEqual(choices[0]!.message.tool_calls?.[1], {
      id: 'call_two',
      type: 'function',
      function: TWO,
    });
    assert.equal(usage?.total_tokens, 33);
  });

  for (const { named, ...stream } of STYLES)
    test(`puts the streams of chat and responses together: ${named}`, async () => {
      model.play([{ ...TURN, stream }]);
      const runner = openai.chat.completions.stream({ ...chat, stream_options: { include_usage: true } });
      const { choices, usage } = await runner.finalChatCompletion();
      assert.equal(choices[0]!.message.content, TEXT);
      assert.deepEqual(
        choices[0]!.message.tool_calls?.map((one) => one.type === 'function' && one.function.arguments),
        ['{"id":"A-1"}', TWO.arguments],
      );
      assert.equal(usage?.completion_tokens, 22);

      const response = await openai.responses.stream({ model: MODEL, input: 'Refund A-1.' }).finalResponse();
      assert.deepEqual(
        response.output.map(({ type }) => type),
        ['reasoning', 'message', 'function_call', 'function_call'],
      );
      assert.equal(response.output_text, TEXT);
      assert.equal(
        response.output[3]!.type === 'function_call' && response.output[3].arguments,
        TWO.arguments,
      );
    });

  test('reads a response, and goes on from it by its id', async () => {
    model.play([TURN, says('Refunded.')]);
    const first = await openai.responses.create({ model: MODEL, input: 'Refund A-1.' });
    assert.equal(first.output_text, TEXT);
    const second = await openai.responses.create({
      model: MODEL,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: 'call_one', output: '{"total":150}' }],
    });
    assert.equal(second.output_text, 'Refunded.');
    assert.deepEqual(model.requests.at(-1)!.outputs, [{ callId: 'call_one', content: '{"total":150}' }]);
  });

  test('reads custom tools, legacy functions, several choices and refusals', async () => {
    model.play([{ parts: [{ kind: 'call', name: 'shell', arguments: 'ls -la', custom: true }] }]);
    for (const choice of [
      (await openai.chat.completions.create(chat)).choices[0]!,
      (await openai.chat.completions.stream(chat).finalChatCompletion()).choices[0]!,
    ]) {
      const [one] = choice.message.tool_calls ?? [];
      assert.deepEqual(one?.type === 'custom' && one.custom, { name: 'shell', input: 'ls -la' });
    }
    const response = await openai.responses.stream({ model: MODEL, input: 'x' }).finalResponse();
    assert.equal(response.output[0]?.type === 'custom_tool_call' && response.output[0].input, 'ls -la');

    model.play([calls(call('shell', { command: 'ls' }))]);
    const legacy = await openai.chat.completions.create({ ...chat, functions: [{ name: 'shell' }] });
    assert.deepEqual(legacy.choices[0]!.message.function_call, {
      name: 'shell',
      arguments: '{"command":"ls"}',
    });
    const several = await openai.chat.completions.stream({ ...chat, n: 2 }).finalChatCompletion();
    assert.equal(several.choices.length, 2);

    model.play([{ parts: [{ kind: 'refusal', text: 'I will not.' }] }]);
    const refused = await openai.chat.completions.stream(chat).finalChatCompletion();
    assert.equal(refused.choices[0]!.message.refusal, 'I will not.');
  });

  test('lists models and reads embeddings', async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    assert.ok(ids.includes(MODEL));
    const { data } = await openai.embeddings.create({ model: MODEL, input: ['a', 'b'] });
    assert.deepEqual(data[1]!.embedding.slice(0, 2), [1 / 16, 2 / 16]);
  });
});

describe('the Anthropic client', () => {
  const kinds = ['thinking', 'text', 'tool_use', 'tool_use'];

  test('reads a message', async () => {
    model.play([TURN]);
    const message = await anthropic.messages.create(asked);
    assert.deepEqual(
      message.content.map(({ type }) => type),
      kinds,
    );
    assert.equal(message.stop_reason, 'tool_use');
  });

  for (const { named, ...stream } of STYLES)
    test(`puts a stream together: ${named}`, async () => {
      model.play([{ ...TURN, stream }]);
      const message = await anthropic.messages.stream(asked).finalMessage();
      assert.deepEqual(
        message.content.map(({ type }) => type),
        kinds,
      );
      const [, text, , two] = message.content as [Block, Block, Block, Block];
      assert.equal(text.type === 'text' && text.text, TEXT);
      assert.deepEqual(two.type === 'tool_use' && two.input, JSON.parse(TWO.arguments));
      assert.equal(message.usage.output_tokens, 22);
    });

  test('reads a refusal, models and a count of tokens', async () => {
    model.play([{ parts: [{ kind: 'refusal', text: 'No.' }] }]);
    assert.equal((await anthropic.messages.create(asked)).stop_reason, 'refusal');
    assert.equal((await anthropic.models.list()).data[0]!.id, MODEL);
    assert.ok((await anthropic.messages.countTokens(chat)).input_tokens > 0);
  });
});

describe('the Google client', () => {
  test('reads a response', async () => {
    model.play([TURN]);
    const response = await google.models.generateContent(contents);
    assert.equal(spoken(response), TEXT);
    assert.deepEqual(
      response.functionCalls?.map(({ id, args }) => [id, args]),
      [
        ['call_one', { id: 'A-1' }],
        ['call_two', JSON.parse(TWO.arguments)],
      ],
    );
  });

  for (const { named, ...stream } of STYLES)
    test(`reads a stream: ${named}`, async () => {
      model.play([{ ...TURN, stream }]);
      let text = '';
      const called: unknown[] = [];
      let finish: string | undefined;
      for await (const chunk of await google.models.generateContentStream(contents)) {
        text += spoken(chunk);
        called.push(...(chunk.functionCalls ?? []));
        finish = chunk.candidates?.[0]?.finishReason ?? finish;
      }
      assert.equal(text, TEXT);
      assert.equal(called.length, 2);
      assert.equal(finish, 'STOP');
    });

  test('a stream without alt=sse is one JSON array', async () => {
    model.play([{ ...TURN, stream: { deltaChars: 2, writes: { seed: 3, maxBytes: 7 } } }]);
    const url = `${model.url}/v1beta/models/${MODEL}:streamGenerateContent`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ contents: [] }) });
    const chunks = (await answer.json()) as { candidates: { finishReason?: string }[] }[];
    assert.ok(chunks.length > 10);
    assert.equal(chunks.at(-1)!.candidates[0]!.finishReason, 'STOP');
  });
});

test('whoever accepts gzip gets it, a stream too', async () => {
  const zipping = await startScriptedModel({ script: [TURN], gzip: true });
  try {
    const client = new OpenAI({ baseURL: `${zipping.url}/v1`, apiKey: 'k' });
    const { response, data } = await client.chat.completions.create(chat).withResponse();
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.equal(data.choices[0]!.message.content, TEXT);
    const streamed = await client.chat.completions.stream(chat).finalChatCompletion();
    assert.equal(streamed.choices[0]!.message.content, TEXT);
  } finally {
    await zipping.close();
  }
});

describe('what goes wrong', () => {
  test("statuses have the vendors' bodies", async () => {
    model.play([fails({ kind: 'status', status: 429, retryAfter: 1 })]);
    await assert.rejects(openai.chat.completions.create(chat), { status: 429, code: 'rate_limit_exceeded' });
    await assert.rejects(anthropic.messages.create(asked), { status: 429, type: 'rate_limit_error' });
    await assert.rejects(google.models.generateContent(contents), /RESOURCE_EXHAUSTED/);
  });

  test('a stream is cut off, ends early, or turns into an error', async () => {
    model.play([{ ...TURN, fault: { kind: 'cut', afterBytes: 900 } }]);
    await assert.rejects(openai.chat.completions.stream(chat).finalChatCompletion());
    await assert.rejects(anthropic.messages.stream(asked).finalMessage());
    await assert.rejects(async () => {
      for await (const _ of await google.models.generateContentStream(contents));
    });
    model.play([{ ...TURN, fault: { kind: 'end-early', afterBytes: 600 } }]);
    await assert.rejects(openai.chat.completions.stream(chat).finalChatCompletion());
    model.play([{ ...TURN, fault: { kind: 'error-event', afterEvents: 4 } }]);
    await assert.rejects(anthropic.messages.stream(asked).finalMessage(), /Overloaded/);
    await assert.rejects(openai.chat.completions.stream(chat).finalChatCompletion(), /overloaded/);
  });

  test('the content type is another, the text is huge', async () => {
    const ask = () =>
      fetch(`${model.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(chat) });
    model.play([{ ...TURN, fault: { kind: 'content-type', type: 'text/html', body: '<h1>Sign in</h1>' } }]);
    const page = await ask();
    assert.deepEqual(
      [page.headers.get('content-type'), await page.text()],
      ['text/html', '<h1>Sign in</h1>'],
    );
    model.play([{ ...TURN, fault: { kind: 'huge', chars: 3_000_000 } }]);
    assert.ok((await (await ask()).text()).length > 3_000_000);
  });

  test('it hangs, and sees who gave up', async () => {
    model.play([{ ...TURN, fault: { kind: 'hang', afterBytes: 300 } }]);
    const stop = new AbortController();
    const stream = await openai.chat.completions.create({ ...chat, stream: true }, { signal: stop.signal });
    for await (const _ of stream) stop.abort();
    const seen = model.requests.at(-1)!;
    while (seen.outcome === 'open') await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(seen.outcome, 'aborted');
  });

  test('a missing key is refused', async () => {
    const strict = await startScriptedModel({ script: [TURN], key: 'right' });
    try {
      const ask = (apiKey: string) =>
        new OpenAI({ baseURL: `${strict.url}/v1`, apiKey, maxRetries: 0 }).chat.completions.create(chat);
      await assert.rejects(ask('wrong'), { status: 401 });
      await ask('right');
    } finally {
      await strict.close();
    }
  });
});

/** The text of a response; its own `text` warns on the console when there are calls too. */
function spoken({ candidates }: GenerateContentResponse): string {
  const parts = candidates?.[0]?.content?.parts ?? [];
  return parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join('');
}
