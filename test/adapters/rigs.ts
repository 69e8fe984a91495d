// Agents on the real frameworks, written as a user of each would: a loop, tools, and the one line that puts Interlock in.
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import type { BaseMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { Agent as MastraAgent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { InMemoryStore } from '@mastra/core/storage';
import { createTool } from '@mastra/core/tools';
import {
  tool as agentTool,
  Agent as OpenAIAgent,
  OpenAIChatCompletionsModel,
  run as runAgent,
} from '@openai/agents';
import {
  tool as aiTool,
  generateText,
  isStepCount,
  jsonSchema,
  type ModelMessage,
  streamText,
  type ToolSet,
  wrapLanguageModel,
} from 'ai';
import { createAgent, createMiddleware, ToolMessage } from 'langchain';
import OpenAI from 'openai';
import * as aiSdk from '../../src/adapters/ai-sdk.ts';
import * as anthropic from '../../src/adapters/anthropic.ts';
import * as langchain from '../../src/adapters/langchain.ts';
import * as mastra from '../../src/adapters/mastra.ts';
import * as openai from '../../src/adapters/openai.ts';
import * as openaiAgents from '../../src/adapters/openai-agents.ts';
import { StepHeld } from '../../src/sdk/index.ts';
import { causeOf, type Outcome, type PlainTool, type Play, type Rig } from './stage.ts';

const MODEL = 'scripted-model';
const TURNS_MAX = 8;

const NO_HANDOVER = 'none of its own';

const vercel: Rig = {
  name: 'ai-sdk',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run({ session, model, tools, options, user, stream, signal }) {
    const provider = createOpenAI({ baseURL: `${model}/v1`, apiKey: 'k' });
    const set: ToolSet = Object.fromEntries(
      tools.map(({ name, parameters, execute }) => [
        name,
        aiTool({
          inputSchema: jsonSchema<object>(parameters as never),
          execute: (args, { abortSignal }) => execute(args, abortSignal),
        }),
      ]),
    );
    const settings = {
      model: wrapLanguageModel({
        model: provider.chat(MODEL),
        middleware: aiSdk.interlockMiddleware(session),
      }),
      tools: aiSdk.guardTools(session, set, options),
      stopWhen: isStepCount(TURNS_MAX),
      maxRetries: 0,
      abortSignal: signal,
    };
    const go = async (messages: ModelMessage[]): Promise<Outcome> => {
      let failure: unknown = null;
      const onError = ({ error }: { error: unknown }) => {
        failure = error;
      };
      const result = stream
        ? streamText({ ...settings, messages, onError })
        : await generateText({ ...settings, messages });
      let text = '';
      if ('textStream' in result) for await (const delta of result.textStream) text += delta;
      if (failure !== null) throw failure;
      signal.throwIfAborted();
      const content = await result.content;
      const asked = content.filter((part) => part.type === 'tool-approval-request');
      const said = await result.responseMessages;
      if (asked.length === 0) return { text: stream ? text.split('\n').at(-1)! : await result.text };
      const approvals: ModelMessage = {
        role: 'tool',
        content: asked.map(({ approvalId }) => ({
          type: 'tool-approval-response',
          approvalId,
          approved: true,
        })),
      };
      return { text: '', resume: () => go([...messages, ...said, approvals]) };
    };
    return go([{ role: 'user', content: user }]);
  },
};

const agents: Rig = {
  name: 'openai-agents',
  streams: true,
  cannot: {},
  async run({ session, model, tools, options, user, stream, signal, handOver }) {
    const client = new OpenAI({ baseURL: `${model}/v1`, apiKey: 'k', maxRetries: 0 });
    const settings = {
      instructions: '',
      model: new OpenAIChatCompletionsModel(client as never, MODEL),
      tools: tools.map(({ name, parameters, execute }) =>
        agentTool({
          name,
          description: name,
          strict: false,
          parameters: { ...parameters, additionalProperties: true, required: [] } as never,
          execute: (args, _context, details) => execute(args as object, details?.signal),
        }),
      ),
    };
    const second = handOver === undefined ? [] : [new OpenAIAgent({ name: handOver, ...settings })];
    const plain = new OpenAIAgent({ name: 'desk', ...settings, handoffs: second });
    const agent = openaiAgents.guardAgent(session, plain, options);
    const go = async (input: Parameters<typeof runAgent<typeof agent>>[1]): Promise<Outcome> => {
      const limits = { maxTurns: TURNS_MAX, signal };
      let result: Awaited<ReturnType<typeof runAgent<typeof agent>>>;
      if (stream) {
        const streamed = await runAgent(agent, input, { ...limits, stream: true });
        await streamed.completed;
        if (streamed.error) throw streamed.error;
        result = streamed as never;
      } else result = (await runAgent(agent, input, limits)) as never;
      signal.throwIfAborted();
      if (result.interruptions.length === 0) return { text: String(result.finalOutput) };
      for (const item of result.interruptions) result.state.approve(item);
      return { text: '', resume: () => go(result.state as never) };
    };
    return go(user);
  },
};

const chain: Rig = {
  name: 'langchain',
  streams: true,
  cannot: {
    'hand-off in one session':
      'a hand-off is an edge of the graph: propose it in the node with session.handoff',
  },
  async run({ session, model, tools, options, user, stream, signal }) {
    const agent = createAgent({
      model: new ChatOpenAI({
        model: MODEL,
        apiKey: 'k',
        maxRetries: 0,
        configuration: { baseURL: `${model}/v1` },
      }),
      tools: tools.map(({ name, parameters, execute }) =>
        langchainTool((args: object, config) => execute(args, config?.signal), {
          name,
          description: name,
          schema: parameters as never,
        }),
      ),
      middleware: [errorsAsMessages, langchain.interlockMiddleware(session, options)],
      checkpointer: new MemorySaver(),
    });
    const config = { configurable: { thread_id: 't' }, signal, recursionLimit: 40 };
    const go = async (input: { messages: { role: string; content: string }[] } | null): Promise<Outcome> => {
      try {
        let state: { messages: BaseMessage[] } = { messages: [] };
        if (!stream) state = await agent.invoke(input as never, config);
        else
          for await (const each of await agent.stream(input as never, { ...config, streamMode: 'values' }))
            state = each as typeof state;
        return { text: state.messages.at(-1)!.text };
      } catch (error) {
        if (heldBy(error)) return { text: '', resume: () => go(null) };
        throw error;
      }
    };
    return go({ messages: [{ role: 'user', content: user }] });
  },
};

function heldBy(error: unknown): boolean {
  return causeOf(error) instanceof StepHeld;
}

/** LangChain ends the run when a tool fails, unless the program says otherwise, as here. */
const errorsAsMessages = createMiddleware({
  name: 'ErrorsAsMessages',
  async wrapToolCall(request, handler) {
    try {
      return await handler(request);
    } catch (error) {
      if (causeOf(error) !== null || request.runtime.signal?.aborted) throw error;
      return new ToolMessage({ content: String(error), tool_call_id: request.toolCall.id!, status: 'error' });
    }
  },
});

function handlersOf(tools: readonly PlainTool[]) {
  return Object.fromEntries(
    tools.map(({ name, execute }) => [
      name,
      (args: object, { signal }: { signal: AbortSignal }) => execute(args, signal),
    ]),
  );
}

/** What a program with a loop of its own says to Interlock besides its tools. */
async function said({ session }: Play, text: string): Promise<Outcome> {
  try {
    await session.output(text);
    return { text };
  } catch (error) {
    if ((error as { code?: string }).code !== 'step-denied') throw error;
    return { text: 'withheld' };
  }
}

/** A loop of the program's own: on a hold it keeps its messages, and asks again for the same calls. */
async function loop<Reply>(
  play: Play,
  ask: () => Promise<Reply>,
  answer: (reply: Reply) => Promise<string | null>,
): Promise<Outcome> {
  let reply: Reply | null = null;
  const go = async (): Promise<Outcome> => {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      reply ??= await ask();
      try {
        const text = await answer(reply);
        if (text !== null) return said(play, text);
      } catch (error) {
        if (error instanceof StepHeld) return { text: '', resume: go };
        throw error;
      }
      reply = null;
    }
    throw new Error('no end');
  };
  await play.session.input(play.user);
  return go();
}

const anthropicLoop: Rig = {
  name: 'anthropic',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play) {
    const { session, model, tools, options, user, stream, signal } = play;
    const client = new Anthropic({ baseURL: model, apiKey: 'k', maxRetries: 0 });
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: user }];
    const definitions = tools.map(({ name, parameters }) => ({ name, input_schema: parameters as never }));
    const body = { model: MODEL, max_tokens: 100, messages, tools: definitions };
    const ask = () =>
      stream
        ? client.messages.stream(body, { signal }).finalMessage()
        : client.messages.create(body, { signal });
    return loop(play, ask, async (reply) => {
      const results = await anthropic.runToolUses(session, reply, handlersOf(tools), { ...options, signal });
      if (results.length === 0)
        return reply.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results });
      return null;
    });
  },
};

