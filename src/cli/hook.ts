// `interlock hook`: guards coding agents by their own hooks: puts them into the agents' settings, says whether they are in
// force, tries one, and runs the resident process that answers them.
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { SpecInvalid } from '../sdk/errors.ts';
import { loadSpecFile } from '../sdk/spec-files.ts';
import { parseOptions, parsePort, UsageError } from './args.ts';
import {
  AGENTS,
  type Agent,
  type AgentName,
  agentOf,
  asksByHttp,
  entryOf,
  settingsFile,
  type Way,
} from './hook/agents.ts';
import {
  HOLD_WAIT_SECONDS_MAX,
  type HookConfig,
  HookConfigInvalid,
  hookHome,
  residentCommand,
  socketOf,
  writeHookHome,
} from './hook/home.ts';
import { serveHooks, stopResident } from './hook/resident.ts';
import { readSettings, SettingsUnusable, withHooks, withoutHooks, writeSettings } from './hook/settings.ts';
import { printStates, statesOf } from './hook/status.ts';
import { tryHook } from './hook/try.ts';
import { printable } from './output.ts';

const HELP = `interlock hook install [AGENT...]     guard the coding agents of this user: ${AGENTS.join(', ')}
interlock hook status [AGENT...]      are they guarded, and does the guard answer? exit code 1 when not
interlock hook test AGENT COMMAND     what would come of this shell command, through the agent's own hook
interlock hook uninstall [AGENT...]   take the hooks out of their settings again
interlock hook serve                  the resident process; hooks start it themselves

install without AGENT takes those that are on this machine. Options of install:
  --spec FILE...        what they may do: files, or pack:NAME (default pack:coding)
  --server URL          a running \`interlock serve\` decides; INTERLOCK_KEY is the key. Without it a resident process does
  --project DIR         in the settings of this project, not in those of the user
  --process             start a program at every hook, in Claude Code too; without it, it asks by HTTP
  --port N              page and HTTP of the resident process (default 7071)
  --hold-wait SECONDS   how long a held call waits before the agent is told to come back (default 30, at most ${HOLD_WAIT_SECONDS_MAX})
  --print               show what would be written, and write nothing`;

const VERSION_MS = 5_000;

const OPTIONS = {
  spec: { type: 'string', multiple: true, default: [] },
  server: { type: 'string' },
  project: { type: 'string' },
  process: { type: 'boolean' },
  port: { type: 'string', default: '7071' },
  'hold-wait': { type: 'string', default: '30' },
  print: { type: 'boolean' },
  home: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

interface Values {
  readonly spec: string[];
  readonly server?: string | undefined;
  readonly project?: string | undefined;
  readonly process?: boolean | undefined;
  readonly port: string;
  readonly 'hold-wait': string;
  readonly print?: boolean | undefined;
}

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, OPTIONS, 100);
  const [verb, ...names] = positionals;
  if (values.help || verb === undefined) {
    console.log(HELP);
    return 0;
  }
  const home = values.home === undefined ? hookHome() : resolve(values.home);
  try {
    switch (verb) {
      case 'install':
        return await install(home, await chosen(names, values.project), values);
      case 'uninstall':
        return await uninstall(home, names.length === 0 ? AGENTS.map(agentOf) : named(names), values.project);
      case 'status':
        return printStates(await statesOf(home, await chosen(names, values.project), values.project), home);
      case 'test':
        return await tryHook(home, named(names.slice(0, 1))[0], names.slice(1).join(' '));
      case 'serve':
        return await serveHooks(home);
      default:
        throw new UsageError(`unknown verb "${verb}"; install, status, test, uninstall or serve`);
    }
  } catch (error) {
    if (
      error instanceof SettingsUnusable ||
      error instanceof HookConfigInvalid ||
      error instanceof SpecInvalid
    ) {
      console.error(`interlock hook: ${error.message}`);
      return 2;
    }
    throw error;
  }
}

function named(names: readonly string[]): Agent[] {
  return names.map((name) => {
    if ((AGENTS as readonly string[]).includes(name)) return agentOf(name as AgentName);
    throw new UsageError(`"${name}" is no agent with hooks; there are ${AGENTS.join(', ')}`);
  });
}

/** The agents that are named, or those that are on this machine: by their folder, or their program. */
async function chosen(names: readonly string[], project: string | undefined): Promise<Agent[]> {
  if (names.length > 0) return named(names);
  const all = AGENTS.map(agentOf);
  const here = await Promise.all(
    all.map(async (agent) => (await exists(agent.folder)) || (await onPath(agent.program))),
  );
  const found = all.filter((_, i) => here[i]);
  if (found.length > 0) return found;
  const where = project === undefined ? 'on this machine' : 'on this machine to guard in the project';
  throw new UsageError(`no coding agent is ${where}; name one of ${AGENTS.join(', ')}`);
}

