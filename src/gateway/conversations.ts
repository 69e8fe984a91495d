// Which session a request belongs to, from what it shows of its conversation: vendors' ids, ids of calls, or what was said so
// far. Each exchange is written to a journal before its reply ends, so that a conversation is known again after a restart.
import { hash } from 'node:crypto';
import type { Fields } from './fields.ts';
import type { Item, ModelRequest } from './types.ts';

/** What is known of a conversation. */
export interface Conversation {
  readonly session: string;
  readonly scope: string;
  /** Calls by the id the client knows, latest last. */
  readonly calls: Map<string, KnownCall>;
  /** Digests of what was said and done. */
  readonly said: Set<string>;
  /** Where it has come to. */
  tip: string;
}

export interface KnownCall {
  readonly name: string;
  /** The id under which the session knows it. */
  readonly id: string;
  /** Set when the client never got it: what the model is told in place of a result. */
  readonly withheld?: string;
  /** Of a withheld one: as it stood in the reply, where the vendor wants it told again. */
  readonly item?: Fields;
}

export interface Found {
  readonly conversation: Conversation | null;
  /** What the session has not seen yet. */
  readonly fresh: readonly Item[];
  /** All that was shown. */
  readonly all: readonly Item[];
  /** The chain of digests over all that was shown. */
  readonly tip: string;
}

/** One exchange, as the journal keeps it. */
export interface Exchange {
  readonly session: string;
  readonly scope: string;
  readonly tips: readonly string[];
  readonly said: readonly string[];
  readonly calls: readonly (readonly [callId: string, call: KnownCall])[];
  readonly threads: readonly string[];
}

const CONVERSATIONS_MAX = 50_000;
const CALLS_MAX = 2_000;
const SAID_MAX = 5_000;
/** Sessions that have come to the same point, of which the oldest is forgotten. */
const SAME_MAX = 8;
/** Words long enough to tell a conversation by when nothing else does. */
const TELLING = 80;

export interface Conversations {
  find(scope: string, request: ModelRequest, hints: { session: string | null; retry: boolean }): Found;
  /** A conversation of a session that is new here. */
  begin(session: string, scope: string): Conversation;
  /** Its session takes no more steps. */
  forget(conversation: Conversation): void;
  /** Takes in an exchange: one that took place, or one of the journal. */
  take(exchange: Exchange): Conversation;
}

