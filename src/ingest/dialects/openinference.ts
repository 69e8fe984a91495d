// OpenInference (Arize; spec/semantic_conventions.md): messages flattened to indexed keys, a kind on every span.
// Instrumentations such as that of Google ADK add to spans that carry GenAI attributes already: those are read after.
import { OTEL_GENAI } from './otel-genai.ts';
import type { Dialect } from './types.ts';

const GENAI = OTEL_GENAI.fields;

export const OPENINFERENCE = {
  name: 'openinference',
  recognise: { scopes: ['openinference.*'], attributes: ['openinference.span.kind'] },
  acts: [
    {
      by: 'value',
      attribute: 'openinference.span.kind',
      acts: {
        LLM: 'model',
        EMBEDDING: 'model',
        TOOL: 'tool',
        AGENT: 'agent',
        RETRIEVER: 'retrieval',
        CHAIN: null,
        RERANKER: null,
        GUARDRAIL: null,
        EVALUATOR: null,
        PROMPT: null,
      },
    },
    ...OTEL_GENAI.acts,
  ],
  fields: {
    ...GENAI,
    'agent.name': ['agent.name', ...GENAI['agent.name']],
    'agent.spanName': ['graph.node.id', ...GENAI['agent.spanName']],
    'agent.input': ['input.value', ...GENAI['agent.input']],
    'agent.output': ['output.value', ...GENAI['agent.output']],
    'tool.name': ['tool.name', ...GENAI['tool.name'], 'name:*'],
    'tool.callId': ['tool.id', 'tool_call.id', ...GENAI['tool.callId']],
    // `tool.parameters` is the call's arguments in some writers and the tool's schema in others: the input is neither.
    'tool.args': [...GENAI['tool.args'], 'input.value', 'tool.parameters'],
    'tool.result': [...GENAI['tool.result'], 'output.value'],
    'model.requested': [
      'llm.request.model_name',
      'llm.model_name',
      'embedding.model_name',
      ...GENAI['model.requested'],
    ],
    'model.served': ['llm.response.model_name', ...GENAI['model.served']],
    'model.input': ['llm.input_messages.*', ...GENAI['model.input'], 'embedding.embeddings.*', 'input.value'],
    'model.output': ['llm.output_messages.*', ...GENAI['model.output'], 'output.value'],
    'model.tools': ['llm.tools.*', ...GENAI['model.tools']],
    'model.parameters': ['llm.invocation_parameters', ...GENAI['model.parameters']],
    'retrieval.name': ['retriever.name', ...GENAI['retrieval.name'], 'name:*'],
    'retrieval.query': ['input.value', ...GENAI['retrieval.query']],
    'retrieval.documents': ['retrieval.documents.*', ...GENAI['retrieval.documents'], 'output.value'],
    'usage.input': ['llm.token_count.prompt', ...GENAI['usage.input']],
    'usage.cacheRead': ['llm.token_count.prompt_details.cache_read', ...GENAI['usage.cacheRead']],
    'usage.cacheWrite': ['llm.token_count.prompt_details.cache_write', ...GENAI['usage.cacheWrite']],
    'usage.output': ['llm.token_count.completion', ...GENAI['usage.output']],
    'usage.reasoning': ['llm.token_count.completion_details.reasoning', ...GENAI['usage.reasoning']],
  },
  detailEvents: OTEL_GENAI.detailEvents,
  messageEvents: OTEL_GENAI.messageEvents,
  messageEventLists: [],
  // `prompt_details` and `completion_details` break the counts down: they are parts of them.
  usage: { inputHasCache: true, outputHasReasoning: true },
} as const satisfies Dialect;
