// Small projects as people write them, in text: what `interlock init` has to find in each.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

/** Writes the files into a new folder, and gives its path. */
export function projectOf(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'interlock-init-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Tools in the ways of several TypeScript libraries. */
export const DESK: Files = {
  'package.json': JSON.stringify({ name: '@shop/help-desk', dependencies: { ai: '^7', zod: '^4' } }),
  'src/agent.ts': `import { generateText, tool } from 'ai';
import { z } from 'zod';
import { sendEmailTool } from './mail';

const orderId = z.string().describe('Order number');
const lookupOrder = tool({
  description: 'Look up an order by its number.',
  inputSchema: z.object({ orderId, verbose: z.boolean().optional(), limit: z.number().int().default(5) }),
  execute: async ({ orderId }) => orders.get(orderId),
});

export async function answer(question: string) {
  return await generateText({
    model,
    prompt: question,
    tools: {
      lookup_order: lookupOrder,
      sendEmail: sendEmailTool,
      'refund-order': tool({
        description: \`Refund an order\`,
        inputSchema: z.object({ orderId, amount: z.number(), reason: z.enum(['damaged', 'late']).nullish() }),
        execute,
      }),
    },
  });
}
`,
  'src/mail.ts': `import { tool } from 'ai';
/* tool({ name: 'in_a_comment', inputSchema: {} }) */
export const sendEmailTool = tool({
  description: 'Send ' + 'an email',
  inputSchema: jsonSchema<{ to: string }>({
    type: 'object',
    required: ['to', 'subject'],
    properties: {
      to: { type: 'array', items: { type: 'string', format: 'email' } },
      cc: { type: 'string' },
      subject: { type: 'string', minLength: 1 },
      body: { type: 'string', 'x-ours': true },
    },
  }),
  execute: send,
});
`,
  'src/more.js': `const { tool } = require('@langchain/core/tools');
const shell = tool(async ({ command }) => run(command), {
  name: 'run_command',
  description: 'Runs a command',
  schema: z.object({ command: z.string() }),
});
const definitions = [
  { type: 'function', function: { name: 'get_weather', description: 'Weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } },
  { name: 'delete_customer', description: 'Delete a customer', input_schema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] } },
];
server.registerTool('add-note', { description: 'Adds a note', inputSchema: { text: z.string() } }, async () => {});
server.tool('ping', 'Answers', {}, async () => {});
const answerFormat = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };
`,
  'src/agent.test.ts': `tool({ name: 'only_in_a_test', inputSchema: z.object({}) });`,
  'node_modules/x/index.js': `tool({ name: 'installed', inputSchema: {} , description: 'x' });`,
  '.claude/settings.json': '{}',
  '.mcp.json': `{
  // Servers of this project
  "mcpServers": {
    "files": { "command": "npx", "args": ["-y", "files-server", "."], "env": { "TOKEN": "s3cret" } },
    "search": { "type": "http", "url": "https://search.example/mcp" },
    "safe": { "command": "npx", "args": ["interlock", "mcp", "--", "safe-server"] },
  },
}`,
};

/** Tools in the ways of several Python libraries. */
export const CLERK: Files = {
  'pyproject.toml': `[project]
name = "order-clerk"
dependencies = ["langchain>=1", "openai-agents[voice]>=0.4 ; python_version > '3.10'"]
`,
  'clerk/agent.py': `from typing import Annotated, Literal, Optional

from agents import Agent, RunContextWrapper, Runner, function_tool
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool, tool


@tool
def find_orders(customer: str, status: Literal["open", "closed"] = "open", limit: int = 10) -> list[dict]:
    """Find orders of a customer.

    More words.
    """
    return []


@function_tool(name_override="pay_invoice")
async def pay(ctx: RunContextWrapper[None], invoice_id: str, amount: float, iban: str, note: Optional[str] = None):
    "Pay an invoice."


@mcp.tool()
def archive(ids: list[int], tags: Annotated[list[str], "labels"], **more):
    pass


class Lookup(BaseTool):
    name: str = "lookup_price"
    description: str = "Looks up a price"

    def _run(self, article: str, currency: str | None = None) -> str:
        return ""


def helper(text: str, retries=3) -> str:
    """Translate a text."""


translate = StructuredTool.from_function(func=helper, name="translate")

TOOLS = [
    {"name": "post_message", "description": "Post", "input_schema": {"type": "object", "properties": {"channel": {"type": "string"}}}},
    {"type": "function", "function": {"name": "drop_table", "parameters": {"type": "object"}}},
    {"name": "not a tool", "value": 1},
]

agent = create_agent(model, tools=[find_orders])
result = Runner.run_sync(Agent(name="clerk"), "hello")
`,
  'tests/test_agent.py': '@tool\ndef only_in_a_test(): pass\n',
};
