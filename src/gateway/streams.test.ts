// Streams through the wire formats: whatever the bytes are cut into, the same comes out, it is a whole and valid reply, nothing
// withheld is in it, and it says what the same reply says when it is not streamed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { framesOf } from '../../test/gateway/model/wire.ts';
import { type Part, render, STREAM_STYLE, type Turn } from '../../test/gateway/scripted-model.ts';
import type { ContentWatch } from '../spec/content-watch.ts';
import { isObject } from './fields.ts';
import { anthropic } from './protocols/anthropic.ts';
import { gemini } from './protocols/gemini.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { openaiResponses } from './protocols/openai-responses.ts';
import { eventReader } from './sse.ts';
import { rulingDesk, SECRET, tellingDesk } from './testing/desks.ts';
import type { Protocol } from './types.ts';

const PROTOCOLS: readonly Protocol[] = [openaiChat, openaiResponses, anthropic, gemini];
const WATCHES: readonly ContentWatch[] = [
  { t: 'free' },
  { t: 'patterns', patterns: [SECRET] },
  { t: 'whole' },
];
const WHERE = { model: 'm', stream: true, sse: true };

const words = fc
  .array(fc.constantFrom('a', 'sec', 'ret', 'secret1', ' ', '7', 'é', '😀', '\n', '"', '\\', '\u2028'), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(''));
const name = fc.constantFrom('good', 'bad_one', 'edit_it', 'look_up', 'bad_two');
const args = fc.dictionary(
  fc.constantFrom('id', 'amount', 'hidden-value'),
  fc.oneof(fc.integer(), fc.constantFrom('x', 'é😀', 'a "b"')),
  {
    maxKeys: 3,
  },
);
const part: fc.Arbitrary<Part> = fc.oneof(
  words.map((text): Part => ({ kind: 'text', text })),
  words.map((text): Part => ({ kind: 'reasoning', text })),
  fc
    .tuple(name, args)
    .map(([tool, given]): Part => ({ kind: 'call', name: tool, arguments: JSON.stringify(given) })),
);
/** As vendors order a reply: thoughts, words, calls. */
const RANK = { reasoning: 0, text: 1, refusal: 1, call: 2 } as const;
const turn: fc.Arbitrary<Turn> = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => ({ parts: parts.toSorted((a, b) => RANK[a.kind] - RANK[b.kind]) }));

function bytesOf(
  protocol: Protocol,
  given: Turn,
  deltaChars: number,
  stream: boolean,
  comments = false,
): Buffer {
  const incoming = {
    protocol: protocol.name,
    model: 'm',
    stream,
    query: new URLSearchParams('alt=sse'),
    body: {},
    headers: {},
    url: '/',
    method: 'POST',
    number: 1,
    turn: 0,
    vendor: 'openai',
  } as unknown as Parameters<typeof render>[1];
  const answer = render(given, incoming, 'reply-1', deltaChars);
  return Buffer.from(framesOf(answer, { ...STREAM_STYLE, comments }).join(''));
}

async function through(
  protocol: Protocol,
  pieces: readonly Uint8Array[],
  watch: ContentWatch,
): Promise<string> {
  const guard = protocol.stream(rulingDesk(watch), WHERE);
  const reader = eventReader();
  let out = '';
  for (const piece of pieces) for (const event of reader.push(piece)) out += await guard.push(event);
  for (const event of reader.end()) out += await guard.push(event);
  assert.ok(guard.complete(), 'the reply is complete');
  return out;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}

/** What a client has at the end: words, and calls with their arguments. */
async function read(protocol: Protocol, stream: string) {
  const desk = tellingDesk();
  const guard = protocol.stream(desk, WHERE);
  for (const event of eventReader().push(Buffer.from(stream))) await guard.push(event);
  assert.ok(guard.complete(), 'what went out is a whole reply');
  return summary(protocol, desk.told);
}

function summary(
  { name: wire }: Protocol,
  { texts, thoughts, calls }: ReturnType<typeof tellingDesk>['told'],
) {
  return {
    said: texts.join('').replaceAll('\n', ''),
    // Responses tells its thoughts in items of their own, which go through as they are while nothing is guarded.
    thought: wire === 'openai-responses' ? '' : thoughts.join(''),
    calls: calls.map((call) => [call.name, call.args]),
  };
}

describe('a stream through the gateway', () => {
  for (const protocol of PROTOCOLS) {
    it(`${protocol.name}: is the same for every way of cutting it, with nothing withheld in it`, async () => {
      await fc.assert(
        fc.asyncProperty(
          turn,
          fc.constantFrom(...WATCHES),
          fc.integer({ min: 1, max: 40 }),
          fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
          async (given, watch, deltaChars, sizes) => {
            const bytes = bytesOf(protocol, given, deltaChars, true);
            const whole = await through(protocol, [bytes], watch);
            assert.equal(await through(protocol, cut(bytes, sizes), watch), whole);
            assert.equal(await through(protocol, cut(bytes, [1]), watch), whole);
            for (const { kind, name: tool } of given.parts as readonly { kind: string; name?: string }[])
              if (kind === 'call' && tool!.startsWith('bad'))
                assert.ok(!whole.includes(tool!), 'no denied call');
            if (watch.t !== 'free') assert.doesNotMatch(whole, /secret[0-9]/, 'no forbidden text');
          },
        ),
        { numRuns: 150 },
      );
    });

    it(`${protocol.name}: tells the client what the reply tells when it is not streamed`, async () => {
      await fc.assert(
        fc.asyncProperty(
          turn,
          fc.constantFrom(...WATCHES),
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 1, max: 40 }),
          async (given, watch, some, others) => {
            const streamed = await read(
              protocol,
              await through(protocol, [bytesOf(protocol, given, some, true)], watch),
            );
            const again = await read(
              protocol,
              await through(protocol, [bytesOf(protocol, given, others, true, true)], watch),
            );
            assert.deepEqual(again, streamed, 'whatever the pieces of the model');
            const body: unknown = JSON.parse(bytesOf(protocol, given, some, false).toString());
            assert.ok(isObject(body));
            const desk = tellingDesk();
            await protocol.reply(await protocol.reply(body, rulingDesk(watch)), desk);
            assert.deepEqual(streamed, summary(protocol, desk.told));
          },
        ),
        { numRuns: 150 },
      );
    });

    it(`${protocol.name}: lets a call with rewritten arguments and its neighbours through, in order`, async () => {
      const calls: Turn = {
        parts: ['good', 'bad_one', 'edit_it', 'look_up'].map((tool) => ({
          kind: 'call',
          name: tool,
          arguments: '{"id":"x"}',
        })),
      };
      const { calls: read_, said } = await read(
        protocol,
        await through(protocol, [bytesOf(protocol, calls, 3, true)], { t: 'free' }),
      );
      assert.deepEqual(read_, [
        ['good', { id: 'x' }],
        ['edit_it', { edited: true }],
        ['look_up', { id: 'x' }],
      ]);
      assert.equal(said, '[no]');
    });

    it(`${protocol.name}: says that a stream which stops early is not complete`, async () => {
      const bytes = bytesOf(protocol, { parts: [{ kind: 'text', text: 'hello there' }] }, 2, true);
      const guard = protocol.stream(rulingDesk({ t: 'free' }), WHERE);
      for (const event of eventReader().push(bytes.subarray(0, Math.floor(bytes.length / 2))))
        await guard.push(event);
      assert.equal(guard.complete(), false);
    });
  }
});
