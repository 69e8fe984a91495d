// The guard of one connection: pairs requests with their answers in both directions, and sends each to the part that
// judges it. What it does not know passes as it is; an answer that nobody asked for does not.

import { toJson } from '../../step/json.ts';
import { hiddenIn } from '../tools/hidden-text.ts';
import {
  errorText,
  type Fields,
  field,
  type Id,
  INVALID_REQUEST,
  idKey,
  type Message,
  notificationText,
  type Request,
  requestText,
  resultText,
  UNAVAILABLE,
} from '../wire/message.ts';
import { isInputRequired, isStateless } from '../wire/revision.ts';
import { refusedCall, refusedRequest } from './answers.ts';
import { type Ask, answersOfClient, asksOfServer, decideAnswer, decideAsk } from './asks.ts';
import { proposeCall, proposeRead, type Started, settle, settleAnswer, unrecordedCall } from './calls.ts';
import { ELICITATION, lostOutcome, promptOutcome, READ, SAMPLING, unknownOutcome } from './steps.ts';
import { createTasks, type Tasks } from './tasks.ts';
import type { Fate, Guarded, Peer, Pending } from './types.ts';

export interface Guard {
  fromClient(message: Message, peer: Peer): Promise<Fate>;
  /** `text` is the message as it came; what needs no change goes on as exactly that. */
  fromServer(message: Message, text: string, peer: Peer): Promise<Fate>;
  /** Whether a request is still waited for. */
  waits(id: Id): boolean;
  /** The answer may never come, though it still may: its place is given to another when there are too many. */
  abandon(id: Id): void;
  /**
   * The server will not answer any more: records it, and gives what the client is to be told. `ran` is false only when
   * the server surely never saw the request. Of all requests that are waited for when no id is given.
   */
  lose(why: string, options: { readonly ran: boolean; readonly id?: Id }): Promise<string[]>;
}

const PENDING_MAX = 2_000;
/** Requests that are decided. A careless reader may act on one that has no id, and so is none. */
const DECIDED: ReadonlySet<string> = new Set([
  ...['tools/call', 'resources/read', 'prompts/get', 'tasks/update'],
  ...[SAMPLING, ELICITATION],
]);
const SETTLED_MAX = 64;
const SETTLED_LENGTH_MAX = 1 << 16;

