// Calls of tools and reads of resources: decided before they reach the server, and again when their results come back.
// Nothing here lets a call or a result through without a ruling.
import { randomUUID } from 'node:crypto';
import type { JsonObject, Proposal } from '../../step/types.ts';
import { twinOf } from '../../step/unique-keys.ts';
import {
  type Fields,
  field,
  isFields,
  notificationText,
  type Request,
  requestText,
  twinIn,
} from '../wire/message.ts';
import { isInputRequired, isStateless } from '../wire/revision.ts';
import { type Refusal, refusedCall, refusedRequest } from './answers.ts';
import { answersOfClient, asksOfServer } from './asks.ts';
import type { Ruling } from './session.ts';
import { callOutcome, failedOutcome, type Outcome, READ, readOutcome } from './steps.ts';
import type { Fate, Guarded, Peer, Pending } from './types.ts';

const CALL_KEYS = ['name', 'arguments', '_meta', 'task', 'inputResponses', 'requestState'];
const READ_KEYS = ['uri', '_meta', 'inputResponses', 'requestState'];
/** Between two progress notifications while a person is asked. */
const PROGRESS_MS = 5_000;

export type Started = { readonly fate: Fate; readonly pending: Pending | null };

export async function proposeCall(guarded: Guarded, request: Request, peer: Peer): Promise<Started> {
  const { id, params } = request;
  const stateless = isStateless(params);
  const refuse = (refusal: Refusal) => stopped(refusedCall({ id, stateless, ran: false }, refusal));
  const { name, arguments: given = {} } = params;
  const twin = twinOf(params, CALL_KEYS);
  if (twin !== null) return refuse(invalid(`The key ${JSON.stringify(twin)} is ambiguous.`));
  if (typeof name !== 'string' || name === '') return refuse(invalid('params.name is the name of a tool.'));
  if (!isFields(given)) return refuse(invalid('params.arguments is an object.'));
  const { findings, refusals, inputSchema } = guarded.catalogue.state(name);
  const twinArgument = twinIn(given, inputSchema);
  if (twinArgument !== null)
    return refuse(
      invalid(`The argument ${JSON.stringify(twinArgument)} is ambiguous: write it as the tool does.`),
    );
  const answers = await answersOfClient(guarded, params, peer);
  if (answers !== null) return refuse(answers);

  const callId = `mcp-${randomUUID()}`;
  const labels = ['mcp', ...new Set(findings.map(({ kind }) => `mcp:${kind}`))];
  const step: Proposal = {
    kind: 'tool.call',
    name: guarded.prefix + name,
    callId,
    args: given as JsonObject,
    labels,
  };
  const early = Promise.withResolvers<null>();
  // What only reads may go on while its record is written: nothing comes back before that is durable (decision 007).
  const reads = refusals.length === 0 && guarded.spec.isRead(step.name);
  const recorded = decidedWhile(guarded, step, params, peer, reads ? () => early.resolve(null) : undefined);
  const ruling = await Promise.race([recorded, early.promise]);
  if (ruling === null)
    return {
      fate: { t: 'forward', text: requestText(id, request.method, params) },
      pending: { t: 'call', callId, name: step.name, stateless, recorded },
    };
  if (ruling.t === 'cancelled') return dropped();
  if (ruling.t !== 'allowed') return refuse(ruling);
  const refusal = refusals[0];
  if (refusal !== undefined) {
    const because = `${name} ${refusal.detail}.`;
    await settle(guarded, step.name, callId, { error: { message: because, type: `mcp:${refusal.kind}` } });
    return refuse({
      t: 'denied',
      halted: false,
      denied: { error: 'denied', rules: [`$mcp-${refusal.kind}`], because, repair: mendOf(guarded, name) },
    });
  }
  const { rewritten } = ruling;
  const args = rewritten ?? (given as JsonObject);
  const sent = rewritten === null && params.arguments === undefined ? params : { ...params, arguments: args };
  return {
    fate: {
      t: 'forward',
      text: requestText(id, request.method, sent),
      ...(rewritten === null ? {} : { rewritten: { inputSchema, args } }),
    },
    pending: { t: 'call', callId, name: step.name, stateless },
  };
}

export async function proposeRead(guarded: Guarded, request: Request, peer: Peer): Promise<Started> {
  const { id, params } = request;
  const { uri } = params;
  const twin = twinOf(params, READ_KEYS);
  if (twin !== null)
    return stopped(refusedRequest(id, invalid(`The key ${JSON.stringify(twin)} is ambiguous.`)));
  if (typeof uri !== 'string')
    return stopped(refusedRequest(id, invalid('params.uri is the URI of a resource.')));
  const answers = await answersOfClient(guarded, params, peer);
  if (answers !== null) return stopped(refusedRequest(id, answers));
  const callId = `mcp-${randomUUID()}`;
  const name = guarded.prefix + READ;
  const step: Proposal = { kind: 'tool.call', name, callId, args: { uri }, labels: ['mcp'] };
  const ruling = await decidedWhile(guarded, step, params, peer);
  if (ruling.t === 'cancelled') return dropped();
  if (ruling.t !== 'allowed') return stopped(refusedRequest(id, ruling));
  const { rewritten } = ruling;
  if (rewritten !== null && typeof rewritten.uri !== 'string') {
    const message = 'A rule rewrites this read, and leaves it without a URI.';
    await settle(guarded, name, callId, { error: { message, type: 'not-run' } });
    return stopped(refusedRequest(id, { t: 'failed', code: 'not-rewritable', message }));
  }
  return {
    fate: {
      t: 'forward',
      text: requestText(id, request.method, rewritten === null ? params : { ...params, uri: rewritten.uri }),
    },
    pending: { t: 'read', callId, stateless: isStateless(params) },
  };
}

