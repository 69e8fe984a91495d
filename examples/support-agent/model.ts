// The model of the example. Without a key it is a script that reads what a model would read, results and denials, and
// chooses the next call; with OPENAI_BASE_URL and OPENAI_MODEL it is any OpenAI-compatible endpoint.
import type { Json, JsonObject } from '../../src/sdk/index.ts';
import type { ToolSchema } from './shop.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: JsonObject;
}

export type Message =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly calls: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly content: string };

export interface Reply {
  readonly content: string;
  readonly calls: readonly ToolCall[];
}

export interface Model {
  readonly name: string;
  next(messages: readonly Message[], tools: readonly ToolSchema[], signal?: AbortSignal): Promise<Reply>;
}

export function chooseModel(env: NodeJS.ProcessEnv): Model {
  const { OPENAI_BASE_URL, OPENAI_MODEL, OPENAI_API_KEY } = env;
  if (OPENAI_BASE_URL === undefined || OPENAI_MODEL === undefined) return scriptedModel;
  return chatCompletions(OPENAI_BASE_URL, OPENAI_MODEL, OPENAI_API_KEY);
}

/** What the script knows of the conversation: every call so far with what came back. */
interface Outcome {
  readonly call: ToolCall;
  readonly result: JsonObject;
}

/** Eager and a little careless, as models are: it refunds before it checks, and believes what it reads in an order. */
export const scriptedModel: Model = {
  name: 'scripted',
  async next(messages) {
    const request = messages.find((message) => message.role === 'user')?.content ?? '';
    const outcomes = outcomesOf(messages);
    const last = outcomes.at(-1);
    const step = outcomes.length + 1;
    const say = (content: string): Reply => ({ content, calls: [] });
    const call = (content: string, name: string, args: JsonObject): Reply => ({
      content,
      calls: [{ id: `call-${step}`, name, args }],
    });

    const order = done(outcomes, 'get_order');
    if (order === undefined) {
      return call('I look up the order.', 'get_order', { order_id: wordLike(request, 'A-') });
    }
    if (last?.result.error === 'denied' && String(last.result.repair).includes('verify_identity')) {
      return call('Denied; I do what the repair says.', 'verify_identity', {
        customer_id: wordLike(request, 'C-'),
      });
    }
    const refund = done(outcomes, 'refund');
    if (refund === undefined) {
      const stopped = last?.call.name === 'refund' && done(outcomes, 'verify_identity') !== undefined;
      if (stopped) return say(`I am sorry, the refund was not approved: ${last.result.because}`);
      const { id, customer_id, total } = order as { id: string; customer_id: string; total: number };
      return call('I refund it.', 'refund', { order_id: id, customer_id, amount: total });
    }
    const mail = { subject: 'Your refund', body: `We paid back ${refund.amount} (${refund.refund_id}).` };
    if (last?.call.name === 'refund') {
      const advised = addressIn(String(order.note ?? ''));
      return call('The note says where to send the confirmation.', 'send_email', { to: advised, ...mail });
    }
    if (last?.call.name === 'send_email' && last.result.error === 'denied') {
      return call('Denied; I write to the customer.', 'send_email', { to: addressIn(request), ...mail });
    }
    return say(
      `Your refund of ${refund.amount} is on its way (${refund.refund_id}). I have sent you a confirmation.`,
    );
  },
};

function outcomesOf(messages: readonly Message[]): Outcome[] {
  const calls = new Map<string, ToolCall>();
  const outcomes: Outcome[] = [];
  for (const message of messages) {
    if (message.role === 'assistant') for (const call of message.calls) calls.set(call.id, call);
    if (message.role !== 'tool') continue;
    const call = calls.get(message.callId);
    if (call !== undefined) outcomes.push({ call, result: JSON.parse(message.content) as JsonObject });
  }
  return outcomes;
}

function done(outcomes: readonly Outcome[], name: string): JsonObject | undefined {
  return outcomes.find(({ call, result }) => call.name === name && result.error === undefined)?.result;
}

/** The first word that starts so, without the punctuation after it. */
function wordLike(text: string, start: string): string {
  const word = text.split(' ').find((word) => word.startsWith(start)) ?? '';
  return trimmed(word);
}

function addressIn(text: string): string {
  return trimmed(text.split(' ').find((word) => word.includes('@')) ?? '');
}

function trimmed(word: string): string {
  return '.,;:!?'.includes(word.slice(-1)) ? word.slice(0, -1) : word;
}

/** The chat-completions protocol, the small part of it that tool use needs. */
export function chatCompletions(baseUrl: string, model: string, key: string | undefined): Model {
  const url = `${baseUrl.endsWith('/') ? baseUrl.slice(0, -1) : baseUrl}/chat/completions`;
  return {
    name: model,
    async next(messages, tools, signal) {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({
          model,
          messages: messages.map(toWire),
          tools: tools.map((tool) => ({ type: 'function', function: tool })),
        }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (!response.ok)
        throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
      return fromWire(await response.json());
    },
  };
}

function toWire(message: Message): object {
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.content };
    case 'assistant': {
      if (message.calls.length === 0) return { role: 'assistant', content: message.content };
      const tool_calls = message.calls.map(({ id, name, args }) => ({
        id,
        type: 'function',
        function: { name, arguments: JSON.stringify(args) },
      }));
      return { role: 'assistant', content: message.content, tool_calls };
    }
    default:
      return message;
  }
}

function fromWire(answer: unknown): Reply {
  const message = (answer as { choices?: { message?: WireMessage }[] }).choices?.[0]?.message;
  if (message === undefined) throw new Error('the endpoint answered without a message');
  const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => {
    const args = JSON.parse(text === '' ? '{}' : text) as Json;
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw new Error(`${name}: arguments are no object`);
    return { id, name, args: args as JsonObject };
  });
  return { content: message.content ?? '', calls };
}

interface WireMessage {
  readonly content?: string | null;
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[];
}
