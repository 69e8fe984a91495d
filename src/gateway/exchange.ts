// One model request from its arrival to the end of its reply: known again, recorded, decided, sent on, judged, remembered. Knows
// no wire format; what is written to the client goes through `Client`.
import { EngineError } from '../engine/problem.ts';
import type { Engine, Recorded } from '../engine/types.ts';
import type { SessionInit } from '../step/types.ts';
import type { GatewayConfig, Upstream } from './config.ts';
import { targetsOf } from './config.ts';
import {
  type Conversation,
  type Conversations,
  digestOf,
  type Exchange,
  type Found,
  type KnownCall,
  tipAfter,
} from './conversations.ts';
import { createDesk, type ServedDesk } from './desk.ts';
import type { Fields } from './fields.ts';
import type { Journal } from './journal.ts';
import { permission } from './permission.ts';
import { callNamer, stepsOf } from './steps.ts';
import type { Endpoint, Item, ModelRequest, Protocol } from './types.ts';
import { reasons, whyClosed } from './words.ts';

export interface ExchangeParts {
  readonly engine: Engine;
  readonly config: GatewayConfig;
  readonly conversations: Conversations;
  readonly journal: Journal;
  readonly onFailure: (error: unknown) => void;
}

export interface Incoming {
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  readonly body: Fields;
  readonly request: ModelRequest;
  readonly upstream: Upstream;
  readonly init: Omit<SessionInit, 'id'>;
  /** Of the caller, so that nobody's conversation is found by another. */
  readonly scope: string;
  /** A session the caller names. */
  readonly session: string | null;
  /** The client sends again what got no answer. */
  readonly retry: boolean;
  readonly signal: AbortSignal;
}

/** The policy's no to the request itself. */
export class RequestDenied extends Error {
  readonly code: 'interlock_denied' | 'interlock_held';
  readonly session: string;
  readonly recorded: Recorded | null;
  readonly hold: string | null;
  constructor(
    code: 'interlock_denied' | 'interlock_held',
    message: string,
    session: string,
    recorded: Recorded | null,
    hold: string | null,
  ) {
    super(message);
    this.code = code;
    this.session = session;
    this.recorded = recorded;
    this.hold = hold;
  }
}

/** A request that may go on. */
export interface Admitted {
  readonly session: string;
  readonly verdict: 'allow' | 'transform';
  readonly request: ModelRequest;
  /** Where to try, in order, each with its body. */
  readonly targets: readonly { readonly upstream: Upstream; readonly body: Fields; readonly model: string }[];
  readonly on: ReturnType<typeof targetsOf>['on'];
  /** Resolves when all up to here is on record: nothing reaches the client before. */
  readonly durable: Promise<unknown>;
  desk(signal: AbortSignal): Promise<ServedDesk>;
  /** Remembers the exchange, once its reply is all there. */
  conclude(desk: ServedDesk): void;
}

const OVER: readonly string[] = ['unknown-session', 'session-ended'];

/** @throws RequestDenied, Unreadable, EngineError */
export async function admit(parts: ExchangeParts, incoming: Incoming): Promise<Admitted> {
  const { conversations } = parts;
  const { scope, session, retry, request } = incoming;
  const found = conversations.find(scope, request, { session, retry });
  try {
    return await admitTo(parts, incoming, request, found);
  } catch (error) {
    const over = error instanceof EngineError && OVER.includes(error.problem.code);
    if (!over || session !== null || found.conversation === null) throw error;
    // A conversation whose session is over goes on in a new one, from its beginning.
    conversations.forget(found.conversation);
    return admitTo(parts, incoming, request, { ...found, conversation: null, fresh: found.all });
  }
}

