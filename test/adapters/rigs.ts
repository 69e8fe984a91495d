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
  RunState,
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
  async run({ session, model, tools, options, user, stream, signal }, saved) {
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
      return { text: '', saved: [...messages, ...said, approvals] };
    };
    return go((saved as ModelMessage[] | undefined) ?? [{ role: 'user', content: user }]);
  },
};

const agents: Rig = {
  name: 'openai-agents',
  streams: true,
  cannot: {},
  async run({ session, model, tools, options, user, stream, signal, handOver }, saved) {
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
      return { text: '', saved: result.state.toString() };
    };
    if (saved === undefined) return go(user);
    const state = await RunState.fromString(agent, saved as string);
    for (const item of state.getInterruptions()) state.approve(item);
    return go(state as never);
  },
};

const chain: Rig = {
  name: 'langchain',
  streams: true,
  cannot: {
    'hand-off in one session':
      'a hand-off is an edge of the graph: propose it in the node with session.handoff',
  },
  async run({ session, model, tools, options, user, stream, signal }, saved) {
    const checkpointer = new MemorySaver();
    if (saved !== undefined) Object.assign(checkpointer, withBytes(saved as string));
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
      checkpointer,
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
        if (heldBy(error)) return { text: '', saved: withoutBytes(checkpointer) };
        throw error;
      }
    };
    return go(saved === undefined ? { messages: [{ role: 'user', content: user }] } : null);
  },
};

/** What a checkpointer on a disk or in a database keeps: here as text. */
function withoutBytes({ storage, writes }: MemorySaver): string {
  return JSON.stringify({ storage, writes }, (_, value) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
  );
}

function withBytes(text: string): Pick<MemorySaver, 'storage' | 'writes'> {
  return JSON.parse(text, (_, value) =>
    typeof value?.base64 === 'string' ? new Uint8Array(Buffer.from(value.base64, 'base64')) : value,
  );
}

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

interface Saved<Message, Reply> {
  readonly messages: Message[];
  readonly reply: Reply;
}

/** A loop of the program's own: on a hold it keeps its messages and the reply, and goes on with the same calls. */
async function loop<Message, Reply extends object>(
  play: Play,
  saved: unknown,
  {
    ask,
    answer,
  }: {
    readonly ask: (messages: Message[]) => Promise<Reply>;
    /** Adds to the messages; text when the agent is done. */
    readonly answer: (reply: Reply, messages: Message[]) => Promise<string | null>;
  },
): Promise<Outcome> {
  const kept = saved as Saved<Message, Reply> | undefined;
  const messages = kept?.messages ?? [{ role: 'user', content: play.user } as Message];
  let reply: Reply | null = kept?.reply ?? null;
  if (kept === undefined) await play.session.input(play.user);
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    reply ??= await ask(messages);
    try {
      const text = await answer(reply, messages);
      if (text !== null) return said(play, text);
    } catch (error) {
      if (error instanceof StepHeld) return { text: '', saved: { messages, reply } };
      throw error;
    }
    reply = null;
  }
  throw new Error('no end');
}

const anthropicLoop: Rig = {
  name: 'anthropic',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play, saved) {
    const { session, model, tools, options, stream, signal } = play;
    const client = new Anthropic({ baseURL: model, apiKey: 'k', maxRetries: 0 });
    const definitions = tools.map(({ name, parameters }) => ({ name, input_schema: parameters as never }));
    const ask = (messages: Anthropic.MessageParam[]) => {
      const body = { model: MODEL, max_tokens: 100, messages, tools: definitions };
      return stream
        ? client.messages.stream(body, { signal }).finalMessage()
        : client.messages.create(body, { signal });
    };
    const answer = async (reply: Anthropic.Message, messages: Anthropic.MessageParam[]) => {
      const results = await anthropic.runToolUses(session, reply, handlersOf(tools), { ...options, signal });
      if (results.length === 0)
        return reply.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results });
      return null;
    };
    return loop(play, saved, { ask, answer });
  },
};

const openaiChat: Rig = {
  name: 'openai (Chat Completions)',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play, saved) {
    const { session, model, tools, options, stream, signal } = play;
    const client = new OpenAI({ baseURL: `${model}/v1`, apiKey: 'k', maxRetries: 0 });
    const definitions = tools.map(({ name, parameters }) => ({
      type: 'function' as const,
      function: { name, parameters: parameters as never },
    }));
    const ask = (messages: OpenAI.ChatCompletionMessageParam[]) => {
      const body = { model: MODEL, messages, tools: definitions };
      return stream
        ? client.chat.completions.stream(body, { signal }).finalChatCompletion()
        : client.chat.completions.create(body, { signal });
    };
    const answer = async (reply: OpenAI.ChatCompletion, messages: OpenAI.ChatCompletionMessageParam[]) => {
      const { message } = reply.choices[0]!;
      const results = await openai.runToolCalls(session, message, handlersOf(tools), { ...options, signal });
      if (results.length === 0) return message.content ?? '';
      messages.push(message, ...results);
      return null;
    };
    return loop(play, saved, { ask, answer });
  },
};

const openaiResponses: Rig = {
  name: 'openai (Responses)',
  streams: true,
  cannot: { 'hand-off in one session': NO_HANDOVER },
  async run(play, saved) {
    const { session, model, tools, options, stream, signal } = play;
    const client = new OpenAI({ baseURL: `${model}/v1`, apiKey: 'k', maxRetries: 0 });
    const definitions = tools.map(({ name, parameters }) => ({
      type: 'function' as const,
      strict: false,
      name,
      parameters: parameters as never,
    }));
    const ask = (input: OpenAI.Responses.ResponseInputItem[]) => {
      const body = { model: MODEL, input, tools: definitions };
      return stream
        ? client.responses.stream(body, { signal }).finalResponse()
        : client.responses.create(body, { signal });
    };
    const answer = async (reply: OpenAI.Responses.Response, input: OpenAI.Responses.ResponseInputItem[]) => {
      const results = await openai.runFunctionCalls(session, reply, handlersOf(tools), {
        ...options,
        signal,
      });
      if (results.length === 0) return reply.output_text;
      input.push(...(reply.output as never[]), ...results);
      return null;
    };
    return loop(play, saved, { ask, answer });
  },
};

type SavedRun = { workflowName: string; runId: string; snapshot: never };

const mastraAgent: Rig = {
  name: 'mastra',
  streams: true,
  cannot: {
    'hand-off in one session': 'networks of agents call agents as tools, which are guarded as tools',
  },
  async run({ session, model, tools, options, user, stream, signal }, saved) {
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
    const storage = new InMemoryStore();
    new Mastra({ agents: { desk: agent }, storage, logger: false });
    const workflows = (await storage.getStore('workflows'))!;
    const settings = { maxSteps: TURNS_MAX, abortSignal: signal };
    const outcomeOf = async (result: Awaited<ReturnType<typeof agent.generate>>): Promise<Outcome> => {
      signal.throwIfAborted();
      if (result.error) throw result.error;
      if (result.finishReason !== 'suspended') return { text: result.text };
      return { text: '', saved: { runId: result.runId!, ...(await workflows.listWorkflowRuns({})) } };
    };
    if (saved !== undefined) {
      const { runId, runs } = saved as { runId: string; runs: SavedRun[] };
      for (const run of runs) await workflows.persistWorkflowSnapshot(run);
      return outcomeOf((await agent.resumeGenerate({}, { ...settings, runId })) as never);
    }
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
