// A server with every feature that the official conformance suite asks of one, on the official SDK: sessions and streams
// that resume for clients through 2025-11-25, single requests for those since. Prints its address and serves until killed.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import {
  acceptedContent,
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  isLegacyRequest,
  McpServer,
  ResourceTemplate,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SOUND = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const states = createRequestStateCodec({
  key: new TextEncoder().encode('a key of thirty-two bytes or more'),
});

const text = (value) => ({ content: [{ type: 'text', text: value }] });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const object = (properties = {}, required = []) => ({ type: 'object', properties, required });
const NOTHING = object();
const said = (message, properties, required = Object.keys(properties)) => ({
  message,
  requestedSchema: object(properties, required),
});
const sampled = (prompt) => ({
  messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
  maxTokens: 100,
});
const answeredText = (responses, key) => {
  const content = responses?.[key]?.content;
  return (Array.isArray(content) ? content[0] : content)?.text;
};

/** @type {Record<string, { schema?: object, run: (args: any, ctx: any, server: McpServer) => any }>} */
const TOOLS = {
  test_simple_text: { run: () => text('This is a simple text response for testing.') },
  test_image_content: { run: () => ({ content: [{ type: 'image', data: PIXEL, mimeType: 'image/png' }] }) },
  test_audio_content: { run: () => ({ content: [{ type: 'audio', data: SOUND, mimeType: 'audio/wav' }] }) },
  test_embedded_resource: {
    run: () => ({
      content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
    }),
  },
  test_multiple_content_types: {
    run: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PIXEL, mimeType: 'image/png' },
        embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      ],
    }),
  },
  test_tool_with_logging: {
    async run(_, { mcpReq }) {
      for (const step of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await mcpReq.log('info', step);
        await pause(50);
      }
      return text('Tool with logging executed successfully');
    },
  },
  test_logging_tool: {
    async run(_, { mcpReq }) {
      await mcpReq.log('info', 'a log line');
      return text('logged');
    },
  },
  test_error_handling: {
    run: () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }),
  },
  test_tool_with_progress: {
    async run(_, { mcpReq }) {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 100 },
          });
        await pause(50);
      }
      return text('Progress reported');
    },
  },
  test_reconnection: {
    async run(_, { http }) {
      http?.closeSSE?.();
      await pause(100);
      return text('Reconnection test completed successfully');
    },
  },
  test_sampling: {
    schema: object({ prompt: { type: 'string' } }, ['prompt']),
    async run({ prompt }, { mcpReq }) {
      const { content } = await mcpReq.requestSampling(sampled(prompt));
      return text(`LLM response: ${(Array.isArray(content) ? content[0] : content)?.text}`);
    },
  },
  test_elicitation: {
    schema: object({ message: { type: 'string' } }, ['message']),
    run: ({ message }, ctx) =>
      elicited(ctx, said(message, { response: { type: 'string' } }), 'User response'),
  },
  test_elicitation_sep1034_defaults: {
    run: (_, ctx) =>
      elicited(
        ctx,
        said(
          'Please review the defaults',
          {
            name: { type: 'string', default: 'John Doe' },
            age: { type: 'integer', default: 30 },
            score: { type: 'number', default: 95.5 },
            status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
            verified: { type: 'boolean', default: true },
          },
          [],
        ),
      ),
  },
  test_elicitation_sep1330_enums: {
    run: (_, ctx) => {
      const options = ['option1', 'option2', 'option3'];
      const titled = [1, 2, 3].map((n) => ({ const: `value${n}`, title: `Choice ${n}` }));
      return elicited(
        ctx,
        said(
          'Please choose',
          {
            untitledSingle: { type: 'string', enum: options },
            titledSingle: { type: 'string', oneOf: titled },
            legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['Option One', 'Option Two'] },
            untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
            titledMulti: { type: 'array', items: { anyOf: titled } },
          },
          [],
        ),
      );
    },
  },
  json_schema_2020_12_tool: {
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: () => text('fits'),
  },
  test_mirrored_arguments: {
    schema: object({
      region: { type: 'string', 'x-mcp-header': 'Region' },
      priority: { type: 'integer', 'x-mcp-header': 'Priority' },
      query: { type: 'string' },
    }),
    run: (args) => text(JSON.stringify(args)),
  },
  test_missing_capability: {
    run: () => inputRequired({ inputRequests: { greeting: inputRequired.createMessage(sampled('Greet')) } }),
  },
  test_streaming_elicitation: {
    run: () =>
      inputRequired({
        inputRequests: { who: inputRequired.elicit(said('Who?', { name: { type: 'string' } })) },
      }),
  },
  test_trigger_tool_change: { run: (_, __, ___, change) => changed(change.tools) },
  test_trigger_prompt_change: { run: (_, __, ___, change) => changed(change.prompts) },
  test_input_required_result_elicitation: {
    run(_, { mcpReq }) {
      const given = acceptedContent(mcpReq.inputResponses, 'user_name');
      if (typeof given?.name === 'string') return text(`Hello, ${given.name}!`);
      const ask = inputRequired.elicit(said('What is your name?', { name: { type: 'string' } }));
      return inputRequired({ inputRequests: { user_name: ask } });
    },
  },
  test_input_required_result_sampling: {
    run(_, { mcpReq }) {
      const answer = answeredText(mcpReq.inputResponses, 'capital_question');
      if (answer !== undefined) return text(`The model said: ${answer}`);
      const ask = inputRequired.createMessage(sampled('What is the capital of France?'));
      return inputRequired({ inputRequests: { capital_question: ask } });
    },
  },
  test_input_required_result_list_roots: {
    run(_, { mcpReq }) {
      const roots = mcpReq.inputResponses?.client_roots?.roots;
      if (Array.isArray(roots)) return text(`Roots: ${roots.map((root) => root.uri).join(', ')}`);
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  },
  test_input_required_result_request_state: {
    async run(_, { mcpReq }) {
      const confirmed = acceptedContent(mcpReq.inputResponses, 'confirm');
      if (confirmed !== undefined && mcpReq.requestState()?.round === 1) return text('state-ok');
      const ask = inputRequired.elicit(said('Please confirm', { ok: { type: 'boolean' } }));
      return inputRequired({
        inputRequests: { confirm: ask },
        requestState: await states.mint({ round: 1 }),
      });
    },
  },
  test_input_required_result_tampered_state: {
    async run(_, { mcpReq }) {
      if (mcpReq.requestState()?.round === 1) return text('state-ok');
      const ask = inputRequired.elicit(said('Please confirm', { ok: { type: 'boolean' } }));
      return inputRequired({
        inputRequests: { confirm: ask },
        requestState: await states.mint({ round: 1 }),
      });
    },
  },
  test_input_required_result_multiple_inputs: {
    async run(_, { mcpReq }) {
      const given = mcpReq.inputResponses ?? {};
      if (['user_name', 'greeting', 'client_roots'].every((key) => key in given))
        return text('All three are here');
      return inputRequired({
        inputRequests: {
          user_name: inputRequired.elicit(said('What is your name?', { name: { type: 'string' } })),
          greeting: inputRequired.createMessage(sampled('Generate a greeting')),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await states.mint({ round: 1 }),
      });
    },
  },
  test_input_required_result_multi_round: {
    async run(_, { mcpReq }) {
      const state = mcpReq.requestState();
      const name = acceptedContent(mcpReq.inputResponses, 'step1')?.name;
      const color = acceptedContent(mcpReq.inputResponses, 'step2')?.color;
      if (state?.round === 2 && color !== undefined) return text(`${state.name} likes ${color}`);
      if (state?.round === 1 && name !== undefined) {
        const ask = inputRequired.elicit(
          said('Step 2: What is your favorite color?', { color: { type: 'string' } }),
        );
        return inputRequired({
          inputRequests: { step2: ask },
          requestState: await states.mint({ round: 2, name }),
        });
      }
      const ask = inputRequired.elicit(said('Step 1: What is your name?', { name: { type: 'string' } }));
      return inputRequired({ inputRequests: { step1: ask }, requestState: await states.mint({ round: 1 }) });
    },
  },
  test_input_required_result_capabilities: {
    run(_, { mcpReq }) {
      const able = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
      const inputRequests = {};
      if (able.elicitation !== undefined)
        inputRequests.name = inputRequired.elicit(said('Name?', { name: { type: 'string' } }));
      if (able.sampling !== undefined) inputRequests.greeting = inputRequired.createMessage(sampled('Greet'));
      return Object.keys(inputRequests).length === 0
        ? text('nothing to ask')
        : inputRequired({ inputRequests });
    },
  },
};

function embedded(uri, mimeType, content) {
  return { type: 'resource', resource: { uri, mimeType, text: content } };
}

async function elicited({ mcpReq }, ask, words = 'Elicitation completed') {
  const { action, content = {} } = await mcpReq.elicitInput(ask);
  return text(`${words}: action=${action}, content=${JSON.stringify(content)}`);
}

function changed(notify) {
  notify();
  return text('changed');
}

function user(content) {
  return { role: 'user', content };
}

/** @param {{ tools: () => void, prompts: () => void }} change */
function featuredServer(change) {
  const hint = { ttlMs: 1000, cacheScope: 'private' };
  const server = new McpServer(
    { name: 'conformance-server', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      cacheHints: { 'tools/list': hint, 'resources/read': hint },
      requestState: { verify: states.verify },
    },
  );
  for (const [name, { schema = NOTHING, run }] of Object.entries(TOOLS))
    server.registerTool(
      name,
      { description: `The tool ${name} of the conformance suite`, inputSchema: fromJsonSchema(schema) },
      (args, ctx) => run(args, ctx, server, change),
    );

  const resource = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { description: name, mimeType }, async () => ({
      contents: [{ uri: String(uri), mimeType, ...content }],
    }));
  resource('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  resource('static-binary', 'test://static-binary', 'image/png', { blob: PIXEL });
  resource('watched-resource', 'test://watched-resource', 'text/plain', { text: 'Watched' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'A template', mimeType: 'application/json' },
    async (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );

  const prompt = (name, properties, run) =>
    server.registerPrompt(
      name,
      {
        description: name,
        ...(properties === null
          ? {}
          : { argsSchema: fromJsonSchema(object(properties, Object.keys(properties))) }),
      },
      run,
    );
  prompt('test_simple_prompt', null, async () => ({
    messages: [user({ type: 'text', text: 'This is a simple prompt for testing.' })],
  }));
  prompt(
    'test_prompt_with_arguments',
    { arg1: { type: 'string', description: 'First' }, arg2: { type: 'string', description: 'Second' } },
    async ({ arg1, arg2 }) => ({
      messages: [user({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` })],
    }),
  );
  prompt(
    'test_prompt_with_embedded_resource',
    { resourceUri: { type: 'string' } },
    async ({ resourceUri }) => ({
      messages: [
        user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
        user({ type: 'text', text: 'Please process the embedded resource above.' }),
      ],
    }),
  );
  prompt('test_prompt_with_image', null, async () => ({
    messages: [
      user({ type: 'image', data: PIXEL, mimeType: 'image/png' }),
      user({ type: 'text', text: 'Please analyze the image above.' }),
    ],
  }));
  prompt('test_input_required_result_prompt', null, async (ctx) => {
    const given = acceptedContent(ctx.mcpReq.inputResponses, 'user_context');
    if (given !== undefined) return { messages: [user({ type: 'text', text: `Context: ${given.context}` })] };
    const ask = inputRequired.elicit(
      said('What context should the prompt use?', { context: { type: 'string' } }),
    );
    return inputRequired({ inputRequests: { user_context: ask } });
  });

  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false },
  }));
  for (const method of ['resources/subscribe', 'resources/unsubscribe'])
    server.server.setRequestHandler(method, async () => ({}));
  return server;
}

/** Events of streams, so that a client that lost one can go on where it was. */
function eventStore() {
  const events = [];
  return {
    async storeEvent(stream, message) {
      events.push({ stream, message });
      return String(events.length - 1);
    },
    async getStreamIdForEventId(id) {
      return events[Number(id)]?.stream;
    },
    async replayEventsAfter(id, { send }) {
      const { stream } = events[Number(id)];
      for (const [i, event] of events.entries())
        if (i > Number(id) && event.stream === stream && Object.keys(event.message).length > 0)
          await send(String(i), event.message);
      return stream;
    },
  };
}

const sessions = new Map();
const modern = createMcpHandler(
  () =>
    featuredServer({
      tools: () => modern.notify.toolsChanged(),
      prompts: () => modern.notify.promptsChanged(),
    }),
  { legacy: 'reject' },
);

async function legacy(request) {
  const id = request.headers.get('mcp-session-id');
  if (id !== null) return sessions.get(id)?.handleRequest(request) ?? new Response(null, { status: 404 });
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
    eventStore: eventStore(),
    retryInterval: 500,
  });
  const server = featuredServer({
    tools: () => void server.server.sendToolListChanged(),
    prompts: () => void server.server.sendPromptListChanged(),
  });
  await server.connect(transport);
  return transport.handleRequest(request);
}

const LOOPBACK = /^(localhost|127\.0\.0\.1)(:\d+)?$/;

const listener = createServer(async (request, response) => {
  try {
    const origin = request.headers.origin;
    if (
      !LOOPBACK.test(request.headers.host ?? '') ||
      (origin !== undefined && !LOOPBACK.test(new URL(origin).host))
    )
      return response.writeHead(403).end();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const body = request.method === 'POST' ? { body: Readable.toWeb(request), duplex: 'half' } : {};
    const asked = new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method,
      headers: Object.entries(request.headers).flatMap(([k, v]) => (typeof v === 'string' ? [[k, v]] : [])),
      signal: gone.signal,
      ...body,
    });
    const answer = (await isLegacyRequest(asked.clone())) ? await legacy(asked) : await modern.fetch(asked);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    if (answer.body === null) return response.end();
    for await (const chunk of answer.body) response.write(chunk);
    response.end();
  } catch (error) {
    if (!response.headersSent) response.writeHead(500);
    response.end();
    if (!response.destroyed) console.error(error);
  }
});
listener.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${listener.address().port}/mcp`);
});