/** `tasks` are those of the session, where it goes on over several connections. */
export function createGuard(guarded: Guarded, tasks: Tasks = createTasks(guarded)): Guard {
  const deciding = new Map<string, AbortController>();
  const pending = new Map<string, { readonly id: Id; readonly what: Pending }>();
  const abandoned = new Set<string>();
  /** Records of calls that went on early: until they are there, nothing the server says goes to the client. */
  const recording = new Set<Promise<unknown>>();
  /** Of the server's requests, those that are being decided, and those that the client has. */
  const asking = new Set<string>();
  const asked = new Map<string, { readonly ask: Ask; readonly text: string }>();
  /** Answers given lately: a resumed stream may bring them once more. */
  const settled = new Map<string, { readonly text: string; readonly fate: Fate }>();

  async function request(message: Request, peer: Peer): Promise<Fate> {
    const { id, method, params } = message;
    const key = idKey(id);
    if (pending.has(key) || deciding.has(key))
      return answer(errorText(id, INVALID_REQUEST, 'The id belongs to a request that is not answered yet'));
    if (pending.size + deciding.size >= PENDING_MAX && !dropAbandoned())
      return answer(errorText(id, UNAVAILABLE, `${PENDING_MAX} requests are waiting already`));
    const cancel = new AbortController();
    deciding.set(key, cancel);
    const onGone = () => cancel.abort();
    if (peer.signal?.aborted) onGone();
    peer.signal?.addEventListener('abort', onGone, { once: true });
    try {
      const { fate, pending: what } = await start(message, { notify: peer.notify, signal: cancel.signal });
      if (what !== null) pending.set(key, { id, what });
      if (what?.t === 'call' && what.recorded !== undefined) keepBack(what.recorded);
      return fate;
    } catch (error) {
      guarded.log(`failed: ${error instanceof Error ? error.message : String(error)}`);
      return answer(
        errorText(id, UNAVAILABLE, 'The request could not be judged.', { interlock: { error: 'internal' } }),
      );
    } finally {
      peer.signal?.removeEventListener('abort', onGone);
      deciding.delete(key);
    }

    async function start(message: Request, peer: Peer): Promise<Started> {
      const passes = (what: Pending): Started => ({
        fate: { t: 'forward', text: requestText(id, method, params) },
        pending: what,
      });
      switch (method) {
        case 'tools/call':
          return proposeCall(guarded, message, peer);
        case 'resources/read':
          return proposeRead(guarded, message, peer);
        case 'tools/list':
          return passes({ t: 'tools', continued: params.cursor !== undefined });
        case 'initialize':
        case 'server/discover':
          return passes({ t: 'greeting' });
        case 'prompts/get':
        case 'tasks/update': {
          const refusal = await answersOfClient(guarded, params, peer);
          if (refusal !== null) return { fate: answer(refusedRequest(id, refusal)), pending: null };
          if (method === 'tasks/update') return passes({ t: 'other' });
          return passes({ t: 'prompt', name: typeof params.name === 'string' ? params.name : '' });
        }
        case 'tasks/get':
        case 'tasks/result': {
          const taskId = typeof params.taskId === 'string' ? params.taskId : '';
          return passes({
            t: 'task',
            taskId,
            whole: method === 'tasks/result',
            stateless: isStateless(params),
          });
        }
        default:
          return passes({ t: 'other' });
      }
    }
  }

  function keepBack(recorded: Promise<unknown>): void {
    recording.add(recorded);
    void recorded.finally(() => recording.delete(recorded));
  }

  function dropAbandoned(): boolean {
    for (const key of abandoned) {
      abandoned.delete(key);
      if (pending.delete(key)) return true;
    }
    return false;
  }

  function abandon(id: Id): void {
    if (pending.has(idKey(id))) abandoned.add(idKey(id));
  }

  /** What the client gets instead of an answer; null: the answer as it is. */
  async function judged(
    id: Id,
    what: Pending,
    given: { readonly result: Fields } | { readonly error: Fields },
    peer: Peer,
  ): Promise<string | null> {
    if (what.t === 'call' || what.t === 'read') {
      if (what.t === 'call' && 'result' in given && tasks.begins(what, given.result)) {
        const refusal = await unrecordedCall(what);
        return refusal === null ? null : refusedCall({ id, stateless: what.stateless, ran: true }, refusal);
      }
      return settleAnswer(guarded, what, id, given, peer);
    }
    if ('error' in given) return null;
    const { result } = given;
    switch (what.t) {
      case 'tools':
        return filtered(id, result, what.continued);
      case 'prompt': {
        if (isInputRequired(result)) {
          const refusal = await asksOfServer(guarded, result, peer);
          return refusal === null ? null : refusedRequest(id, refusal);
        }
        const ruling = await guarded.session.decide(
          {
            kind: 'retrieval',
            name: `${guarded.prefix}${what.name || 'prompts/get'}`,
            labels: ['mcp'],
            ...promptOutcome(result),
          },
          { ran: true },
        );
        return ruling.t === 'allowed' || ruling.t === 'cancelled' ? null : refusedRequest(id, ruling, true);
      }
      case 'task':
        return tasks.judge(id, what, result, peer);
      case 'greeting': {
        for (const detail of hiddenInGreeting(result))
          guarded.log(`hidden-text: ${guarded.catalogue.server}: its greeting: ${detail}`);
        return null;
      }
      case 'other':
        return null;
    }
  }

  /** Tools that are never allowed, or are not what they were, are left out. */
  async function filtered(id: Id, result: Fields, continued: boolean): Promise<string | null> {
    if (!Array.isArray(result.tools)) return null;
    const tools: readonly unknown[] = result.tools;
    const kept = guarded.catalogue.review(tools, { continued });
    const names = tools.map((tool) => `${guarded.prefix}${String(field(tool, 'name'))}`);
    const hidden = await guarded.spec.hidden(names).catch((error: unknown) => {
      guarded.log(
        `tools/list is not filtered by the spec: ${error instanceof Error ? error.message : String(error)}`,
      );
      return new Set<string>();
    });
    const shown = tools.filter((_, i) => kept[i] === true && !hidden.has(names[i]!));
    return shown.length === tools.length ? null : resultText(id, { ...result, tools: shown });
  }

  async function answered(
    id: Id,
    message: Extract<Message, { t: 'result' | 'error' }>,
    text: string,
    peer: Peer,
  ) {
    const key = idKey(id);
    const found = pending.get(key);
    if (found === undefined) {
      const again = settled.get(key);
      return again !== undefined && again.text === text
        ? again.fate
        : drop('an answer that nobody waits for');
    }
    pending.delete(key);
    abandoned.delete(key);
    const given = message.t === 'result' ? { result: message.result } : { error: message.error };
    const instead = await judged(id, found.what, given, peer).catch((error: unknown) => {
      // What cannot be judged is not passed on, and the client does not wait for it.
      guarded.log(`failed: ${error instanceof Error ? error.message : String(error)}`);
      return errorText(id, UNAVAILABLE, 'The answer could not be judged.', {
        interlock: { error: 'internal' },
      });
    });
    const fate: Fate = { t: 'forward', text: instead ?? text };
    if (text.length <= SETTLED_LENGTH_MAX) {
      settled.set(key, { text, fate });
      if (settled.size > SETTLED_MAX) settled.delete(settled.keys().next().value!);
    }
    return fate;
  }

  return {
    async fromClient(message, peer) {
      switch (message.t) {
        case 'request':
          return request(message, peer);
        case 'notification': {
          const { method, params } = message;
          if (DECIDED.has(method)) return drop(`${method} without an id, which nobody could be answered`);
          if (method === 'notifications/cancelled') {
            const { requestId } = params;
            const open = isId(requestId) ? deciding.get(idKey(requestId)) : undefined;
            if (open !== undefined) {
              open.abort();
              return drop('the server has not seen the request that is cancelled');
            }
            if (isId(requestId)) abandon(requestId);
          }
          return { t: 'forward', text: notificationText(method, params) };
        }
        case 'result':
        case 'error': {
          const found = message.id === null ? undefined : asked.get(idKey(message.id));
          if (message.id === null || found === undefined)
            return drop('an answer that the server did not ask for');
          asked.delete(idKey(message.id));
          if (message.t === 'error') {
            const { error } = message;
            return { t: 'forward', text: JSON.stringify({ jsonrpc: '2.0', id: message.id, error }) };
          }
          const refusal = await decideAnswer(guarded, found.ask, message.result, peer);
          const text =
            refusal === null
              ? resultText(message.id, message.result)
              : refusedRequest(message.id, refusal, true);
          return { t: 'forward', text };
        }
      }
    },

    async fromServer(message, text, peer) {
      if (recording.size > 0 && message.t !== 'result') await Promise.all(recording);
      switch (message.t) {
        case 'request': {
          const { id, method, params } = message;
          const key = idKey(id);
          const open = asked.get(key);
          // A resumed stream brings what was asked once more; anything else would have its answer judged as another's.
          if (open?.text === text) return { t: 'forward', text };
          if (open !== undefined || asking.has(key))
            return answer(
              errorText(id, INVALID_REQUEST, 'The id belongs to a request that is not answered yet'),
            );
          if (asked.size + asking.size >= PENDING_MAX)
            return answer(errorText(id, UNAVAILABLE, 'Too much is asked at once'));
          asking.add(key);
          try {
            const { ask, refusal } = await decideAsk(guarded, method, params, peer);
            if (refusal !== null) return answer(refusedRequest(id, refusal));
            asked.set(key, { ask, text });
            return { t: 'forward', text };
          } finally {
            asking.delete(key);
          }
        }
        case 'notification': {
          if (DECIDED.has(message.method))
            return drop(`${message.method} without an id, which nobody could be answered`);
          const refusal = await tasks.notified(message.method, message.params, peer);
          return refusal === null ? { t: 'forward', text } : drop('the result of a task is withheld');
        }
        case 'result':
          return answered(message.id, message, text, peer);
        case 'error':
          return message.id === null ? { t: 'forward', text } : answered(message.id, message, text, peer);
      }
    },

    waits: (id) => pending.has(idKey(id)),
    abandon,

    async lose(why, { ran, id }) {
      const all = [...pending.values()];
      const open = id === undefined ? all : all.filter((one) => one.id === id);
      for (const one of open) pending.delete(idKey(one.id));
      if (id === undefined) for (const cancel of deciding.values()) cancel.abort();
      await Promise.all(
        open.map(({ what }) => {
          if (what.t !== 'call' && what.t !== 'read') return null;
          const name = what.t === 'call' ? what.name : guarded.prefix + READ;
          return settle(guarded, name, what.callId, ran ? unknownOutcome(why) : lostOutcome(why));
        }),
      );
      const data = { interlock: { error: 'upstream-failed' } };
      return open.map((one) => errorText(one.id, UNAVAILABLE, why, data));
    },
  };
}

function hiddenInGreeting(result: Fields): string[] {
  const { instructions, serverInfo } = result;
  const parsed = toJson({ instructions: instructions ?? null, serverInfo: serverInfo ?? null });
  return parsed.ok ? hiddenIn(parsed.value) : [];
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number';
}

function answer(text: string): Fate {
  return { t: 'answer', text };
}

function drop(why: string): Fate {
  return { t: 'drop', why };
}
