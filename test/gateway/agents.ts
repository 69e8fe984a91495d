// Agents on the real client libraries, each in its library's own way, behind one face: what they say and what tools they are
// asked to call. They keep their own history, as programs do, and know nothing of the gateway but its address.
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { generateText, jsonSchema, type ModelMessage, streamText, type ToolSet, tool } from 'ai';
import OpenAI from 'openai';

export interface AskedCall {
  readonly id: string;
  readonly name: string;
  readonly args: unknown;
}

export interface Reply {
  readonly text: string;
  readonly calls: readonly AskedCall[];
  /** Whether the reply says that it stopped for tools. */
  readonly stoppedForTools: boolean;
}

export interface ToolValue {
  readonly call: AskedCall;
  readonly value: object;
}

export interface Agent {
  say(text: string): Promise<Reply>;
  give(values: readonly ToolValue[]): Promise<Reply>;
}

export interface AgentOptions {
  /** Of the gateway: `http://127.0.0.1:PORT/gateway`. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

const MODEL = 'scripted-model';
const TOOLS = ['get_order', 'refund', 'wire_money'];
const ANY = { type: 'object' as const, properties: {} };

function openaiClient({ base, headers, fetch }: AgentOptions): OpenAI {
  return new OpenAI({
    baseURL: `${base}/openai/v1`,
    apiKey: 'k',
    maxRetries: 0,
    defaultHeaders: headers,
    fetch,
  });
}

/** Chat Completions. */
export function openaiChat(options: AgentOptions, stream: boolean): Agent {
  const client = openaiClient(options);
  const messages: OpenAI.Chat.Completions.ChatCompletionMessageParam[] = [];
  const tools = TOOLS.map((name) => ({ type: 'function' as const, function: { name, parameters: ANY } }));
  async function ask(): Promise<Reply> {
    const body = { model: MODEL, messages, tools };
    const completion = stream
      ? await client.chat.completions.stream(body).finalChatCompletion()
      : await client.chat.completions.create(body);
    const { message, finish_reason } = completion.choices[0]!;
    messages.push(message);
    const calls = (message.tool_calls ?? []).flatMap((one) =>
      one.type === 'function'
        ? [{ id: one.id, name: one.function.name, args: JSON.parse(one.function.arguments) as unknown }]
        : [],
    );
    return { text: message.content ?? '', calls, stoppedForTools: finish_reason === 'tool_calls' };
  }
  return {
    say(text) {
      messages.push({ role: 'user', content: text });
      return ask();
    },
    give(values) {
      for (const { call, value } of values)
        messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(value) });
      return ask();
    },
  };
}

/** Responses; `kept` leaves the conversation with the vendor and names the response before. */
export function openaiResponses(options: AgentOptions, stream: boolean, kept = false): Agent {
  const client = openaiClient(options);
  const tools = TOOLS.map((name) => ({ type: 'function' as const, name, parameters: ANY, strict: false }));
  let input: OpenAI.Responses.ResponseInputItem[] = [];
  let previous: string | undefined;
  async function ask(): Promise<Reply> {
    const body = {
      model: MODEL,
      input,
      tools,
      ...(kept && previous ? { previous_response_id: previous } : {}),
    };
    const response = stream
      ? await client.responses.stream(body).finalResponse()
      : await client.responses.create({ ...body, stream: false });
    previous = response.id;
    if (kept) input = [];
    else input.push(...(response.output as OpenAI.Responses.ResponseInputItem[]));
    const calls = response.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) as unknown }]
        : [],
    );
    return { text: response.output_text, calls, stoppedForTools: calls.length > 0 };
  }
  return {
    say(text) {
      input.push({ role: 'user', content: text });
      return ask();
    },
    give(values) {
      for (const { call, value } of values)
        input.push({ type: 'function_call_output', call_id: call.id, output: JSON.stringify(value) });
      return ask();
    },
  };
}

