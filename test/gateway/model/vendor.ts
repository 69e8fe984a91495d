// What the vendors' servers say besides answers: errors in their own shape, response headers, and the small endpoints
// (models, embeddings, counting). Unknown addresses get the vendor's 404.
import type { Answer, StreamEvent } from './answer.ts';
import type { Incoming, Vendor } from './incoming.ts';

interface Reason {
  readonly openai: { readonly type: string; readonly code: string | null };
  readonly anthropic: string;
  readonly gemini: string;
  readonly message: string;
}

const REASONS: Readonly<Record<number, Reason>> = {
  400: reason('invalid_request_error', null, 'invalid_request_error', 'INVALID_ARGUMENT', 'Invalid request.'),
  401: reason(
    'invalid_request_error',
    'invalid_api_key',
    'authentication_error',
    'UNAUTHENTICATED',
    'Incorrect API key provided.',
  ),
  404: reason('invalid_request_error', 'not_found', 'not_found_error', 'NOT_FOUND', 'Not found.'),
  429: reason(
    'requests',
    'rate_limit_exceeded',
    'rate_limit_error',
    'RESOURCE_EXHAUSTED',
    'Rate limit reached.',
  ),
  500: reason(
    'server_error',
    null,
    'api_error',
    'INTERNAL',
    'The server had an error while processing your request.',
  ),
  503: reason('server_error', null, 'overloaded_error', 'UNAVAILABLE', 'The model is overloaded.'),
  529: reason('server_error', null, 'overloaded_error', 'UNAVAILABLE', 'Overloaded'),
};

function reason(
  type: string,
  code: string | null,
  anthropic: string,
  gemini: string,
  message: string,
): Reason {
  return { openai: { type, code }, anthropic, gemini, message };
}

export function errorAnswer(vendor: Vendor, status: number): Answer {
  return { kind: 'body', status, body: errorBody(vendor, status) };
}

function errorBody(vendor: Vendor, status: number): object {
  const { openai, anthropic, gemini, message } = REASONS[status] ?? REASONS[500]!;
  switch (vendor) {
    case 'openai':
      return { error: { message, type: openai.type, param: null, code: openai.code } };
    case 'anthropic':
      return { type: 'error', error: { type: anthropic, message }, request_id: 'req_scripted' };
    case 'gemini':
      return { error: { code: status, message, status: gemini } };
  }
}

/** An error after the head said 200: each protocol has its own way. */
export function errorEvent({ protocol, vendor }: Incoming): StreamEvent {
  if (protocol === 'anthropic') {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    return { event: 'error', data: { type: 'error', error, request_id: 'req_scripted' } };
  }
  if (protocol === 'openai-responses') {
    const { message } = REASONS[500]!;
    return {
      event: 'error',
      data: { type: 'error', code: 'server_error', message, param: null, sequence_number: 2 },
    };
  }
  return { data: errorBody(vendor, 503) };
}

export function headersOf({ vendor, number }: Incoming): Readonly<Record<string, string>> {
  const id = `req_${String(number).padStart(8, '0')}`;
  switch (vendor) {
    case 'openai':
      return {
        'x-request-id': id,
        'openai-processing-ms': '1',
        'openai-version': '2020-10-01',
        'x-ratelimit-remaining-requests': '9999',
      };
    case 'anthropic':
      return { 'request-id': id, 'anthropic-ratelimit-requests-remaining': '9999' };
    case 'gemini':
      return { vary: 'Origin, X-Origin, Referer', 'server-timing': 'gfet4t7; dur=1' };
  }
}

/** Whether the request shows this key in its vendor's way. */
export function hasKey({ vendor, headers, query }: Incoming, key: string): boolean {
  const bearer = headers.authorization === `Bearer ${key}`;
  if (vendor === 'anthropic') return headers['x-api-key'] === key || bearer;
  if (vendor === 'gemini') return headers['x-goog-api-key'] === key || query.get('key') === key || bearer;
  return bearer;
}

const MODELS = ['scripted-model', 'scripted-model-mini'];
const DIMENSIONS = 8;

/** Everything that is not a question to a model. */
export function otherAnswer(incoming: Incoming): Answer {
  const { method, path, vendor } = incoming;
  const ok = (body: object): Answer => ({ kind: 'body', status: 200, body });
  if (method === 'GET' && path.endsWith('/models')) return ok(models(vendor));
  if (method === 'POST' && path.endsWith('/embeddings')) return ok(embeddings(incoming));
  if (path.endsWith('/messages/count_tokens')) return ok({ input_tokens: tokensOf(incoming) });
  if (path.endsWith(':countTokens')) return ok({ totalTokens: tokensOf(incoming) });
  if (path.endsWith(':embedContent')) return ok({ embedding: { values: vector(0) } });
  return errorAnswer(vendor, 404);
}

function models(vendor: Vendor): object {
  switch (vendor) {
    case 'openai':
      return {
        object: 'list',
        data: MODELS.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'system' })),
      };
    case 'anthropic':
      return {
        data: MODELS.map((id) => ({
          type: 'model',
          id,
          display_name: id,
          created_at: '2025-01-01T00:00:00Z',
        })),
        has_more: false,
        first_id: MODELS[0],
        last_id: MODELS.at(-1),
      };
    case 'gemini':
      return {
        models: MODELS.map((id) => ({
          name: `models/${id}`,
          version: '001',
          displayName: id,
          supportedGenerationMethods: ['generateContent', 'countTokens'],
        })),
      };
  }
}

/** The OpenAI client asks for base64 unless told otherwise: little-endian 32-bit floats. */
function embeddings({ body, model }: Incoming): object {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const data = inputs.map((_, index) => {
    const values = vector(index);
    const embedding =
      body.encoding_format === 'base64'
        ? Buffer.from(new Float32Array(values).buffer).toString('base64')
        : values;
    return { object: 'embedding', index, embedding };
  });
  return { object: 'list', data, model, usage: { prompt_tokens: 8, total_tokens: 8 } };
}

function vector(n: number): number[] {
  return Array.from({ length: DIMENSIONS }, (_, d) => (n + d) / 16);
}

/** About four bytes a token; what the vendors say too when they are asked for a rule of thumb. */
export function tokensOf({ bodyBytes }: Incoming): number {
  return Math.ceil(bodyBytes / 4);
}
