// Vercel AI SDK: tools that are decided before they run, and a middleware around the model for what is said. Public as
// `interlock/ai-sdk`. With `onHold: 'suspend'` a held call becomes the SDK's own tool approval request.
import type {
  LanguageModelV4Content,
  LanguageModelV4Middleware,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider';
import type { Tool, ToolSet } from 'ai';
import type { Session } from '../sdk/index.ts';
import { decidedAhead } from './ahead.ts';
import { type DialogueOptions, dialogueOf, type Message } from './dialogue.ts';
import { type AdapterOptions, toolRunner } from './run-tool.ts';

export type { AdapterOptions } from './run-tool.ts';

/** The same tools, each call decided before it runs. Tools without `execute` stay as they are: the program runs those itself. */
export function guardTools<T extends ToolSet>(session: Session, tools: T, options: AdapterOptions = {}): T {
  const ahead = decidedAhead(toolRunner(session, options));
  const guarded = Object.entries(tools).map(([name, tool]) => [
    name,
    guardTool(name, tool as Tool, ahead, options),
  ]);
  return Object.fromEntries(guarded) as T;
}

function guardTool(
  name: string,
  tool: Tool,
  ahead: ReturnType<typeof decidedAhead>,
  options: AdapterOptions,
): Tool {
  const { execute } = tool;
  if (execute === undefined) return tool;
  const run: NonNullable<Tool['execute']> = (input, context) => {
    const { toolCallId: callId, abortSignal: signal } = context;
    return ahead.run({
      name,
      args: input as object,
      callId,
      signal,
      execute: (args, abortSignal) => settled(execute(args, { ...context, abortSignal })),
    });
  };
  const guarded = { ...tool, execute: run } as Tool;
  if (options.onHold !== 'suspend') return guarded;
  return {
    ...guarded,
    needsApproval: (input: unknown, { toolCallId: callId }: { toolCallId: string }) =>
      ahead.isHeld({ name, args: input as object, callId, signal: undefined }),
  } as Tool;
}

/** A tool may give its result in steps; the last one is the result. */
async function settled(outcome: unknown): Promise<unknown> {
  const value = await outcome;
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return value;
  let last: unknown;
  for await (const part of value as AsyncIterable<unknown>) last = part;
  return last;
}

/** For `wrapLanguageModel`: records what the user says, decides each request and each reply. Text waits until it is decided. */
export function interlockMiddleware(
  session: Session,
  options: Pick<DialogueOptions, 'onDeny'> = {},
): LanguageModelV4Middleware {
  const dialogue = dialogueOf(session);
  return {
    specificationVersion: 'v4',
    async wrapGenerate({ doGenerate, params, model }) {
      await dialogue.asks(model.modelId, messagesOf(params.prompt));
      const result = await doGenerate();
      await dialogue.took(model.modelId, usageOf(result.usage));
      const content: LanguageModelV4Content[] = [];
      for (const part of result.content) {
        if (part.type !== 'text') content.push(part);
        else
          content.push({ ...part, text: await dialogue.says(part.text, said(options, params.abortSignal)) });
      }
      return { ...result, content };
    },
    async wrapStream({ doStream, params, model }) {
      await dialogue.asks(model.modelId, messagesOf(params.prompt));
      const result = await doStream();
      const texts = new Map<string, string>();
      const transform = new TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart>({
        async transform(part, controller) {
          switch (part.type) {
            case 'text-start':
              texts.set(part.id, '');
              break;
            case 'text-delta':
              texts.set(part.id, (texts.get(part.id) ?? '') + part.delta);
              return;
            case 'text-end': {
              const delta = await dialogue.says(texts.get(part.id) ?? '', said(options, params.abortSignal));
              texts.delete(part.id);
              if (delta !== '') controller.enqueue({ type: 'text-delta', id: part.id, delta });
              break;
            }
            case 'finish':
              await dialogue.took(model.modelId, usageOf(part.usage));
          }
          controller.enqueue(part);
        },
      });
      return { ...result, stream: result.stream.pipeThrough(transform) };
    },
  };
}

function said({ onDeny }: Pick<DialogueOptions, 'onDeny'>, signal: AbortSignal | undefined): DialogueOptions {
  return { ...(onDeny === undefined ? {} : { onDeny }), signal };
}

function messagesOf(prompt: LanguageModelV4Prompt): Message[] {
  return prompt.map(({ role, content }) => {
    if (role === 'system') return { role, text: content };
    const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    return { role: role === 'user' ? role : 'other', text };
  });
}

function usageOf(usage: {
  inputTokens: { total: number | undefined };
  outputTokens: { total: number | undefined };
}) {
  return { inputTokens: usage.inputTokens.total, outputTokens: usage.outputTokens.total };
}
