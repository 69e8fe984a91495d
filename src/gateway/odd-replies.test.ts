// Replies that no vendor documents but some server sends: what is not known to be harmless does not carry a call past its
// decision, streamed or whole.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anthropic } from './protocols/anthropic.ts';
import { gemini } from './protocols/gemini.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { openaiResponses } from './protocols/openai-responses.ts';
import { eventReader } from './sse.ts';
import { CUT, rulingDesk, SECRET } from './testing/desks.ts';
import type { Protocol } from './types.ts';

const WHERE = { model: 'm', stream: true, sse: true };
const PATTERNS = { t: 'patterns', patterns: [SECRET] } as const;
const BAD = { id: 'c1', type: 'function', function: { name: 'bad_one', arguments: '{}' } };

async function streamed(protocol: Protocol, events: readonly object[], guarded = false): Promise<string> {
  const guard = protocol.stream(rulingDesk(guarded ? PATTERNS : { t: 'free' }), WHERE);
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  let out = '';
  for (const event of eventReader().push(Buffer.from(text))) out += await guard.push(event);
  return out;
}

const end = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };

describe('a reply in an odd form', () => {
  it('has no call beside an error, nor beside the word that there is none', async () => {
    const chunk = { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...BAD }] } }] };
    assert.doesNotMatch(await streamed(openaiChat, [{ ...chunk, error: null }, end]), /bad_one/);
    const failed = await streamed(openaiChat, [{ ...chunk, error: { message: 'overloaded' } }]);
    assert.doesNotMatch(failed, /bad_one/);
    assert.match(failed, /overloaded/);
  });

  it('has no whole message in the middle of a stream', async () => {
    const message = { role: 'assistant', tool_calls: [BAD] };
    assert.doesNotMatch(
      await streamed(openaiChat, [{ choices: [{ index: 0, delta: {}, message }] }, end]),
      /bad_one/,
    );
    const start = {
      type: 'message_start',
      message: { id: 'm', content: [{ type: 'tool_use', id: 'x', name: 'bad_one' }] },
    };
    assert.doesNotMatch(await streamed(anthropic, [start]), /bad_one/);
    const output = [{ type: 'function_call', call_id: 'x', name: 'bad_one', arguments: '{}' }];
    for (const type of ['response.created', 'response.in_progress', 'response.done', 'response.unheard'])
      assert.doesNotMatch(
        await streamed(openaiResponses, [{ type, response: { id: 'r', output } }]),
        /bad_one/,
        type,
      );
  });

  it('has no piece of an item that has not begun, and no words before they are decided', async () => {
    const piece = { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{"bad_one":1}' };
    assert.equal(await streamed(openaiResponses, [piece]), '');
    const content = [{ type: 'output_text', text: 'secret1' }];
    const added = {
      type: 'response.output_item.added',
      output_index: 0,
      item: { type: 'message', id: 'm', content },
    };
    assert.doesNotMatch(await streamed(openaiResponses, [added], true), /secret1/);
    const parts = [{ type: 'text', text: 'the secret1' }];
    const chunks = [
      { choices: [{ index: 0, delta: { content: parts } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    ];
    const cut = await streamed(openaiChat, chunks, true);
    assert.doesNotMatch(cut, /secret1/);
    assert.ok(cut.includes(CUT));
  });

  it('has one thing in each part', async () => {
    const part = {
      text: 'secret1',
      functionCall: { name: 'good', args: {} },
      function_call: { name: 'bad_one', args: {} },
    };
    const candidate = { index: 0, finishReason: 'STOP', content: { role: 'model', parts: [part] } };
    const out = await streamed(gemini, [{ candidates: [candidate] }], true);
    assert.match(out, /good/);
    assert.doesNotMatch(out, /bad_one|secret1/);
    const whole = JSON.stringify(await gemini.reply({ candidates: [candidate] }, rulingDesk(PATTERNS)));
    assert.match(whole, /good/);
    assert.doesNotMatch(whole, /bad_one|secret1/);
  });

  it('is refused when it has no message at all', async () => {
    const desk = rulingDesk({ t: 'free' });
    await assert.rejects(
      openaiChat.reply({ choices: [{ index: 0, delta: { tool_calls: [BAD] } }] }, desk),
      /without a message/,
    );
    const message = { role: 'assistant', content: 'hi' };
    const both = await openaiChat.reply(
      { choices: [{ index: 0, message, delta: { tool_calls: [BAD] } }] },
      desk,
    );
    assert.doesNotMatch(JSON.stringify(both), /bad_one/);
  });
});