const openaiChat: Rig = {
  name: 'openai (Chat Completions)',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play) {
    const { session, model, tools, options, user, stream, signal } = play;
    const client = new OpenAI({ baseURL: `${model}/v1`, apiKey: 'k', maxRetries: 0 });
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: user }];
    const definitions = tools.map(({ name, parameters }) => ({
      type: 'function' as const,
      function: { name, parameters: parameters as never },
    }));
    const body = { model: MODEL, messages, tools: definitions };
    const ask = () =>
      stream
        ? client.chat.completions.stream(body, { signal }).finalChatCompletion()
        : client.chat.completions.create(body, { signal });
    return loop(play, ask, async (reply) => {
      const { message } = reply.choices[0]!;
      const results = await openai.runToolCalls(session, message, handlersOf(tools), { ...options, signal });
      if (results.length === 0) return message.content ?? '';
      messages.push(message, ...results);
      return null;
    });
  },
};

const openaiResponses: Rig = {
  name: 'openai (Responses)',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play) {
    const { session, model, tools, options, user, stream, signal } = play;
    const client = new OpenAI({ baseURL: `${model}/v1`, apiKey: 'k', maxRetries: 0 });
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: user }];
    const definitions = tools.map(({ name, parameters }) => ({
      type: 'function' as const,
      strict: false,
      name,
      parameters: parameters as never,
    }));
    const body = { model: MODEL, input, tools: definitions };
    const ask = () =>
      stream
        ? client.responses.stream(body, { signal }).finalResponse()
        : client.responses.create(body, { signal });
    return loop(play, ask, async (reply) => {
      const results = await openai.runFunctionCalls(session, reply, handlersOf(tools), {
        ...options,
        signal,
      });
      if (results.length === 0) return reply.output_text;
      input.push(...(reply.output as never[]), ...results);
      return null;
    });
  },
};

