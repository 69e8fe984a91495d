// Which session and which guard a request belongs to. A session that the server gave out is trusted to be one; an id that
// nobody gave out is not, or a client could have a fresh history for every call.
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SessionInit } from '../../engine/types.ts';
import { createGuard, type Guard } from '../guard/guard.ts';
import type { GuardedSession } from '../guard/session.ts';
import { createTasks, type Tasks } from '../guard/tasks.ts';
import type { Guarded } from '../guard/types.ts';
import { OWN_SESSION_HEADER, SESSION_HEADER } from '../wire/headers.ts';

export interface Scope {
  readonly guard: Guard;
  readonly session: GuardedSession;
  /** The server's session goes on over several requests: an answer may come by another of them. */
  readonly lasting: boolean;
}

/** Whose steps a request's are. A session is found by the same caller only. */
export type Who = Omit<SessionInit, 'id'>;

export interface Scopes {
  of(request: IncomingMessage, upstream: string, who: Who): Scope;
  /** The server gave out a session. */
  begin(request: IncomingMessage, upstream: string, who: Who, session: string): void;
  /** The client ended it. */
  end(upstream: string, who: Who, session: string): void;
  close(): Promise<void>;
}

export interface ScopesOptions {
  readonly open: (init: SessionInit, own: boolean) => GuardedSession;
  readonly guarded: (upstream: string, session: GuardedSession) => Guarded;
  readonly log: (line: string) => void;
}

const SCOPES_MAX = 10_000;
const NAME = /^[\x21-\x7e]{1,128}$/;

export function createScopes({ open, guarded, log }: ScopesOptions): Scopes {
  const run = randomUUID();
  /** Sessions that servers gave out, the latest used last. */
  const lasting = new Map<string, Scope>();
  /** Interlock sessions that are not bound to a session of a server. */
  const shared = new Map<string, GuardedSession>();

  function sharedSession(request: IncomingMessage, who: Who): GuardedSession {
    const named = namedSession(request);
    const key = digest([named === null ? run : `named ${named}`, request.headers.authorization ?? '', who]);
    let session = shared.get(key);
    if (session === undefined) {
      session = open({ ...who, id: named ?? `mcp-${key}` }, false);
      shared.set(key, session);
      if (shared.size > SCOPES_MAX) shared.delete(shared.keys().next().value!);
    }
    return session;
  }

  /** What calls of one session to one server share, though each comes by a connection of its own. */
  const parts = new WeakMap<
    GuardedSession,
    Map<string, { readonly guarded: Guarded; readonly tasks: Tasks }>
  >();
  function guardOf(upstream: string, session: GuardedSession): Guard {
    const known = parts.get(session) ?? new Map();
    parts.set(session, known);
    let part = known.get(upstream);
    if (part === undefined) {
      const whole = guarded(upstream, session);
      part = { guarded: whole, tasks: createTasks(whole) };
      known.set(upstream, part);
    }
    return createGuard(part.guarded, part.tasks);
  }

  async function endSession(session: GuardedSession): Promise<void> {
    await session.end().catch((error: unknown) => {
      log(`a session stays open: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  return {
    of(request, upstream, who) {
      const id = request.headers[SESSION_HEADER];
      const key = typeof id === 'string' ? digest([upstream, id, who]) : '';
      const known = lasting.get(key);
      if (known !== undefined) {
        lasting.delete(key);
        lasting.set(key, known);
        return known;
      }
      const session = sharedSession(request, who);
      return { guard: guardOf(upstream, session), session, lasting: false };
    },
    begin(request, upstream, who, id) {
      const key = digest([upstream, id, who]);
      if (lasting.has(key)) return;
      const session =
        namedSession(request) === null
          ? open({ ...who, id: `mcp-${key}` }, true)
          : sharedSession(request, who);
      lasting.set(key, { guard: guardOf(upstream, session), session, lasting: true });
      if (lasting.size > SCOPES_MAX) lasting.delete(lasting.keys().next().value!);
    },
    end(upstream, who, id) {
      const key = digest([upstream, id, who]);
      const scope = lasting.get(key);
      if (scope === undefined) return;
      lasting.delete(key);
      void endSession(scope.session);
    },
    async close() {
      await Promise.all([...lasting.values()].map(({ session }) => endSession(session)));
    },
  };
}

function namedSession(request: IncomingMessage): string | null {
  const named = request.headers[OWN_SESSION_HEADER];
  return typeof named === 'string' && NAME.test(named) ? named : null;
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
