// What a server asks of the client's side: its model (sampling) or its user (elicitation). Decided before the client
// hears of it, and the answer before the server does. In revisions before 2026-07-28 these are requests of the server's
// own; since then they stand inside results (`inputRequests`) and calls (`inputResponses`).
import { randomUUID } from 'node:crypto';
import type { Proposal } from '../../step/types.ts';
import { type Fields, field, isFields } from '../wire/message.ts';
import type { Refusal } from './answers.ts';
import { ELICITATION, elicitation, elicited, SAMPLING, samplingRequest, samplingResponse } from './steps.ts';
import type { Guarded, Peer } from './types.ts';

const ASKS_MAX = 100;

/** What was asked, to judge the answer by; the others need no judging. */
export interface Ask {
  readonly method: string;
  readonly callId: string;
}

/** Answers why the request may not reach the client, or null with how to judge its answer. */
export async function decideAsk(
  guarded: Guarded,
  method: string,
  params: Fields,
  peer: Peer,
): Promise<{ readonly ask: Ask; readonly refusal: Refusal | null }> {
  const ask: Ask = { method, callId: `mcp-${randomUUID()}` };
  if (method === SAMPLING)
    return {
      ask,
      refusal: await decided(guarded, samplingRequest(guarded.prefix, ask.callId, params), peer),
    };
  if (method === ELICITATION)
    return { ask, refusal: await decided(guarded, elicitation(guarded.prefix, params), peer) };
  return { ask, refusal: null };
}

/** Answers why the server may not have the client's answer, or null. */
export async function decideAnswer(
  guarded: Guarded,
  { method, callId }: Ask,
  result: Fields,
  peer: Peer,
): Promise<Refusal | null> {
  if (method === SAMPLING) return decided(guarded, samplingResponse(guarded.prefix, callId, result), peer);
  const input = method === ELICITATION ? elicited(guarded.prefix, result) : null;
  return input === null ? null : decided(guarded, input, peer);
}

/** Every request inside a result; the first that is refused, or null. */
export async function asksOfServer(guarded: Guarded, result: Fields, peer: Peer): Promise<Refusal | null> {
  for (const ask of entriesOf(result.inputRequests)) {
    const method = field(ask, 'method');
    const params = field(ask, 'params') ?? {};
    if (typeof method !== 'string' || !isFields(params))
      return { t: 'invalid', message: 'The server asks for something that cannot be read.' };
    const { refusal } = await decideAsk(guarded, method, params, peer);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Every answer inside a request; the first that is refused, or null. What it answers shows in its shape. */
export async function answersOfClient(guarded: Guarded, params: Fields, peer: Peer): Promise<Refusal | null> {
  for (const answer of entriesOf(params.inputResponses)) {
    if (!isFields(answer)) return { t: 'invalid', message: 'inputResponses are objects.' };
    const method = 'action' in answer ? ELICITATION : 'content' in answer ? SAMPLING : '';
    const refusal = await decideAnswer(guarded, { method, callId: `mcp-${randomUUID()}` }, answer, peer);
    if (refusal !== null) return refusal;
  }
  return null;
}

function entriesOf(map: unknown): unknown[] {
  if (map === undefined) return [];
  const entries = isFields(map) ? Object.values(map) : [null];
  return entries.length > ASKS_MAX ? [null] : entries;
}

async function decided(guarded: Guarded, step: Proposal, peer: Peer): Promise<Refusal | null> {
  const ruling = await guarded.session.decide(step, { signal: peer.signal });
  if (ruling.t === 'cancelled') return { t: 'failed', code: 'cancelled', message: 'Nobody waits for it.' };
  if (ruling.t !== 'allowed') return ruling;
  // What is rewritten must run as rewritten, and here it could not be.
  return ruling.rewritten === null
    ? null
    : {
        t: 'failed',
        code: 'not-rewritable',
        message: 'A rule rewrites this step; that is for calls of tools.',
      };
}
