// What a rule decides on is what the client runs: arguments in a form that no vendor documents are not read as none, and an
// item that changes its kind on the way is no item.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fields } from './fields.ts';
import { anthropic } from './protocols/anthropic.ts';
import { gemini } from './protocols/gemini.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { openaiResponses } from './protocols/openai-responses.ts';
import { eventReader } from './sse.ts';
import { rulingDesk, tellingDesk } from './testing/desks.ts';
import type { ProposedCall, Protocol } from './types.ts';

const WHERE = { model: 'm', stream: true, sse: true };

async function decided(protocol: Protocol, body: Fields): Promise<readonly ProposedCall[]> {
  const desk = tellingDesk();
  await protocol.reply(body, desk);
  return desk.told.calls;
}

async function streamed(protocol: Protocol, events: readonly object[], desk = tellingDesk()) {
  const guard = protocol.stream(desk, WHERE);
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  let out = '';
  for (const event of eventReader().push(Buffer.from(text))) out += await guard.push(event);
  return { out, calls: desk.told.calls };
}

/** The tools and their arguments that a client of the vendor's reads off what went out. */
function dataOf(out: string): Fields[] {
  return eventReader()
    .push(Buffer.from(out))
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data) as Fields);
}

const ODD = ['{"path":"/etc/shadow"}', ['/etc/shadow'], 7];

describe('arguments', () => {
  it('of Anthropic that are no object are not read as none', async () => {
    for (const input of ODD) {
      const block = { type: 'tool_use', id: 'tool_000001', name: 'read', input };
      const [call] = await decided(anthropic, { content: [block], stop_reason: 'tool_use' });
      assert.equal(call!.args, null, JSON.stringify(input));
    }
    const none = { type: 'tool_use', id: 'tool_000001', name: 'now' };
    assert.deepEqual((await decided(anthropic, { content: [none] }))[0]!.args, {});
  });

  it('of Gemini that are no object are not read as none', async () => {
    for (const args of ODD) {
      const parts = [{ functionCall: { name: 'read', args } }];
      const [call] = await decided(gemini, { candidates: [{ content: { role: 'model', parts } }] });
      assert.equal(call!.args, null, JSON.stringify(args));
    }
    const parts = [{ functionCall: { name: 'now' } }];
    assert.deepEqual((await decided(gemini, { candidates: [{ content: { parts } }] }))[0]!.args, {});
  });

  it('of Responses that are neither text nor an object are not read as none', async () => {
    for (const item of [
      { type: 'function_call', call_id: 'c1', name: 'read', arguments: ['/etc/shadow'] },
      { type: 'mcp_approval_request', id: 'c1', name: 'read', arguments: ['/etc/shadow'] },
      { type: 'custom_tool_call', call_id: 'c1', name: 'read', input: { path: '/etc/shadow' } },
    ])
      assert.equal((await decided(openaiResponses, { output: [item] }))[0]!.args, null, item.type);
    const given = { type: 'function_call', call_id: 'c1', name: 'read', arguments: { path: '/a' } };
    assert.deepEqual((await decided(openaiResponses, { output: [given] }))[0]!.args, { path: '/a' });
  });

  it('of Chat Completions that come as an object, in a stream, are the ones that go out', async () => {
    const call = { index: 0, id: 'c1', function: { name: 'read', arguments: { path: '/tmp/a' } } };
    const { out, calls } = await streamed(openaiChat, [
      { choices: [{ index: 0, delta: { tool_calls: [call] } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ]);
    assert.deepEqual(calls[0]!.args, { path: '/tmp/a' });
    assert.match(out, /"arguments":"\{\\"path\\":\\"\/tmp\/a\\"\}"/);
  });

  it('that stand in two places are none that can be decided', async () => {
    const twice = {
      id: 'c1',
      function: { name: 'read', arguments: '{"path":"/etc/shadow"}' },
      custom: { name: 'read', input: '' },
    };
    const message = { role: 'assistant', tool_calls: [twice] };
    assert.equal((await decided(openaiChat, { choices: [{ message }] }))[0]!.args, null);
    const { calls } = await streamed(openaiChat, [
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...twice }] } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ]);
    assert.equal(calls[0]!.args, null);
    const act = {
      type: 'computer_call',
      call_id: 'c1',
      action: { type: 'wait' },
      actions: [{ type: 'type' }],
    };
    assert.equal((await decided(openaiResponses, { output: [act] }))[0]!.args, null);
  });

  it('of a kind of call that is not known are all that it says', async () => {
    const item = { type: 'robot_call', id: 'i1', call_id: 'c1', status: 'completed', input: 'rm -rf /' };
    assert.deepEqual((await decided(openaiResponses, { output: [item] }))[0]!.args, { input: 'rm -rf /' });
  });

  it('that Anthropic gives at the start of a streamed block go out as they were decided', async () => {
    const block = { type: 'tool_use', id: 'tool_000001', name: 'read', input: { path: '/tmp/a' } };
    const { out, calls } = await streamed(anthropic, [
      { type: 'message_start', message: { id: 'm' } },
      { type: 'content_block_start', index: 0, content_block: block },
      { type: 'content_block_stop', index: 0 },
    ]);
    assert.deepEqual(calls[0]!.args, { path: '/tmp/a' });
    const pieces = dataOf(out).flatMap(({ delta }) => (delta as Fields | undefined)?.partial_json ?? []);
    assert.deepEqual(JSON.parse(pieces.join('')), { path: '/tmp/a' });
  });
});