async function install(home: string, agents: readonly Agent[], values: Values): Promise<number> {
  const config = await configOf(home, values);
  // A spec that does not check is said now, not at the first step.
  for (const spec of config.specs) await loadSpecFile(spec);
  const planned = await Promise.all(
    agents.map(async (agent) => {
      const settings = await readSettings(settingsFile(agent, values.project));
      const way = await wayOf(agent, config, home, values.process ?? false);
      return { agent, settings, way, fields: withHooks(settings, agent, way) };
    }),
  );
  if (values.print) {
    for (const { agent, settings, way } of planned) {
      const hooks = Object.fromEntries(agent.events.map((event) => [event, [entryOf(agent, event, way)]]));
      console.log(`${settings.file}\n${JSON.stringify({ hooks }, null, 2)}\n`);
    }
    return 0;
  }
  // One that runs would go on under the settings of before.
  await stopResident(home);
  await writeHookHome(home, config);
  for (const { agent, settings, fields } of planned) {
    await writeSettings(settings, fields);
    console.log(`${agent.title}: guarded by ${settings.file}`);
    if (agent.afterwards !== undefined) console.log(`  ${agent.afterwards}`);
  }
  console.log(
    config.url === null
      ? `\nSpec: ${config.specs.map((spec) => printable(spec)).join(', ')}. Held steps and the record: http://127.0.0.1:${config.port} once an agent is at work.`
      : `\n${config.url} decides.`,
  );
  console.log(`Try it: interlock hook test ${planned[0]?.agent.name ?? AGENTS[0]} 'rm -rf /'`);
  return 0;
}

async function wayOf(agent: Agent, config: HookConfig, home: string, process_: boolean): Promise<Way> {
  const byProcess: Way = { t: 'process', node: process.execPath, home };
  if (process_ || config.socket === null || config.port === 0) return byProcess;
  return asksByHttp(agent.name, await versionOf(agent.program))
    ? { ...byProcess, t: 'http', url: `http://127.0.0.1:${config.port}` }
    : byProcess;
}

/** What the program says of itself; null when it is not there, or says nothing in time. */
function versionOf(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: VERSION_MS, maxBuffer: 10_000 }, (error, said) =>
      resolve(error === null ? said : null),
    );
  });
}

async function configOf(home: string, values: Values): Promise<HookConfig> {
  const holdWaitSeconds = Number(values['hold-wait']);
  if (!Number.isInteger(holdWaitSeconds) || holdWaitSeconds < 0 || holdWaitSeconds > HOLD_WAIT_SECONDS_MAX)
    throw new UsageError(`--hold-wait is 0 to ${HOLD_WAIT_SECONDS_MAX} seconds`);
  if (values.server !== undefined) {
    const url = URL.parse(values.server);
    if (url === null || !['http:', 'https:'].includes(url.protocol))
      throw new UsageError(`--server is the address of a server, found "${values.server}"`);
    if (values.spec.length > 0) throw new UsageError('--spec does not go with --server: its specs count');
    return {
      socket: null,
      url: url.origin,
      key: process.env.INTERLOCK_KEY ?? null,
      port: 0,
      specs: [],
      holdWaitSeconds,
      start: null,
    };
  }
  const specs = values.spec.length === 0 ? ['pack:coding'] : values.spec;
  return {
    socket: socketOf(home),
    url: null,
    key: null,
    port: parsePort(values.port, '--port'),
    specs: specs.map((spec) => (spec.startsWith('pack:') ? spec : resolve(spec))),
    holdWaitSeconds,
    start: await residentCommand(),
  };
}

async function uninstall(
  home: string,
  agents: readonly Agent[],
  project: string | undefined,
): Promise<number> {
  for (const agent of agents) {
    const settings = await readSettings(settingsFile(agent, project));
    const fields = withoutHooks(settings, agent);
    if (!settings.exists || fields === settings.fields) {
      console.log(`${agent.title}: no hooks of ours in ${settings.file}`);
      continue;
    }
    await writeSettings(settings, fields);
    console.log(`${agent.title}: no longer guarded by ${settings.file}`);
  }
  await stopResident(home);
  return 0;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function onPath(program: string): Promise<boolean> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return (await Promise.all(folders.map((folder) => exists(join(folder, program))))).includes(true);
}