export function createConversations(): Conversations {
  /** Least recently used first. */
  const bySession = new Map<string, Conversation>();
  const byTip = new Map<string, string[]>();
  const byCall = new Map<string, string>();
  const byThread = new Map<string, string>();
  const byWords = new Map<string, string>();

  function use(session: string | undefined): Conversation | null {
    const known = session === undefined ? undefined : bySession.get(session);
    if (known === undefined) return null;
    bySession.delete(known.session);
    bySession.set(known.session, known);
    return known;
  }

  function begin(session: string, scope: string): Conversation {
    const made: Conversation = { session, scope, calls: new Map(), said: new Set(), tip: '' };
    bySession.set(session, made);
    if (bySession.size > CONVERSATIONS_MAX) bySession.delete(bySession.keys().next().value as string);
    for (const index of [byTip, byCall, byThread, byWords]) trim(index);
    return made;
  }

  /** The conversation that came to this point; of several one that is still there, else the latest. */
  function atTip(tip: string): Conversation | null {
    const known = (byTip.get(tip) ?? [])
      .map((session) => bySession.get(session))
      .filter((one) => one !== undefined);
    return use((known.find((one) => one.tip === tip) ?? known.at(-1))?.session);
  }

  function find(
    scope: string,
    request: ModelRequest,
    hints: { session: string | null; retry: boolean },
  ): Found {
    const { items, thread } = request;
    const spoken = items.filter((item) => item.t !== 'system');
    const chain = chainOf(scope, spoken);
    const tip = chain.at(-1) ?? startOf(scope);
    if (hints.session !== null) {
      const named = use(hints.session);
      return of(named?.scope === scope ? named : null, items, tip);
    }
    if (thread !== null) {
      const conversation = use(byThread.get(keyOf(scope, thread)));
      if (conversation !== null)
        return { conversation, fresh: items, all: items, tip: digest(conversation.tip, tip) };
    }
    const kept = byReference(scope, items, tip);
    if (kept !== null) return kept;
    const replies = spoken.findIndex((item) => item.t === 'assistant' || item.t === 'result');
    for (let i = chain.length - 1; i >= 0; i--) {
      // The first words alone are anybody's, unless they are said again because the answer got lost.
      if ((replies < 0 || i < replies) && !(hints.retry && i === chain.length - 1)) break;
      const conversation = atTip(chain[i]!);
      if (conversation === null) continue;
      const seen = new Set<Item>(spoken.slice(0, i + 1));
      const fresh = items.filter(
        (item) => !seen.has(item) && !(item.t === 'system' && conversation.said.has(digestOf(item))),
      );
      return { conversation, fresh, all: items, tip };
    }
    return of(byTrace(scope, spoken), items, tip);
  }

  /** By what the vendor keeps of it: what comes after the last of that, and of its calls, is new. */
  function byReference(scope: string, items: readonly Item[], tip: string): Found | null {
    const named = items.findLast((item) => item.t === 'reference');
    const conversation = named === undefined ? null : use(byThread.get(keyOf(scope, named.id)));
    if (conversation === null) return null;
    const { said, calls } = conversation;
    const last = items.findLastIndex(
      (item) =>
        item.t === 'reference' ||
        (item.t === 'assistant' && item.calls.some(({ callId }) => calls.has(callId))),
    );
    const fresh = items.filter((item, i) => (item.t === 'system' ? !said.has(digestOf(item)) : i > last));
    return { conversation, fresh, all: items, tip };
  }

  /** By a call it made, or by words that nobody else would have said. */
  function byTrace(scope: string, spoken: readonly Item[]): Conversation | null {
    for (const item of spoken.toReversed()) {
      const ids =
        item.t === 'assistant'
          ? item.calls.map((call) => call.callId)
          : item.t === 'result'
            ? [item.callId]
            : [];
      for (const id of ids) {
        const conversation = use(byCall.get(keyOf(scope, id)));
        if (conversation !== null && isTelling(id)) return conversation;
      }
    }
    for (const item of spoken.toReversed()) {
      if (item.t !== 'assistant' || item.text.length < TELLING) continue;
      const conversation = use(byWords.get(keyOf(scope, digestOf(item))));
      if (conversation !== null) return conversation;
    }
    return null;
  }

  /** What comes after the last reply or result that is known; where none is, what is not known. */
  function of(conversation: Conversation | null, items: readonly Item[], tip: string): Found {
    if (conversation === null) return { conversation, fresh: items, all: items, tip };
    const { said, calls } = conversation;
    const last = items.findLastIndex(
      (item) =>
        (item.t === 'result' && said.has(digestOf(item))) ||
        (item.t === 'assistant' &&
          (said.has(digestOf(item)) || item.calls.some(({ callId }) => calls.has(callId)))),
    );
    const fresh = items.filter((item, i) =>
      item.t === 'system' || last < 0 ? !said.has(digestOf(item)) : i > last,
    );
    return { conversation, fresh, all: items, tip };
  }

  function take(exchange: Exchange): Conversation {
    const { session, scope } = exchange;
    const conversation = use(session) ?? begin(session, scope);
    for (const [callId, call] of exchange.calls) {
      remember(conversation.calls, callId, call, CALLS_MAX);
      byCall.set(keyOf(scope, callId), session);
    }
    for (const said of exchange.said) {
      conversation.said.add(said);
      if (conversation.said.size > SAID_MAX)
        conversation.said.delete(conversation.said.values().next().value as string);
      if (said.startsWith('w')) byWords.set(keyOf(scope, said), session);
    }
    for (const thread of exchange.threads) byThread.set(keyOf(scope, thread), session);
    for (const tip of exchange.tips) {
      const same = (byTip.get(tip) ?? []).filter((one) => one !== session);
      byTip.set(tip, [...same, session].slice(-SAME_MAX));
      conversation.tip = tip;
    }
    return conversation;
  }

  return { find, begin, take, forget: ({ session }) => void bySession.delete(session) };
}

/** Entries of conversations that are forgotten go when there are too many. */
function trim(index: Map<string, unknown>): void {
  const max = CONVERSATIONS_MAX * 10;
  while (index.size > max) index.delete(index.keys().next().value as string);
}

function remember<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > max) map.delete(map.keys().next().value as string);
}

function keyOf(scope: string, id: string): string {
  return `${scope} ${id}`;
}

/** Ids that count from 0 in every conversation tell none. */
function isTelling(id: string): boolean {
  return id.length >= 9 && !id.includes('@');
}

function startOf(scope: string): string {
  return digest('start', scope);
}

/** Digests of the conversation up to each item, from a beginning that is the scope's own. */
export function chainOf(scope: string, items: readonly Item[]): string[] {
  let at = startOf(scope);
  return items.map((item) => {
    at = digest(at, digestOf(item));
    return at;
  });
}

/** Where the conversation is with the reply, given where it was. */
export function tipAfter(tip: string, reply: Item): string {
  return digest(tip, digestOf(reply));
}

/** Of what an item says. White space does not count: clients join and trim it. */
export function digestOf(item: Item): string {
  switch (item.t) {
    case 'assistant': {
      const words = digest('assistant', bare(item.text), ...item.calls.map((call) => call.callId).sort());
      return item.text.length >= TELLING ? `w${words}` : words;
    }
    case 'result':
      return digest('result', item.callId, item.text);
    case 'document':
      return digest('document', item.name, item.text);
    case 'reference':
      return digest('reference', item.id);
    default:
      return digest(item.t, item.text);
  }
}

function bare(text: string): string {
  let out = '';
  for (const word of text.split(' ')) out += word.trim();
  return out.replaceAll('\n', '').replaceAll('\r', '').replaceAll('\t', '');
}

function digest(...texts: readonly string[]): string {
  let whole = '';
  for (const text of texts) whole += `${text.length}:${text}`;
  return hash('sha256', whole, 'base64url').slice(0, 22);
}