describe('calls beside each other', () => {
  const one = { id: 'c1', type: 'function', function: { name: 'read', arguments: '{"path":"/a"}' } };
  const two = { id: 'c2', type: 'function', function: { name: 'read', arguments: '{"path":"/b"}' } };
  const ends = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
  const piece = (...calls: object[]) => ({ choices: [{ index: 0, delta: { tool_calls: calls } }] });

  it('are two calls, whatever places a server numbers them with', async () => {
    for (const [first, second] of [
      [one, two],
      [
        { index: 0, ...one },
        { index: 0, ...two },
      ],
    ] as const)
      for (const events of [
        [piece(first), piece(second), ends],
        [piece(first, second), ends],
      ]) {
        const { out, calls } = await streamed(openaiChat, events);
        assert.deepEqual(
          calls.map(({ callId, args }) => [callId, args]),
          [
            ['c1', { path: '/a' }],
            ['c2', { path: '/b' }],
          ],
        );
        assert.deepEqual(
          [...out.matchAll(/"tool_calls":\[\{"index":(\d)/g)].map(([, index]) => index),
          ['0', '1'],
        );
      }
  });

  it('have ids of their own, also where a server gives none', async () => {
    const bare = [one, two].map((call, index) => ({ ...call, id: '', index }));
    const { out, calls } = await streamed(openaiChat, [piece(...bare), ends]);
    const desk = tellingDesk();
    const message = { role: 'assistant', tool_calls: bare.map(({ index: _, ...call }) => call) };
    const whole = JSON.stringify(await openaiChat.reply({ choices: [{ message }] }, desk));
    assert.deepEqual(
      desk.told.calls.map(({ callId }) => callId),
      calls.map(({ callId }) => callId),
    );
    const ids = calls.map(({ callId }) => callId);
    assert.equal(new Set(ids).size, 2);
    for (const id of ids) assert.ok(out.includes(`"id":"${id}"`) && whole.includes(`"id":"${id}"`), id);
  });
});

describe('an item of Responses', () => {
  const added = (item: object) => ({ type: 'response.output_item.added', output_index: 0, item });
  const done = (item: object) => ({ type: 'response.output_item.done', output_index: 0, item });
  const call = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'bad_one', arguments: '{}' };

  it('that begins as something else than it ends as does not pass', async () => {
    for (const first of ['web_search_call', 'reasoning', 'compaction', 'message'])
      await assert.rejects(
        streamed(openaiResponses, [added({ type: first, id: 'i' }), done(call)]),
        /ends as another/,
        first,
      );
    const shell = { type: 'shell_call', id: 's', call_id: 'c1', action: { commands: ['ls'] } };
    const inside = { ...shell, environment: { type: 'container_reference' } };
    await assert.rejects(streamed(openaiResponses, [added(inside), done(shell)]), /ends as another/);
    const words = { type: 'message', id: 'i', content: [{ type: 'output_text', text: 'hi' }] };
    await assert.rejects(streamed(openaiResponses, [added(call), done(words)]), /ends as another/);
  });

  it('is told by its whole reply as it went out, words and all', async () => {
    const response = { id: 'r', output: [], output_text: 'the secret1' };
    const guard = openaiResponses.stream(rulingDesk({ t: 'patterns', patterns: ['secret[0-9]+'] }), WHERE);
    const out = await guard.push({
      event: '',
      data: JSON.stringify({ type: 'response.completed', response }),
    });
    assert.doesNotMatch(out, /secret1/);
  });
});

describe('an event', () => {
  const call = { functionCall: { name: 'bad_one', args: {} } };
  const hidden = `\u2028\u2028data: ${JSON.stringify({ candidates: [{ content: { parts: [call] } }] })}\u2028\u2028`;
  /** As Python's `splitlines` reads, by which Google's client for Python reads events. */
  const eventsOf = (out: string) =>
    out.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/).filter((line) => /^data:/.test(line));

  it('is one to every client: a text does not hide another', async () => {
    const pieces: readonly (readonly [Protocol, object])[] = [
      [gemini, { candidates: [{ index: 0, content: { parts: [{ text: hidden }] } }] }],
      [openaiChat, { choices: [{ index: 0, delta: { content: hidden } }] }],
      [openaiChat, { choices: [], note: hidden }],
      [openaiResponses, { type: 'response.unheard', note: hidden }],
      [anthropic, { type: 'unheard', note: hidden }],
    ];
    for (const [protocol, piece] of pieces) {
      const { out } = await streamed(protocol, [piece]);
      assert.ok(out.includes('bad_one'), 'the text itself goes');
      assert.equal(eventsOf(out).length, 1, protocol.name);
    }
  });
});

