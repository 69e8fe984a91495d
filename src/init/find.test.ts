// What a look at a project finds, whichever library its tools are written for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLERK, DESK } from '../../test/init/projects.ts';
import { lookAt, type Project } from './index.ts';

function look(files: Readonly<Record<string, string>>): Project {
  return lookAt(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    Object.keys(files),
  );
}

function source(path: string, text: string) {
  const { tools } = look({ [path]: text });
  return Object.fromEntries(tools.map(({ name, input }) => [name, input]));
}

test('tools of a TypeScript project, by the names the model calls them', () => {
  const { 'src/agent.test.ts': _, 'node_modules/x/index.js': __, ...files } = DESK;
  const project = look(files);
  const input = (name: string) => project.tools.find((tool) => tool.name === name)?.input;
  assert.deepEqual(project.tools.map(({ name }) => name).sort(), [
    'add-note',
    'delete_customer',
    'get_weather',
    'lookup_order',
    'ping',
    'refund-order',
    'run_command',
    'sendEmail',
  ]);
  assert.deepEqual(input('lookup_order'), {
    type: 'object',
    required: ['orderId'],
    properties: { orderId: { type: 'string' }, verbose: { type: 'boolean' }, limit: { type: 'number' } },
  });
  assert.deepEqual(input('refund-order'), {
    type: 'object',
    required: ['orderId', 'amount'],
    properties: {
      orderId: { type: 'string' },
      amount: { type: 'number' },
      reason: { enum: ['damaged', 'late', null] },
    },
  });
  assert.deepEqual(input('sendEmail'), {
    type: 'object',
    required: ['to', 'subject'],
    properties: {
      to: { type: 'array', items: { type: 'string' } },
      cc: { type: 'string' },
      subject: { type: 'string' },
      body: { type: 'string' },
    },
  });
  assert.deepEqual(input('add-note'), {
    type: 'object',
    required: ['text'],
    properties: { text: { type: 'string' } },
  });
  const refund = project.tools.find((tool) => tool.name === 'refund-order');
  assert.deepEqual(refund?.at, { file: 'src/agent.ts', line: 19 });
  assert.equal(project.tools.find((tool) => tool.name === 'sendEmail')?.description, 'Send an email');
});

test('where the line goes in, and what else there is', () => {
  const project = look(DESK);
  assert.equal(project.name, '@shop/help-desk');
  assert.deepEqual(
    project.proposals.map(({ framework, at }) => [framework, at]),
    [['Vercel AI SDK', [{ file: 'src/agent.ts', line: 13 }]]],
  );
  assert.deepEqual(project.codingAgents, ['claude-code']);
  assert.deepEqual(
    project.servers.map(({ name, guarded, command, url }) => ({ name, guarded, command, url })),
    [
      { name: 'files', guarded: false, command: ['npx', '-y', 'files-server', '.'], url: null },
      { name: 'search', guarded: false, command: null, url: 'https://search.example/mcp' },
      { name: 'safe', guarded: true, command: ['npx', 'interlock', 'mcp', '--', 'safe-server'], url: null },
    ],
  );
  assert.deepEqual(project.problems, []);
});

test('tools of a Python project', () => {
  const { 'tests/test_agent.py': _, ...files } = CLERK;
  const project = look(files);
  const inputs = Object.fromEntries(project.tools.map(({ name, input }) => [name, input]));
  assert.deepEqual(inputs, {
    find_orders: {
      type: 'object',
      required: ['customer'],
      properties: {
        customer: { type: 'string' },
        status: { enum: ['open', 'closed'] },
        limit: { type: 'integer' },
      },
    },
    pay_invoice: {
      type: 'object',
      required: ['invoice_id', 'amount', 'iban'],
      properties: {
        invoice_id: { type: 'string' },
        amount: { type: 'number' },
        iban: { type: 'string' },
        note: { type: ['string', 'null'] },
      },
    },
    archive: null,
    lookup_price: {
      type: 'object',
      required: ['article'],
      properties: { article: { type: 'string' }, currency: { type: ['string', 'null'] } },
    },
    translate: { type: 'object', required: ['text'], properties: { text: { type: 'string' }, retries: {} } },
    post_message: { type: 'object', properties: { channel: { type: 'string' } } },
    drop_table: { type: 'object' },
  });
  assert.deepEqual(project.tools.map(({ description }) => description?.split('\n')[0] ?? null).slice(0, 4), [
    'Find orders of a customer.',
    'Pay an invoice.',
    null,
    'Looks up a price',
  ]);
  assert.deepEqual(
    project.proposals.map(({ framework, language, at }) => [framework, language, at.map(({ line }) => line)]),
    [
      ['LangChain, LangGraph', 'python', [47]],
      ['OpenAI Agents SDK', 'python', [48]],
    ],
  );
  assert.equal(project.name, 'order-clerk');
});

test('an object that is no tool is not taken for one', () => {
  assert.deepEqual(
    source(
      'a.ts',
      `const user = { name: 'ada', description: 'a person', schema: { type: 'object' } };
       const route = { id: 'x', parameters: {}, handler: f };
       const format = { type: 'json_schema', name: 'answer', schema: {} };
       const computed = tool({ name: \`a\${b}\`, description: 'x', inputSchema: z.object({}) });`,
    ),
    {},
  );
});

test('two definitions of one name that disagree leave its input open', () => {
  const tool = (type: string) =>
    `createTool({ id: 'same', description: 'd', inputSchema: z.object({ a: z.${type}() }) });`;
  assert.deepEqual(source('a.ts', tool('string') + tool('number')), { same: null });
});

test('a name that a spec cannot say, and tools beyond the limit, are left out and told', () => {
  const definitions = Array.from(
    { length: 600 },
    (_, i) => `tool({ name: 'get_${i}', description: 'd', parameters: {} });`,
  );
  const project = look({
    'a.ts': `${definitions.join('\n')}\ntool({ name: 'a b', description: 'd', parameters: {} });`,
  });
  assert.equal(project.tools.length, 500);
  assert.equal(project.leftOut.length, 101);
});

test('a manifest that cannot be read is told with its place, and ends nothing', () => {
  const project = look({ 'package.json': '{', 'pyproject.toml': 'a = \n', '.mcp.json': '{"mcpServers": [}' });
  assert.deepEqual(project.problems, [
    { file: 'package.json', why: 'not JSON' },
    { file: 'pyproject.toml', why: 'not TOML, line 1' },
    { file: '.mcp.json', why: 'not JSON' },
  ]);
});

test('no text makes a look fail', () => {
  const pieces = fc.constantFrom(
    ...[
      'tool(',
      'name:',
      "'x'",
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      '@tool\ndef f(',
      'a: str',
      '):\n',
      '"""',
      '`',
      '${',
      '\\',
      ',',
    ],
    ...[
      'inputSchema:',
      'z.object(',
      '.optional()',
      '=',
      'const a',
      'a',
      '__proto__:',
      '\n',
      'description:',
      '*',
      '**k',
      'import',
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 60 }), (texts) => {
      const text = texts.join(' ');
      look({
        'a.ts': text,
        'a.tsx': text,
        'a.py': text,
        'package.json': text,
        '.codex/config.toml': text,
        '.mcp.json': text,
      });
    }),
  );
});
