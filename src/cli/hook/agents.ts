// The coding agents that have hooks: where their settings are, which events matter, how an entry is written there.
// Tables and text; nothing is read or written here.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AGENTS, type AgentName } from '../../coding-agents/types.ts';
import type { JsonObject } from '../../step/types.ts';
import { HOOK_PROGRAM } from './home.ts';

export { AGENTS, type AgentName };

export interface Agent {
  readonly name: AgentName;
  readonly title: string;
  readonly program: string;
  /** Its own folder below the home folder, or where its environment variable says. */
  readonly folder: string;
  /** The same in a project. */
  readonly projectFolder: string;
  readonly file: string;
  readonly events: readonly string[];
  /** Of the events, the one that is asked before a tool runs. */
  readonly before: string;
  /** How long the agent gives the hook, in its own unit; longer than the program of the hook takes in any case. */
  readonly timeout: number;
  /** What the person has to do, for the agent to run the hooks at all. */
  readonly afterwards?: string;
}

const env = (name: string, folder: string) => process.env[name] ?? join(homedir(), folder);

export function agentOf(name: AgentName): Agent {
  switch (name) {
    case 'claude-code':
      return {
        name,
        title: 'Claude Code',
        program: 'claude',
        folder: env('CLAUDE_CONFIG_DIR', '.claude'),
        projectFolder: '.claude',
        file: 'settings.json',
        events: [
          'SessionStart',
          'UserPromptSubmit',
          'PreToolUse',
          'PostToolUse',
          'PostToolUseFailure',
          'Stop',
        ],
        before: 'PreToolUse',
        timeout: 120,
      };
    case 'codex':
      return {
        name,
        title: 'Codex',
        program: 'codex',
        folder: env('CODEX_HOME', '.codex'),
        projectFolder: '.codex',
        file: 'hooks.json',
        events: ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'Stop'],
        before: 'PreToolUse',
        timeout: 120,
        afterwards:
          'Codex runs hooks only once you have trusted them: start codex, type /hooks, and trust those of interlock.',
      };
    case 'gemini-cli':
      return {
        name,
        title: 'Gemini CLI',
        program: 'gemini',
        folder: join(process.env.GEMINI_CLI_HOME ?? homedir(), '.gemini'),
        projectFolder: '.gemini',
        file: 'settings.json',
        events: ['SessionStart', 'BeforeAgent', 'BeforeTool', 'AfterTool', 'AfterAgent'],
        before: 'BeforeTool',
        timeout: 120_000,
      };
  }
}

/** Of the user, or of a project. */
export function settingsFile(agent: Agent, project: string | undefined): string {
  return project === undefined
    ? join(agent.folder, agent.file)
    : join(resolve(project), agent.projectFolder, agent.file);
}

/** How an agent reaches who decides: by a program that it starts, or, where it can, by HTTP. */
export type Way =
  | { readonly t: 'process'; readonly node: string; readonly home: string }
  | { readonly t: 'http'; readonly node: string; readonly home: string; readonly url: string };

/** Events at which the resident process is started when it is not there; the others may go by HTTP. */
const STARTING = ['SessionStart', 'UserPromptSubmit'];

/** The entry of one event, as the agent's settings have it. It stands without a matcher: every tool is asked about. */
export function entryOf(agent: Agent, event: string, way: Way): JsonObject {
  const { name, timeout } = agent;
  const http = way.t === 'http' && !STARTING.includes(event);
  const hook: JsonObject = {
    ...(name === 'gemini-cli' ? { name: 'interlock' } : {}),
    ...(http
      ? { type: 'http', url: `${way.url}/hooks/${name}` }
      : { type: 'command', command: commandOf(agent, event, way) }),
    timeout,
    // An address that does not answer lets the tool run otherwise. An agent that cannot stop for it would be no safer.
    ...(name === 'claude-code' && event === agent.before ? { onFailure: 'block' } : {}),
  };
  return { hooks: [hook] };
}

/**
 * Codes other than 0 let the tool run in some agents, and in others 2 does when nothing stands on standard error: what
 * cannot be started before a tool is refused in a way that all of them take for a refusal.
 */
function commandOf({ name, before }: Agent, event: string, { node, home }: Way): string {
  const start = `sh ${quoted(join(home, HOOK_PROGRAM))} ${name} ${quoted(node)}`;
  return event === before
    ? `${start} || { echo "Interlock's hook could not be started, so nothing is allowed." >&2; exit 2; }`
    : start;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Whether a hook in an agent's settings is one of ours, whatever wrote it. */
export function isOurs(hook: unknown, name: AgentName): boolean {
  const { command, url } = (hook ?? {}) as { command?: unknown; url?: unknown };
  return (
    (typeof command === 'string' && command.includes('interlock-hook.')) ||
    (typeof url === 'string' && url.endsWith(`/hooks/${name}`))
  );
}

/** The first version of Claude Code that refuses a tool when an HTTP hook does not answer and is told to. */
const CLOSED_HTTP = [2, 1, 295];

/** Whether the agent of this version can be asked by HTTP without being open when nobody answers. Null: not known. */
export function asksByHttp(name: AgentName, version: string | null): boolean {
  if (name !== 'claude-code') return false;
  const found = /(\d{1,6})\.(\d{1,6})\.(\d{1,6})/
    .exec(version ?? '')
    ?.slice(1)
    .map(Number);
  if (found === undefined) return false;
  const at = CLOSED_HTTP.findIndex((part, i) => part !== found[i]);
  return at === -1 || found[at]! > CLOSED_HTTP[at]!;
}
