// What agents are built with: the packages and modules that tell it, the calls where the guard goes in, and the line to add there.
// One row a framework; what each adapter does is in docs/adapters.md.

export interface Framework {
  readonly name: string;
  readonly language: 'typescript' | 'python';
  /** Packages and modules; one is enough. A name that ends in `*` is a beginning. */
  readonly packages: readonly string[];
  /** The calls at which the line goes in. */
  readonly calls: readonly string[];
  readonly imports: string;
  readonly line: string;
}

/** How a program gets its session. `spec` is a path from the project. */
export const OPENING: Readonly<
  Record<Framework['language'], { install: string; lines: (spec: string, agent: string) => string[] }>
> = {
  typescript: {
    install: 'npm install interlock',
    lines: (spec, agent) => [
      "import { Interlock } from 'interlock';",
      `const interlock = await Interlock.open({ spec: './${spec}' });`,
      `const session = await interlock.session({ agent: { name: '${agent}' } });`,
    ],
  },
  python: {
    install: 'pip install interlock',
    lines: (spec, agent) => [
      'from interlock import Interlock',
      `interlock = Interlock.connect("http://127.0.0.1:7070")  # npx interlock serve --spec ${spec}`,
      `session = interlock.session(agent="${agent}")`,
    ],
  },
};

/** The order is that in which they are told: what is nearer to the agent first. */
export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'Vercel AI SDK',
    language: 'typescript',
    packages: ['ai'],
    calls: ['generateText', 'streamText', 'generateObject', 'new ToolLoopAgent', 'new Experimental_Agent'],
    imports: "import { guardTools, interlockMiddleware } from 'interlock/ai-sdk';",
    line: 'tools: guardTools(session, tools), model: wrapLanguageModel({ model, middleware: interlockMiddleware(session) })',
  },
  {
    name: 'OpenAI Agents SDK',
    language: 'typescript',
    packages: ['@openai/agents', '@openai/agents-core'],
    calls: ['run', 'runner.run', 'Runner.run', 'new Agent', 'Agent.create'],
    imports: "import { guardAgent } from 'interlock/openai-agents';",
    line: 'run(guardAgent(session, agent), input)',
  },
  {
    name: 'LangChain, LangGraph',
    language: 'typescript',
    packages: ['langchain', '@langchain/langgraph', '@langchain/core'],
    calls: ['createAgent', 'createReactAgent', 'new ToolNode', 'new StateGraph'],
    imports: "import { interlockMiddleware } from 'interlock/langchain';",
    line: 'createAgent({ …, middleware: [interlockMiddleware(session)] })',
  },
  {
    name: 'Mastra',
    language: 'typescript',
    packages: ['@mastra/core'],
    calls: ['new Agent', 'new Mastra'],
    imports: "import { guardTools } from 'interlock/mastra';",
    line: 'new Agent({ …, tools: guardTools(session, tools) })',
  },
  {
    name: 'Anthropic SDK',
    language: 'typescript',
    packages: ['@anthropic-ai/sdk'],
    calls: ['messages.toolRunner', 'messages.create', 'messages.stream'],
    imports: "import { guardTools } from 'interlock/anthropic';",
    line: 'client.beta.messages.toolRunner({ …, tools: guardTools(session, tools) })',
  },
  {
    name: 'OpenAI SDK',
    language: 'typescript',
    packages: ['openai'],
    calls: ['completions.runTools', 'completions.create', 'responses.create', 'responses.stream'],
    imports: "import { runToolCalls } from 'interlock/openai';",
    line: 'await runToolCalls(session, message.tool_calls, tools)',
  },
  {
    name: 'LangChain, LangGraph',
    language: 'python',
    packages: ['langchain', 'langgraph', 'langchain_core', 'langchain-core'],
    calls: ['create_agent', 'create_react_agent', 'ToolNode', 'StateGraph'],
    imports: 'from interlock.langchain import InterlockMiddleware',
    line: 'create_agent(…, middleware=[InterlockMiddleware(session)])',
  },
  {
    name: 'OpenAI Agents SDK',
    language: 'python',
    packages: ['openai-agents', 'agents'],
    calls: ['Runner.run', 'Runner.run_sync', 'Runner.run_streamed', 'Agent'],
    imports: 'from interlock.openai_agents import guard_agent',
    line: 'await Runner.run(guard_agent(session, agent), input)',
  },
];

/** For tools of a program whose framework has no adapter, or that has none. */
export const ANY: Readonly<Record<Framework['language'], { imports: string; line: string }>> = {
  typescript: {
    imports: "import { Interlock } from 'interlock';",
    line: 'session.guard({ name: TOOL, execute })',
  },
  python: { imports: 'from interlock import Interlock', line: '@session.guard' },
};

export const CALLS: Readonly<Record<Framework['language'], ReadonlySet<string>>> = {
  typescript: callsOf('typescript'),
  python: callsOf('python'),
};

function callsOf(language: Framework['language']): ReadonlySet<string> {
  return new Set(FRAMEWORKS.filter((one) => one.language === language).flatMap((one) => one.calls));
}

/** Whether `module`, as imported or depended on, is this framework: the package itself or a path in it. */
export function isOf(framework: Framework, module: string): boolean {
  return framework.packages.some(
    (name) => module === name || module.startsWith(`${name}/`) || module.startsWith(`${name}.`),
  );
}
