// What the door remembers of the sessions it serves: that they are open, where they began, which calls are out. Bounded,
// and nothing of it is needed to decide: after a restart it is read from the record, or forgotten without harm.
import type { Engine, SessionInit } from '../engine/types.ts';
import { canonicalize } from '../step/canonical.ts';
import type { JsonObject } from '../step/types.ts';

const SESSIONS_MAX = 2_000;
const CALLS_MAX = 256;
/** Where a session's first folder is looked for in the record. */
const FIRST_STEPS = 20;

export interface OpenedSession {
  /** The folder that it began in, absolute. */
  readonly workspace: string;
  /** Ids of calls that are out, by tool and arguments, for agents that give their calls none. */
  readonly calls: Map<string, string[]>;
  /** How often it was not let go with nothing done in between. */
  refusals: number;
  /** What it was told when it was last not let go: some agents hear it as their user's words. */
  asked: string | null;
}

export function createSessions(engine: Pick<Engine, 'openSession' | 'steps'>) {
  const sessions = new Map<string, Promise<OpenedSession>>();

  async function open(init: SessionInit & { readonly id: string }, cwd: string): Promise<OpenedSession> {
    const { steps } = await engine.openSession({ ...init, door: 'coding-agent' });
    return {
      workspace: (steps > 1 ? await firstFolder(init.id) : null) ?? cwd,
      calls: new Map(),
      refusals: 0,
      asked: null,
    };
  }

  async function firstFolder(session: string): Promise<string | null> {
    const { steps } = await engine.steps(session, { from: 0, limit: FIRST_STEPS });
    for (const { step } of steps) {
      const folder = step.attributes?.workspace;
      if (typeof folder === 'string') return folder;
    }
    return null;
  }

  return {
    /** Of this agent, principal and tenant: the engine refuses the session to any other. */
    opened(init: SessionInit & { readonly id: string }, cwd: string): Promise<OpenedSession> {
      const key = JSON.stringify([init.id, init.agent.name, init.principal, init.tenant]);
      let session = sessions.get(key);
      if (session === undefined) {
        session = open(init, cwd);
        session.catch(() => sessions.delete(key));
        if (sessions.size >= SESSIONS_MAX) sessions.delete(sessions.keys().next().value as string);
      } else sessions.delete(key);
      sessions.set(key, session);
      return session;
    },
  };
}

/** Remembers the id that the call was decided under, for its result to be joined to it. */
export function callOut(session: OpenedSession, tool: string, args: JsonObject, id: string): void {
  const key = keyOf(tool, args);
  const ids = session.calls.get(key) ?? [];
  ids.push(id);
  if (session.calls.size >= CALLS_MAX) session.calls.delete(session.calls.keys().next().value as string);
  session.calls.set(key, ids);
}

/** The id of the oldest such call, once. */
export function callBack(session: OpenedSession, tool: string, args: JsonObject): string | null {
  const key = keyOf(tool, args);
  const ids = session.calls.get(key);
  const id = ids?.shift() ?? null;
  if (ids?.length === 0) session.calls.delete(key);
  return id;
}

function keyOf(tool: string, args: JsonObject): string {
  return canonicalize({ tool, args });
}
