// Pydantic AI and Logfire: GenAI attributes on chat spans, own ones on agent runs and tools, in all instrumentation
// versions (1: an `events` attribute; 2: messages as attributes; 3: the GenAI names for tools and agents).
import { OTEL_GENAI } from './otel-genai.ts';
import type { Dialect } from './types.ts';

const GENAI = OTEL_GENAI.fields;

export const PYDANTIC_AI = {
  name: 'pydantic-ai',
  recognise: {
    scopes: ['pydantic-ai', 'pydantic_ai*'],
    attributes: ['pydantic_ai.*', 'model_request_parameters', 'tool_arguments', 'all_messages_events'],
  },
  acts: [
    { by: 'name', prefix: 'running tool: ', act: 'tool' },
    // An agent run repeats the sum of its chats' usage; it is told by its history, whatever else it carries.
    { by: 'presence', attribute: 'pydantic_ai.all_messages', act: 'agent' },
    { by: 'presence', attribute: 'all_messages_events', act: 'agent' },
    { by: 'presence', attribute: 'final_result', act: 'agent' },
    { by: 'presence', attribute: 'tool_arguments', act: 'tool' },
    ...OTEL_GENAI.acts,
    { by: 'presence', attribute: 'agent_name', act: 'agent' },
  ],
  fields: {
    ...GENAI,
    'agent.name': ['gen_ai.agent.name', 'agent_name'],
    'agent.spanName': ['name:invoke_agent *', 'name:* run'],
    'agent.input': ['pydantic_ai.all_messages', 'all_messages_events', ...GENAI['agent.input']],
    'agent.output': ['final_result', ...GENAI['agent.output']],
    'tool.name': [...GENAI['tool.name'], 'name:running tool: *'],
    'tool.args': ['tool_arguments', ...GENAI['tool.args'], 'input.value'],
    'tool.result': ['tool_response', ...GENAI['tool.result'], 'output.value'],
    'model.requested': [...GENAI['model.requested'], 'model_name'],
    'model.input': [...GENAI['model.input'], 'input.value'],
    'model.output': [...GENAI['model.output'], 'output.value'],
    'model.tools': ['model_request_parameters#function_tools', ...GENAI['model.tools']],
  },
  detailEvents: OTEL_GENAI.detailEvents,
  messageEvents: OTEL_GENAI.messageEvents,
  messageEventLists: ['events'],
  // RequestUsage sums cached tokens into input_tokens for every provider.
  usage: { inputHasCache: true, outputHasReasoning: true },
} as const satisfies Dialect;
