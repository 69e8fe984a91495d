// The door for coding agents: `POST /hooks/AGENT` takes what a hook is told, and answers in that agent's words. Who asks is
// settled by the host.
import type { Engine, SessionInit } from '../engine/types.ts';
import type { JsonObject } from '../step/types.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { createHookDecider, type DeciderOptions, failed } from './decide.ts';
import { mapIn, textIn } from './fields.ts';
import { geminiCli } from './gemini-cli.ts';
import type { AgentName, Dialect, HookEvent } from './types.ts';

export const HOOKS_PATH = '/hooks/';

export const DIALECTS: Readonly<Record<AgentName, Dialect>> = {
  'claude-code': claudeCode,
  codex,
  'gemini-cli': geminiCli,
};

export interface HookAnswer {
  /** Not 200 only where no agent could read an answer. */
  readonly status: number;
  readonly body: JsonObject;
}

/** The session as the key that was shown may open it, or why not. */
export type AdmitHook = (key: string | null, init: SessionInit) => SessionInit | { readonly message: string };

export interface HookDoorOptions extends DeciderOptions {
  readonly engine: Engine;
  readonly admit: AdmitHook;
}

export type HookDoor = (path: string, body: unknown, key: string | null) => Promise<HookAnswer>;

export function createHookDoor({ engine, admit, ...options }: HookDoorOptions): HookDoor {
  const decider = createHookDecider(engine, options);

  return async (path, body, key) => {
    const name = path.slice(HOOKS_PATH.length);
    if (!path.startsWith(HOOKS_PATH) || !Object.hasOwn(DIALECTS, name))
      return {
        status: 404,
        body: {
          error: `no such agent; POST ${Object.keys(DIALECTS)
            .map((agent) => HOOKS_PATH + agent)
            .join(', ')}`,
        },
      };
    const dialect = DIALECTS[name as AgentName];
    const told = mapIn({ body } as JsonObject, 'body');
    const eventName = told === null ? null : textIn(told, 'hook_event_name');
    if (told === null || eventName === null)
      return { status: 400, body: { error: 'the body is no hook event: "hook_event_name" is missing' } };
    const event = dialect.read(told);
    const outcome =
      'wrong' in event
        ? failed({ t: kindOf(eventName) }, `the event cannot be read: ${event.wrong}`)
        : await decided(dialect, event, key);
    return { status: 200, body: dialect.write(outcome, eventName) };
  };

  function decided({ agent }: Dialect, event: HookEvent, key: string | null) {
    const init = admit(key, { id: event.session, agent: { name: agent } });
    if (!('agent' in init)) return failed(event, init.message);
    return decider.decide({ ...init, id: init.id ?? event.session }, event);
  }
}

/** What an event that cannot be read is about: a call is not let through for that. */
function kindOf(name: string): HookEvent['t'] {
  if (/^(PreToolUse|BeforeTool)$/.test(name)) return 'call';
  return /^(PostToolUse|PostToolUseFailure|AfterTool)$/.test(name) ? 'result' : 'other';
}