async function admitTo(
  parts: ExchangeParts,
  incoming: Incoming,
  request: ModelRequest,
  found: Found,
): Promise<Admitted> {
  const { engine, config } = parts;
  const { protocol, endpoint, body, signal } = incoming;
  const { fresh } = found;
  const { conversation, opened } = await open(parts, incoming, found);
  const { session } = conversation;
  const { before, asked } = stepsOf(fresh, request, conversation.calls);
  // All of them in one turn, so that they become durable as one.
  const noted = before.map((proposal) => engine.decide(session, proposal));
  let told: (recorded: Recorded) => void = () => {};
  const early = new Promise<Recorded>((resolve) => {
    told = resolve;
  });
  const recorded = engine.decide(session, asked, told);
  const durable = Promise.all([opened, ...noted, recorded]);
  durable.catch(() => undefined);
  let first = await Promise.race([early, durable.then(() => recorded)]);
  if (first.decision.verdict === 'hold') {
    await durable;
    const permit = await permission(engine, session, asked, config.holdMs, signal);
    if (permit.t === 'held') {
      const why =
        permit.hold.state === 'pending'
          ? `it waits for approval by ${permit.hold.by.join(' or ')}`
          : whyClosed(permit.hold);
      throw new RequestDenied(
        'interlock_held',
        `The model request did not go on: ${why}`,
        session,
        null,
        permit.hold.id,
      );
    }
    first = permit.recorded;
  }
  const { decision } = first;
  if (decision.verdict !== 'allow' && decision.verdict !== 'transform') {
    await durable;
    throw new RequestDenied(
      'interlock_denied',
      `The model request was denied. ${reasons(decision.rules)}`,
      session,
      first,
      null,
    );
  }
  const changed = decision.transformed === undefined ? body : protocol.withArgs(body, decision.transformed);
  // A vendor that keeps the conversation waits for results of calls that the client never got.
  const missing = [...conversation.calls].flatMap(([callId, { withheld: text, item }]) =>
    text === undefined ? [] : [{ callId, text, ...(item === undefined ? {} : { item }) }],
  );
  const goes = protocol.withResults(changed, missing);
  const { targets, on } = targetsOf(config, incoming.upstream, request.model);
  const namer = callNamer(conversation);

  return {
    session,
    verdict: decision.verdict,
    request,
    targets: targets.map(({ upstream, model }) => ({
      upstream,
      model: model ?? request.model,
      body: model === null || endpoint.model !== null ? goes : { ...goes, model },
    })),
    on,
    durable,
    async desk(gone) {
      return createDesk({
        engine,
        session,
        foresight: await engine.foresee(session, { kind: 'output', name: '', content: '' }),
        turn: request.items.filter((item) => item.t === 'assistant').length,
        model: request.model || 'unnamed',
        holdMs: config.holdMs,
        signal: gone,
        nameCall: namer.name,
        onFailure: parts.onFailure,
      });
    },
    conclude: (desk) =>
      conclude(parts, {
        conversation,
        found,
        made: [...namer.made, ...(request.thread === null ? [] : settled(conversation, missing))],
        thread: request.thread,
        desk,
      }),
  };
}

/** The session of the request: the one it names, the one its conversation has, or a new one. */
async function open(
  { engine, conversations }: ExchangeParts,
  { init, session: named, scope }: Incoming,
  { conversation }: Found,
): Promise<{ conversation: Conversation; opened: Promise<unknown> }> {
  const done = Promise.resolve();
  if (named !== null) {
    // What was named by this caller before need not be opened again.
    if (conversation?.scope === scope) return { conversation, opened: done };
    const { id } = await engine.openSession({ ...init, id: named, door: 'gateway' });
    return { conversation: conversations.begin(id, scope), opened: done };
  }
  if (conversation !== null) return { conversation, opened: done };
  const { id, opened } = engine.newSession({ ...init, door: 'gateway' });
  opened.catch(() => undefined);
  return { conversation: conversations.begin(id, scope), opened };
}

/** Calls whose results the vendor has been given. */
function settled(
  { calls }: Conversation,
  missing: readonly { readonly callId: string }[],
): (readonly [string, KnownCall])[] {
  return missing.map(({ callId }) => {
    const { name, id } = calls.get(callId)!;
    return [callId, { name, id }] as const;
  });
}

function conclude(
  { conversations, journal }: ExchangeParts,
  {
    conversation,
    found,
    made,
    thread,
    desk,
  }: {
    conversation: Conversation;
    found: Found;
    made: readonly (readonly [string, KnownCall])[];
    thread: string | null;
    desk: ServedDesk;
  },
): void {
  const { texts, calls } = desk.given;
  const reply: Item = {
    t: 'assistant',
    text: texts.join(''),
    calls: calls.map((callId) => ({ callId, name: '', args: null })),
  };
  const given = new Set(calls);
  const withheld = new Map(desk.withheld.map((one) => [one.callId, one]));
  const exchange: Exchange = {
    session: conversation.session,
    scope: conversation.scope,
    tips: [found.tip, tipAfter(found.tip, reply)],
    said: [...found.fresh, reply].map(digestOf),
    calls: made.map(([callId, call]) => {
      const one = withheld.get(callId);
      if (one === undefined || given.has(callId)) return [callId, call];
      return [callId, { ...call, withheld: one.text, ...(one.item === undefined ? {} : { item: one.item }) }];
    }),
    threads: [
      ...(desk.replyId === null ? [] : [desk.replyId]),
      ...desk.partIds,
      ...(thread?.startsWith('conv_') ? [thread] : []),
    ],
  };
  conversations.take(exchange);
  journal.write(exchange);
}