/** What the client gets of the server's answer to a call or a read; null: the answer as it is. */
export async function settleAnswer(
  guarded: Guarded,
  pending: Extract<Pending, { t: 'call' | 'read' }>,
  id: string | number,
  answer: { readonly result: Fields } | { readonly error: Fields },
  peer: Peer,
): Promise<string | null> {
  const { callId, stateless } = pending;
  const name = pending.t === 'call' ? pending.name : guarded.prefix + READ;
  const refuse = (refusal: Refusal, ran: boolean) =>
    pending.t === 'call' ? refusedCall({ id, stateless, ran }, refusal) : refusedRequest(id, refusal, ran);
  if ('result' in answer && isInputRequired(answer.result)) {
    // It is not done: the client calls again with what the server asks for, and that call is decided as any other.
    const asked = await asksOfServer(guarded, answer.result, peer);
    const message =
      asked === null ? 'the server asks for input first' : 'the server asked for what is not allowed';
    const failed = await settle(guarded, name, callId, { error: { message, type: 'input-required' } });
    const refusal = asked ?? failed ?? (pending.t === 'call' ? await unrecordedCall(pending) : null);
    return refusal === null ? null : refuse(refusal, false);
  }
  const outcome =
    'error' in answer
      ? failedOutcome(answer.error)
      : pending.t === 'call'
        ? callOutcome(answer.result)
        : readOutcome(answer.result);
  const settling = settle(guarded, name, callId, outcome);
  // A call that went on early has its answer only once both records are there.
  const unrecorded = pending.t === 'call' ? await unrecordedCall(pending) : null;
  const refusal = (await settling) ?? unrecorded;
  return refusal === null ? null : refuse(refusal, true);
}

/** Why the client may have nothing of a call that went on early; null when its record is there. */
export async function unrecordedCall({ recorded }: Extract<Pending, { t: 'call' }>): Promise<Refusal | null> {
  const ruling = await recorded;
  if (ruling === undefined || ruling.t === 'allowed') return null;
  return ruling.t === 'cancelled'
    ? { t: 'failed', code: 'internal', message: 'The call is not recorded.' }
    : ruling;
}

/** Records what came of a call; answers why the client may not have it, or null. */
export async function settle(
  guarded: Guarded,
  name: string,
  callId: string,
  outcome: Outcome,
): Promise<Refusal | null> {
  const labels = ['mcp'];
  const ruling = await guarded.session.decide(
    { kind: 'tool.result', name, callId, labels, ...outcome },
    { ran: true },
  );
  if (ruling.t === 'allowed') return null;
  return ruling.t === 'cancelled'
    ? { t: 'failed', code: 'internal', message: 'The result was not decided.' }
    : ruling;
}

/** Decides, and tells a client that asked for progress when a person is waited for. */
async function decidedWhile(
  guarded: Guarded,
  step: Proposal,
  params: Fields,
  peer: Peer,
  onEarly?: () => void,
): Promise<Ruling> {
  const token = field(params._meta, 'progressToken');
  if (typeof token !== 'string' && typeof token !== 'number')
    return guarded.session.decide(step, { signal: peer.signal, onEarly });
  let timer: NodeJS.Timeout | undefined;
  let told = 0;
  const onHold = (hold: string) => {
    // The server counts its own progress from 0 or 1; ours stays below it, and grows.
    const tell = () => {
      told += 1;
      const message = `A person has to approve this (hold ${hold}).`;
      peer.notify(
        notificationText('notifications/progress', { progressToken: token, progress: told / 1e6, message }),
      );
    };
    clearInterval(timer);
    tell();
    timer = setInterval(tell, PROGRESS_MS);
  };
  try {
    return await guarded.session.decide(step, { signal: peer.signal, onHold, onEarly });
  } finally {
    clearInterval(timer);
  }
}

function mendOf({ catalogue }: Guarded, tool: string): string {
  return `Use another tool. A person can look at the definition and accept it: interlock mcp accept ${catalogue.server} ${tool}`;
}

function invalid(message: string): Refusal {
  return { t: 'invalid', message };
}

function stopped(text: string): Started {
  return { fate: { t: 'answer', text }, pending: null };
}

function dropped(): Started {
  return { fate: { t: 'drop', why: 'cancelled' }, pending: null };
}
