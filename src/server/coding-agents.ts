// Mounts the door for coding agents on the server: reads the request, settles who asks, sends the answer.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { userInfo } from 'node:os';
import { readJsonBody } from '../api/body.ts';
import { type AdmitHook, createHookDoor, HOOKS_PATH } from '../coding-agents/door.ts';
import type { Engine } from '../engine/types.ts';
import type { Admit } from '../pdp/decide.ts';
import { bearer } from '../pdp/door.ts';

/** A hook is told whole files and pictures; of what is recorded, the door keeps a bounded part. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

export interface CodingAgentsSetup {
  /** How long a held call waits for a person before the model is told to come back. */
  readonly holdWaitMs?: number;
}

const HOLD_WAIT_MS = 30_000;

export function isHooksPath(url: string): boolean {
  return url.startsWith(HOOKS_PATH);
}

/** `admit` is null where anybody who reaches the server may open sessions: they are then for who runs it. */
export function codingAgents(
  engine: Engine,
  admit: Admit | null,
  { holdWaitMs = HOLD_WAIT_MS }: CodingAgentsSetup,
  onFailure: (error: unknown) => void,
): RequestListener {
  const owner = `user:${userInfo().username}`;
  const own: AdmitHook = (_, init) => ({ ...init, principal: owner });
  const door = createHookDoor({ engine, admit: admit ?? own, holdWaitMs, onFailure });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return send(response, 405, { error: 'POST what the hook was told' });
    const body = await readJsonBody(request, BODY_BYTES_MAX);
    if (!body.ok) return send(response, body.problem.status, { error: body.problem.detail });
    const key = bearer(request.headers.authorization);
    const answered = await door((request.url ?? '').split('?', 1)[0]!, body.value, key);
    send(response, answered.status, answered.body);
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      onFailure(error);
      send(response, 503, { error: 'no decision could be had' });
    });
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