/** `kept`: the vendor keeps the conversation, as the library's tool runner has it (beta of message threads). */
export function anthropic({ base, headers, fetch }: AgentOptions, stream: boolean, kept = false): Agent {
  const client = new Anthropic({
    baseURL: `${base}/anthropic`,
    apiKey: 'k',
    maxRetries: 0,
    defaultHeaders: headers,
    fetch,
  });
  let messages: Anthropic.MessageParam[] = [];
  let previous: string | undefined;
  const tools = TOOLS.map((name) => ({ name, input_schema: ANY }));
  async function ask(): Promise<Reply> {
    const thread =
      previous === undefined
        ? ({ type: 'create' } as const)
        : ({ type: 'continue', previous_message_id: previous } as const);
    const body = { model: MODEL, max_tokens: 256, messages, tools, ...(kept ? { thread } : {}) };
    const message = stream
      ? await client.messages.stream(body).finalMessage()
      : await client.messages.create(body);
    previous = message.id;
    if (kept) messages = [];
    else messages.push({ role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] });
    return {
      text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: message.content.flatMap((block) =>
        block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [],
      ),
      stoppedForTools: message.stop_reason === 'tool_use',
    };
  }
  return {
    say(text) {
      messages.push({ role: 'user', content: text });
      return ask();
    },
    give(values) {
      const content = values.map(({ call, value }) => ({
        type: 'tool_result' as const,
        tool_use_id: call.id,
        content: JSON.stringify(value),
      }));
      messages.push({ role: 'user', content });
      return ask();
    },
  };
}

export function google({ base, headers, fetch }: AgentOptions, stream: boolean): Agent {
  const client = new GoogleGenAI({
    apiKey: 'k',
    httpOptions: { baseUrl: `${base}/gemini`, headers: { ...headers }, fetch },
  });
  const contents: Content[] = [];
  const config = {
    tools: [{ functionDeclarations: TOOLS.map((name) => ({ name, parametersJsonSchema: ANY })) }],
  };
  async function ask(): Promise<Reply> {
    const body = { model: MODEL, contents, config };
    const chunks: GenerateContentResponse[] = [];
    if (stream) for await (const chunk of await client.models.generateContentStream(body)) chunks.push(chunk);
    else chunks.push(await client.models.generateContent(body));
    const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
    contents.push({ role: 'model', parts });
    const calls = parts.flatMap(({ functionCall }) =>
      functionCall === undefined
        ? []
        : [{ id: functionCall.id ?? '', name: functionCall.name ?? '', args: functionCall.args }],
    );
    return {
      text: parts.map(({ text }) => text ?? '').join(''),
      calls,
      stoppedForTools: calls.length > 0,
    };
  }
  return {
    say(text) {
      contents.push({ role: 'user', parts: [{ text }] });
      return ask();
    },
    give(values) {
      const parts = values.map(({ call, value }) => ({
        functionResponse: {
          ...(call.id === '' ? {} : { id: call.id }),
          name: call.name,
          response: value as Record<string, unknown>,
        },
      }));
      contents.push({ role: 'user', parts });
      return ask();
    },
  };
}

/** The Vercel AI SDK, over Chat Completions or Responses. */
export function vercel(
  { base, headers, fetch }: AgentOptions,
  stream: boolean,
  api: 'chat' | 'responses',
): Agent {
  const provider = createOpenAI({
    baseURL: `${base}/openai/v1`,
    apiKey: 'k',
    headers: { ...headers },
    fetch,
  });
  const messages: ModelMessage[] = [];
  const tools: ToolSet = Object.fromEntries(
    TOOLS.map((name) => [name, tool({ inputSchema: jsonSchema(ANY) })]),
  );
  async function ask(): Promise<Reply> {
    const body = { model: provider[api](MODEL), messages, tools, maxRetries: 0 };
    const result = stream ? streamText(body) : await generateText(body);
    const [text, calls, finish, response] = await Promise.all([
      result.text,
      result.toolCalls,
      result.finishReason,
      result.response,
    ]);
    messages.push(...response.messages);
    return {
      text,
      calls: calls.map(({ toolCallId, toolName, input }) => ({
        id: toolCallId,
        name: toolName,
        args: input,
      })),
      stoppedForTools: finish === 'tool-calls',
    };
  }
  return {
    say(text) {
      messages.push({ role: 'user', content: text });
      return ask();
    },
    give(values) {
      messages.push({
        role: 'tool',
        content: values.map(({ call, value }) => ({
          type: 'tool-result' as const,
          toolCallId: call.id,
          toolName: call.name,
          output: { type: 'text' as const, value: JSON.stringify(value) },
        })),
      });
      return ask();
    },
  };
}
