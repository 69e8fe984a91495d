#!/usr/bin/env node
// The command line: finds the sub-command, loads only that one, and turns its outcome into an exit code:
// 0 done, 1 findings, 2 could not run. Knows no sub-command's options.
import { nearest } from '../step/nearest.ts';
import { ENGINE_VERSION } from '../step/version.ts';
import { UsageError } from './args.ts';

type Run = (argv: string[]) => Promise<number>;

const COMMANDS: Readonly<
  Record<string, { readonly does: string; readonly load: () => Promise<{ run: Run }> }>
> = {
  init: {
    does: 'look at a project: the spec to start from, the line to add',
    load: () => import('./init.ts'),
  },
  serve: { does: 'start the server: page, API, OTLP', load: () => import('./serve.ts') },
  mcp: {
    does: 'guard MCP servers: mcp -- COMMAND ARGS..., mcp --listen PORT',
    load: () => import('./mcp.ts'),
  },
  spec: {
    does: 'check a spec, run its examples, format it: spec check|test|fmt FILE...',
    load: () => import('./spec.ts'),
  },
  import: {
    does: 'make a spec of other policies: import claude-code|cedar|dogwood FILE...',
    load: () => import('./import.ts'),
  },
  backtest: {
    does: 'what would change under another spec: backtest --old A --new B INPUT...',
    load: () => import('./backtest.ts'),
  },
  replay: { does: 'replay recorded sessions under a spec', load: () => import('./replay.ts') },
  sessions: {
    does: 'read recorded sessions: sessions list|show|export|replay',
    load: () => import('./sessions.ts'),
  },
  callers: {
    does: 'make a key for a program that opens sessions: callers new',
    load: () => import('./callers.ts'),
  },
  coverage: { does: 'did every tool that ran have a decision?', load: () => import('./coverage.ts') },
  stops: {
    does: 'stop agents, tools, tenants or everything: stops add|list|lift',
    load: () => import('./stops.ts'),
  },
  hook: {
    does: 'guard coding agents by their own hooks: hook install|status|test|uninstall',
    load: () => import('./hook.ts'),
  },
  holds: { does: 'answer held steps: holds list|approve|refuse', load: () => import('./holds.ts') },
};

export async function main(argv: string[]): Promise<number> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'help':
    case '--help':
    case '-h':
      if (rest[0] !== undefined && Object.hasOwn(COMMANDS, rest[0])) return runCommand(rest[0], ['--help']);
      console.log(help());
      return 0;
    case 'version':
    case '--version':
    case '-v':
      console.log(ENGINE_VERSION);
      return 0;
    default:
      if (Object.hasOwn(COMMANDS, command)) return runCommand(command, rest);
      return unknown(command);
  }
}

async function runCommand(command: string, argv: string[]): Promise<number> {
  try {
    const { run } = await COMMANDS[command]!.load();
    return await run(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`interlock ${command}: ${error.message}\nSee: interlock help ${command}`);
    return 2;
  }
}

function unknown(command: string): number {
  const near = nearest(command, Object.keys(COMMANDS));
  const mend = near === null ? '' : ` Did you mean "${near}"?`;
  console.error(
    `interlock: unknown command ${JSON.stringify(command.slice(0, 80))}.${mend}\nSee: interlock help`,
  );
  return 2;
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(width)}  ${does}`);
  return `interlock ${ENGINE_VERSION}: observe, guard and verify AI agents with one spec

${lines.join('\n')}

interlock help COMMAND says more. Exit codes: 0 done, 1 findings, 2 could not run.`;
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // A mistake of ours: the place helps whoever reports it.
  console.error(
    `interlock failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  process.exitCode = 2;
}
