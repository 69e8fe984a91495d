// Whether coding agents are guarded, as far as can be told without them: their settings, what would keep them from running
// the hooks, and who answers. Codex is asked itself, because it runs only hooks that its user trusts.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseJsonText } from '../../step/json.ts';
import { ENGINE_VERSION } from '../../step/version.ts';
import { paint, printable } from '../output.ts';
import { type Agent, isOurs, settingsFile } from './agents.ts';
import { type HookConfig, readHookConfig } from './home.ts';
import { readResident } from './resident.ts';
import { hookedEvents, readSettings } from './settings.ts';

const ASK_MS = 5_000;
/** A rule for all users of the machine (Claude Code). */
const MANAGED = '/etc/claude-code/managed-settings.json';

export interface AgentState {
  readonly agent: Agent;
  readonly file: string;
  /** What keeps it from being guarded; none when it is. */
  readonly wrong: readonly string[];
}

export async function statesOf(
  home: string,
  agents: readonly Agent[],
  project: string | undefined,
): Promise<AgentState[]> {
  const config = await readHookConfig(home);
  return Promise.all(
    agents.map(async (agent) => {
      const settings = await readSettings(settingsFile(agent, project));
      const hooked = hookedEvents(settings, agent);
      const missing = agent.events.filter((event) => !hooked.includes(event));
      if (hooked.length === 0 || config === null)
        return { agent, file: settings.file, wrong: ['not installed: interlock hook install'] };
      const wrong = missing.length === 0 ? [] : [`no hook at ${missing.join(', ')}: interlock hook install`];
      return { agent, file: settings.file, wrong: [...wrong, ...(await obstacles(agent, settings.fields))] };
    }),
  );
}

/** What in the agent keeps hooks that are installed from running. */
async function obstacles(agent: Agent, fields: Record<string, unknown>): Promise<string[]> {
  switch (agent.name) {
    case 'claude-code': {
      const files = [
        resolve('.claude/settings.json'),
        resolve('.claude/settings.local.json'),
        MANAGED,
        join(agent.folder, agent.file),
      ];
      const found: string[] = [];
      for (const file of new Set(files)) {
        const settings = await jsonOf(file);
        if (settings?.disableAllHooks === true)
          found.push(`hooks are switched off by disableAllHooks in ${file}`);
        if (settings?.allowManagedHooksOnly === true)
          found.push(`hooks of users are switched off by allowManagedHooksOnly in ${file}`);
      }
      return found;
    }
    case 'gemini-cli': {
      const { enabled, disabled } = (fields.hooksConfig ?? {}) as { enabled?: unknown; disabled?: unknown };
      if (enabled === false) return ['hooks are switched off by hooksConfig.enabled'];
      return Array.isArray(disabled) && disabled.includes('interlock')
        ? ['the hooks are switched off by hooksConfig.disabled']
        : [];
    }
    case 'codex':
      return codexObstacles(agent);
  }
}

/** Codex says itself which hooks it will run (`hooks/list` of its app server). */
async function codexObstacles({ program, afterwards }: Agent): Promise<string[]> {
  const hooks = await codexHooks(program);
  if (hooks === null) return [`whether it trusts the hooks could not be asked; ${afterwards ?? ''}`];
  const ours = hooks.filter((hook) => isOurs(hook, 'codex'));
  const idle = ours.filter(
    ({ enabled, trustStatus }) => enabled === false || !['trusted', 'managed'].includes(String(trustStatus)),
  );
  if (ours.length > 0 && idle.length === 0) return [];
  const names = idle.map(({ eventName }) => String(eventName)).join(', ');
  return [`Codex does not run them yet (${names || 'none are listed'}). ${afterwards ?? ''}`];
}

type CodexHook = Record<string, unknown>;

function codexHooks(program: string): Promise<CodexHook[] | null> {
  return new Promise((resolvePromise) => {
    const child = spawn(program, ['app-server'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const done = (hooks: CodexHook[] | null) => {
      clearTimeout(timer);
      child.kill();
      resolvePromise(hooks);
    };
    const timer = setTimeout(done, ASK_MS, null);
    const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
    child.once('error', () => done(null));
    child.once('exit', () => done(null));
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = parseJsonText(line);
      const { id, result } = (parsed.ok ? parsed.value : {}) as { id?: unknown; result?: unknown };
      if (id === 1) {
        say({ method: 'initialized' });
        say({ id: 2, method: 'hooks/list', params: { cwds: [process.cwd()] } });
      } else if (id === 2) {
        const { data } = (result ?? {}) as { data?: { hooks?: CodexHook[] }[] };
        done(Array.isArray(data) ? data.flatMap(({ hooks }) => hooks ?? []) : null);
      }
    });
    say({
      id: 1,
      method: 'initialize',
      params: { clientInfo: { name: 'interlock', version: ENGINE_VERSION } },
    });
  });
}

/** 0 when every agent is guarded. */
export async function printStates(states: readonly AgentState[], home: string): Promise<number> {
  for (const { agent, file, wrong } of states) {
    const state = wrong.length === 0 ? paint('green', 'guarded') : paint('red', 'NOT GUARDED');
    console.log(`${agent.title}  ${state}  ${file}`);
    for (const line of wrong) console.log(`  ${line}`);
  }
  const config = await readHookConfig(home);
  if (config !== null) console.log(await deciding(home, config));
  return states.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
}

async function deciding(home: string, config: HookConfig): Promise<string> {
  if (config.url !== null) return `${config.url} decides`;
  const health = await healthOn(config.socket ?? '');
  const specs = config.specs.map((spec) => printable(spec)).join(', ');
  if (health === null) return `${specs} decides; its process starts with the next hook`;
  const page = (await readResident(home))?.page ?? '';
  const old =
    health.version === ENGINE_VERSION ? '' : ` (version ${health.version}: interlock hook install renews it)`;
  return `${specs} decides; held steps and the record: ${page}${old}`;
}

function healthOn(socketPath: string): Promise<{ version: string } | null> {
  return new Promise((resolvePromise) => {
    const asked = request(
      { socketPath, path: '/v1/health', host: 'localhost', timeout: ASK_MS },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.once('end', () => {
          const parsed = parseJsonText(text);
          const { version } = (parsed.ok ? parsed.value : {}) as { version?: unknown };
          resolvePromise(typeof version === 'string' ? { version } : null);
        });
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolvePromise(null));
    asked.end();
  });
}

async function jsonOf(file: string): Promise<Record<string, unknown> | null> {
  const parsed = parseJsonText(await readFile(file, 'utf8').catch(() => ''));
  return parsed.ok && typeof parsed.value === 'object' && parsed.value !== null
    ? (parsed.value as Record<string, unknown>)
    : null;
}