const mastraAgent: Rig = {
  name: 'mastra',
  streams: true,
  cannot: {
    'hand-off in one session': 'networks of agents call agents as tools, which are guarded as tools',
  },
  async run({ session, model, tools, options, user, stream, signal }) {
    const provider = createOpenAI({ baseURL: `${model}/v1`, apiKey: 'k' });
    const set = Object.fromEntries(
      tools.map(({ name, parameters, execute }) => [
        name,
        createTool({
          id: name,
          description: name,
          inputSchema: parameters as never,
          execute: (args, { abortSignal }) => execute(args as object, abortSignal),
        }),
      ]),
    );
    const agent = new MastraAgent({
      id: 'desk',
      name: 'desk',
      instructions: '',
      maxRetries: 0,
      model: wrapLanguageModel({
        model: provider.chat(MODEL),
        middleware: aiSdk.interlockMiddleware(session),
      }) as never,
      tools: mastra.guardTools(session, set, options),
    });
    new Mastra({ agents: { desk: agent }, storage: new InMemoryStore(), logger: false });
    const settings = { maxSteps: TURNS_MAX, abortSignal: signal };
    const outcomeOf = async (result: Awaited<ReturnType<typeof agent.generate>>): Promise<Outcome> => {
      signal.throwIfAborted();
      if (result.error) throw result.error;
      if (result.finishReason !== 'suspended') return { text: result.text };
      const resume = { ...settings, runId: result.runId! };
      return {
        text: '',
        resume: async () => outcomeOf((await agent.resumeGenerate({}, resume)) as typeof result),
      };
    };
    if (!stream) return outcomeOf(await agent.generate(user, settings));
    const streamed = await agent.stream(user, settings);
    let text = '';
    for await (const part of streamed.fullStream) {
      if (part.type === 'text-delta') text += part.payload.text;
      if (part.type === 'error') throw part.payload.error;
    }
    return { text };
  },
};

export const RIGS: readonly Rig[] = [
  vercel,
  agents,
  chain,
  mastraAgent,
  anthropicLoop,
  openaiChat,
  openaiResponses,
];
