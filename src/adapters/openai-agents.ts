// OpenAI Agents SDK: an agent whose function tools, agents as tools and hand-offs are decided before they run, with guardrails
// for what is said. Public as `interlock/openai-agents`. With `onHold: 'suspend'` a held call becomes an interruption of the run.
import {
  Agent,
  type AgentOutputType,
  type FunctionTool,
  getCurrentSpan,
  type Handoff,
  handoff,
  type InputGuardrail,
  type Model,
  type OutputGuardrail,
  type Tool,
} from '@openai/agents';
import { type Session, StepDenied, ToolTimeout } from '../sdk/index.ts';
import { decidedAhead } from './ahead.ts';
import { dialogueOf } from './dialogue.ts';
import { type AdapterOptions, argsOf, toolRunner } from './run-tool.ts';

export type { AdapterOptions } from './run-tool.ts';

/**
 * The same agent under guard, and every agent it can hand over to: their sessions are one. Hosted tools run at the provider and
 * cannot be decided here. A refused hand-off ends the run with `StepDenied`. Requests are decided where the agent has its model as an
 * object (`guardModel` gives it a name); a model that is only named is made by the SDK, out of reach.
 */
export function guardAgent<C, O extends AgentOutputType>(
  session: Session,
  agent: Agent<C, O>,
  options: AdapterOptions = {},
): Agent<C, O> {
  const known = new Map<unknown, Agent<C, O>>();
  const [input, output] = guardrails(session);

  function guarded(plain: Agent<C, O>): Agent<C, O> {
    const before = known.get(plain);
    if (before !== undefined) return before;
    const { model } = plain;
    const copy = plain.clone({
      ...(typeof model === 'string' ? {} : { model: guardModel(session, model) }),
      tools: guardTools(session, plain.tools as Tool<C>[], options),
      // The session hears the user once, from whichever agent the run begins with.
      inputGuardrails: [input, ...plain.inputGuardrails],
      outputGuardrails: [output as OutputGuardrail<O, C>, ...plain.outputGuardrails],
    }) as Agent<C, O>;
    known.set(plain, copy);
    copy.handoffs = plain.handoffs.map((target) => handedOver(target as Agent<C, O> | Handoff<C, O>));
    return copy;
  }

  function handedOver(target: Agent<C, O> | Handoff<C, O>): Handoff<C, O> {
    const plain = target instanceof Agent ? (handoff(target) as unknown as Handoff<C, O>) : target;
    const { onInvokeHandoff, agentName } = plain;
    const copy = plain.clone({
      async onInvokeHandoff(context, args) {
        await session.handoff(agentName, argsOf(args));
        return guarded((await onInvokeHandoff(context, args)) as Agent<C, O>);
      },
    });
    copy.toolName = plain.toolName;
    return copy;
  }

  return guarded(agent);
}

const guardedModels = new WeakSet<Model>();

/** The same model, each request decided before it is sent, and what it took recorded. `name` is what rules call it. */
export function guardModel(session: Session, model: Model, name = 'unnamed'): Model {
  if (guardedModels.has(model)) return model;
  const dialogue = dialogueOf(session);
  const guarded: Model = {
    ...(model.supportsPromptModelSelection === undefined
      ? {}
      : { supportsPromptModelSelection: model.supportsPromptModelSelection }),
    ...(model.getRetryAdvice === undefined ? {} : { getRetryAdvice: (args) => model.getRetryAdvice?.(args) }),
    async getResponse(request) {
      await dialogue.asks(name, []);
      const response = await model.getResponse(request);
      await dialogue.took(name, response.usage);
      return response;
    },
    async *getStreamedResponse(request) {
      await dialogue.asks(name, []);
      for await (const event of model.getStreamedResponse(request)) {
        if (event.type === 'response_done') await dialogue.took(name, event.response.usage);
        yield event;
      }
    },
  };
  guardedModels.add(guarded);
  return guarded;
}

/** Function tools under guard; others as they are. */
export function guardTools<C>(
  session: Session,
  tools: readonly Tool<C>[],
  options: AdapterOptions = {},
): Tool<C>[] {
  const ahead = decidedAhead(toolRunner(session, options));
  return tools.map((tool) => (tool.type === 'function' ? guardTool(tool, ahead, options) : tool));
}

// biome-ignore lint/suspicious/noExplicitAny: the SDK's own type of a tool with any parameters
type AnyFunctionTool<C> = FunctionTool<C, any, any>;

function guardTool<C>(
  tool: AnyFunctionTool<C>,
  ahead: ReturnType<typeof decidedAhead>,
  options: AdapterOptions,
): AnyFunctionTool<C> {
  const { name } = tool;
  return {
    ...tool,
    invoke: (context, input, details) =>
      ahead
        .run({
          name,
          args: argsOf(input),
          callId: details?.toolCall?.callId,
          signal: details?.signal,
          async execute(args, signal) {
            const output = await tool.invoke(context, JSON.stringify(args), { ...details, signal });
            // The SDK makes an error into what the model reads; that it was one stands in the tool's span alone.
            const failure = getCurrentSpan()?.error;
            if (failure !== null && failure !== undefined) throw new FailedTool(failure.message, output);
            return output;
          },
        })
        .catch((error: unknown) => {
          if (error instanceof FailedTool) return error.output;
          if (error instanceof ToolTimeout) return `Error: ${error.message}`;
          throw error;
        }),
    async needsApproval(context, input, callId) {
      // The program's own question first: what a person refuses there is never proposed.
      if (await tool.needsApproval(context, input, callId)) return true;
      if (options.onHold !== 'suspend') return false;
      return ahead.isHeld({ name, args: input as object, callId, signal: undefined });
    },
  };
}

/** What a failing tool told the model, so that the call is recorded as failed. */
class FailedTool extends Error {
  readonly output: unknown;
  constructor(message: string, output: unknown) {
    super(message);
    this.name = 'ToolError';
    this.output = output;
  }
}

/** What the user says is recorded before the model reads it; what the agent answers is decided before the run ends with it. */
function guardrails(session: Session): [InputGuardrail, OutputGuardrail] {
  return [
    {
      name: 'interlock',
      runInParallel: false,
      async execute({ input }) {
        for (const text of userTexts(input)) {
          const denied = await denialOf(() => session.input(text));
          if (denied !== null) return { tripwireTriggered: true, outputInfo: denied };
        }
        return { tripwireTriggered: false, outputInfo: null };
      },
    },
    {
      name: 'interlock',
      async execute({ agentOutput }) {
        const text = typeof agentOutput === 'string' ? agentOutput : JSON.stringify(agentOutput);
        const denied = await denialOf(() => session.output(text));
        return { tripwireTriggered: denied !== null, outputInfo: denied };
      },
    },
  ];
}

async function denialOf(work: () => Promise<unknown>): Promise<StepDenied | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof StepDenied) return error;
    throw error;
  }
}

/** The user's words after anybody else's. */
function userTexts(input: Parameters<InputGuardrail['execute']>[0]['input']): string[] {
  if (typeof input === 'string') return [input];
  const texts: string[] = [];
  for (const item of input.toReversed()) {
    if (!('role' in item) || item.role !== 'user') break;
    const { content } = item;
    const parts =
      typeof content === 'string' ? [content] : content.map((part) => ('text' in part ? part.text : ''));
    texts.unshift(parts.join('\n'));
  }
  return texts;
}
