// Vercel AI SDK, versions 4 to 6 (ai.* attributes) and 7 (gen_ai.* from @ai-sdk/otel, read by the same rows).
// The outer span repeats the usage of the inner ones: only `do*` spans are model acts, so tokens are counted once.
import { OTEL_GENAI } from './otel-genai.ts';
import type { Dialect } from './types.ts';

const GENAI = OTEL_GENAI.fields;

export const VERCEL_AI = {
  name: 'vercel-ai',
  recognise: { scopes: ['ai', '@ai-sdk/otel'], attributes: ['ai.operationId'] },
  acts: [
    {
      by: 'value',
      attribute: 'ai.operationId',
      acts: {
        'ai.generateText': 'agent',
        'ai.streamText': 'agent',
        'ai.generateObject': 'agent',
        'ai.streamObject': 'agent',
        'ai.generateText.doGenerate': 'model',
        'ai.streamText.doStream': 'model',
        'ai.generateObject.doGenerate': 'model',
        'ai.streamObject.doStream': 'model',
        'ai.embed': null,
        'ai.embedMany': null,
        'ai.embed.doEmbed': 'model',
        'ai.embedMany.doEmbed': 'model',
        'ai.toolCall': 'tool',
      },
    },
    ...OTEL_GENAI.acts,
  ],
  fields: {
    ...GENAI,
    'agent.name': ['ai.telemetry.functionId', ...GENAI['agent.name']],
    'agent.input': ['ai.prompt', 'ai.prompt.messages', ...GENAI['agent.input'], 'input.value'],
    'agent.output': [
      'ai.response.text',
      'ai.response.object',
      'ai.result.text',
      'ai.result.object',
      ...GENAI['agent.output'],
      'output.value',
    ],
    'tool.name': ['ai.toolCall.name', ...GENAI['tool.name']],
    'tool.callId': ['ai.toolCall.id', ...GENAI['tool.callId']],
    'tool.args': ['ai.toolCall.args', 'ai.toolCall.input', ...GENAI['tool.args'], 'input.value'],
    'tool.result': ['ai.toolCall.result', 'ai.toolCall.output', ...GENAI['tool.result'], 'output.value'],
    'model.requested': ['ai.model.id', ...GENAI['model.requested']],
    'model.served': ['ai.response.model', ...GENAI['model.served']],
    'model.input': [
      'ai.prompt.messages',
      'ai.prompt',
      'ai.value',
      'ai.values',
      ...GENAI['model.input'],
      'input.value',
    ],
    'model.output': [
      'ai.response.{text,reasoning,toolCalls,object,files}',
      'ai.result.{text,toolCalls,object}',
      ...GENAI['model.output'],
      'output.value',
    ],
    'model.tools': ['ai.prompt.tools', ...GENAI['model.tools']],
    'model.parameters': ['gen_ai.request.*', 'ai.settings.*'],
    'usage.input': [
      'ai.usage.inputTokens',
      'ai.usage.promptTokens',
      'ai.usage.tokens',
      ...GENAI['usage.input'],
    ],
    'usage.cacheRead': [
      'ai.usage.inputTokenDetails.cacheReadTokens',
      'ai.usage.cachedInputTokens',
      ...GENAI['usage.cacheRead'],
    ],
    'usage.cacheWrite': ['ai.usage.inputTokenDetails.cacheWriteTokens', ...GENAI['usage.cacheWrite']],
    'usage.output': ['ai.usage.outputTokens', 'ai.usage.completionTokens', ...GENAI['usage.output']],
    'usage.reasoning': [
      'ai.usage.outputTokenDetails.reasoningTokens',
      'ai.usage.reasoningTokens',
      ...GENAI['usage.reasoning'],
    ],
  },
  detailEvents: OTEL_GENAI.detailEvents,
  messageEvents: OTEL_GENAI.messageEvents,
  messageEventLists: [],
  // Up to version 5 Anthropic's own count was passed on, which leaves cached tokens out; 6 made all providers alike and
  // is told by its token details.
  usage: {
    inputHasCache: true,
    outputHasReasoning: true,
    cacheApartWhen: {
      attribute: 'ai.model.provider',
      prefix: 'anthropic',
      unless: 'ai.usage.inputTokenDetails.cacheReadTokens',
    },
  },
} as const satisfies Dialect;
