// The conversations of bench/gateway.ts: an agent that reads an order, refunds it and says so, with a number of its own in
// the question and in the ids of calls, as no two conversations of a vendor are the same. Templates: `########` stands
// for the number. Pure; both the load and the upstream are made of it.

import { type Incoming, readIncoming } from '../../test/gateway/model/incoming.ts';
import { call, STREAM_STYLE, type Turn } from '../../test/gateway/model/turn.ts';
import { framesOf } from '../../test/gateway/model/wire.ts';
import { render } from '../../test/gateway/scripted-model.ts';

export const HOLE = '########';
/** Every number has so many digits, so that lengths do not change. */
export const DIGITS = HOLE.length;
/** The first words of every streamed text: the load sees by it when the first token is there. */
export const FIRST_WORDS = 'Hello, ';
/** What a policy keeps from the client; the load asks for it once, to see that policies are on. */
export const FORBIDDEN_AMOUNT = '99000';
const SLOW_EVENTS = 100;
const QUICK_EVENTS = 40;

const SYSTEM =
  'You are the support agent of a small shop. Read the order before you refund it, refund at most what it came to, write to ' +
  'nobody but the customer, and say in the end what you did. Be brief and kind, and do not promise what you have not done.';

export type Kind = 'talk' | 'thoughtful' | 'stream' | 'slow' | 'forbidden';
/** Said in the question, so that the upstream knows without parsing. */
const MARKS: Readonly<Record<Kind, string>> = {
  talk: 'Please refund my order',
  thoughtful: 'Please think and refund my order',
  stream: 'Please explain my order',
  slow: 'Please explain my order slowly',
  forbidden: 'Please refund far too much',
};
export const KINDS = Object.keys(MARKS) as Kind[];

const prose = (events: number) =>
  `${FIRST_WORDS}there${Array.from({ length: events - 1 }, (_, i) => ` word${String(i).padStart(5, '0')}.`).join('')}`;

const REFUNDED: readonly Turn[] = [
  { parts: [call('get_order', { order_id: `A-${HOLE}` }, `call_${HOLE}0`)] },
  { parts: [call('refund', { order_id: `A-${HOLE}`, amount: 40 }, `call_${HOLE}1`)] },
  { parts: [{ kind: 'text', text: 'I have refunded 40 of your order; it is on its way to you.' }] },
];

/** The turns of the model, in the order of the conversation. */
const TURNS: Readonly<Record<Kind, readonly Turn[]>> = {
  talk: REFUNDED,
  thoughtful: REFUNDED,
  stream: [{ parts: [{ kind: 'text', text: prose(QUICK_EVENTS) }] }],
  slow: [{ parts: [{ kind: 'text', text: prose(SLOW_EVENTS) }] }],
  forbidden: [
    {
      parts: [call('refund', { order_id: `A-${HOLE}`, amount: Number(FORBIDDEN_AMOUNT) }, `call_${HOLE}9`)],
    },
  ],
};

const TOOLS = ['get_order', 'refund', 'send_email', 'search_help'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `Use ${name} for the order at hand, with the id that the customer gave.`,
    parameters: {
      type: 'object',
      properties: { order_id: { type: 'string' }, amount: { type: 'number' }, to: { type: 'string' } },
    },
  },
}));

/** The requests of one conversation, each with all that was said before it. */
export function requestsOf(kind: Kind): string[] {
  const messages: object[] = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: `${MARKS[kind]} A-${HOLE}; it came broken.` },
  ];
  const bodies: string[] = [];
  for (const turn of TURNS[kind]) {
    const stream = kind === 'stream' || kind === 'slow';
    bodies.push(JSON.stringify({ model: 'gpt-4o', stream, tools: TOOLS, messages }));
    for (const part of turn.parts) {
      if (part.kind !== 'call') continue;
      const { id, name, arguments: text } = part;
      messages.push(
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, type: 'function', function: { name, arguments: text } }],
        },
        {
          role: 'tool',
          tool_call_id: id,
          content: JSON.stringify({ id: `A-${HOLE}`, total: 120, currency: 'EUR' }),
        },
      );
    }
  }
  return bodies;
}

/** The upstream's answers to them: one body, or the frames of a stream. */
export function answersOf(kind: Kind): string[][] {
  return requestsOf(kind).map((text, at) => {
    const incoming: Incoming = readIncoming(
      { number: 1, method: 'POST', url: '/v1/chat/completions', headers: {}, text },
      () => 0,
    );
    // A word with its space is twelve characters: one event each.
    const answer = render(TURNS[kind][at]!, incoming, `chatcmpl-${HOLE}${at}`, FIRST_WORDS.length);
    return framesOf(answer, STREAM_STYLE);
  });
}

/** Which conversation a request belongs to, and how far it is; gateways may have written its JSON anew. */
export function recognise(body: string): { kind: Kind; turn: number; number: string } {
  const question = body.indexOf('Please ');
  const at = body.indexOf(' A-', question);
  const mark = body.slice(question, at);
  const kind = KINDS.find((each) => MARKS[each] === mark);
  if (question < 0 || kind === undefined) throw new Error(`not a request of this benchmark: ${body}`);
  const turn = body.match(/"role": ?"assistant"/g)?.length ?? 0;
  return { kind, turn, number: body.slice(at + 3, at + 3 + DIGITS) };
}