describe('words in an odd place', () => {
  const patterns = { t: 'patterns', patterns: ['secret[0-9]+'] } as const;
  const texts = [{ text: 'the secret1' }, ['the secret1'], [{ type: 'text', text: 'the secret1' }]];

  it('of Chat Completions are decided too, or do not go', async () => {
    for (const key of ['content', 'refusal', 'reasoning', 'reasoning_content'])
      for (const value of texts) {
        const reply = await openaiChat.reply(
          { choices: [{ message: { role: 'assistant', [key]: value } }] },
          rulingDesk(patterns),
        );
        assert.doesNotMatch(JSON.stringify(reply), /secret1/, `${key} ${JSON.stringify(value)}`);
        const guard = openaiChat.stream(rulingDesk(patterns), WHERE);
        const out = await guard.push({
          event: '',
          data: JSON.stringify({ choices: [{ index: 0, delta: { [key]: value } }] }),
        });
        assert.doesNotMatch(out, /secret1/, `${key} ${JSON.stringify(value)}, streamed`);
      }
    const beside = {
      choices: [{ index: 0, message: { role: 'assistant' }, delta: {}, text: 'the secret1' }],
    };
    assert.doesNotMatch(JSON.stringify(await openaiChat.reply(beside, rulingDesk(patterns))), /secret1/);
    const chunk = { choices: [{ index: 0, delta: { role: 'assistant' }, text: 'the secret1' }] };
    const guard = openaiChat.stream(rulingDesk(patterns), WHERE);
    assert.doesNotMatch(await guard.push({ event: '', data: JSON.stringify(chunk) }), /secret1/);
  });

  it('stay in their parts where no rule reads them', async () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Yes.' },
    ];
    const message = { role: 'assistant', content };
    const reply = (await openaiChat.reply({ choices: [{ message }] }, tellingDesk())) as unknown as {
      choices: { message: { content: unknown } }[];
    };
    assert.deepEqual(reply.choices[0]!.message.content, content);
  });
});

describe('a reply on which no decision can be had', () => {
  it('is one failure, however many decisions it needed', async () => {
    const away = async (): Promise<never> => {
      await Promise.resolve();
      throw new Error('the store is full');
    };
    const desk = { ...tellingDesk(), call: away, text: () => ({ push: () => '', end: away }) };
    const lost: unknown[] = [];
    const onLost = (error: unknown) => void lost.push(error);
    process.on('unhandledRejection', onLost);
    try {
      const message = {
        role: 'assistant',
        content: 'hi',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } }],
      };
      const replies: readonly (readonly [Protocol, Fields])[] = [
        [openaiChat, { choices: [{ message }, { message }] }],
        [
          anthropic,
          {
            content: [
              { type: 'text', text: 'hi' },
              { type: 'tool_use', id: 'c1', name: 'read', input: {} },
            ],
          },
        ],
        [
          gemini,
          { candidates: [{ content: { parts: [{ text: 'hi' }, { functionCall: { name: 'read' } }] } }] },
        ],
        [
          openaiResponses,
          {
            output: [
              { type: 'message', content: [{ type: 'output_text', text: 'hi' }] },
              { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' },
            ],
          },
        ],
      ];
      for (const [protocol, body] of replies)
        await assert.rejects(protocol.reply(body, desk), /store is full/);
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.deepEqual(lost, [], 'what nobody hears of ends the process');
    } finally {
      process.off('unhandledRejection', onLost);
    }
  });
});
