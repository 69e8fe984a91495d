// The engine behind HTTP, as a transport. What is safe to repeat is repeated for a while when the server is away; when it
// stays away, or answers something that is no decision, the caller gets `DecisionUnavailable`, and nothing runs.
import type { Hold } from '../engine/types.ts';
import { asHold, asHolds, asRecorded, asSession, problemOf } from './answers.ts';
import { DecisionUnavailable, failure, InterlockError } from './errors.ts';
import type { Transport } from './transport.ts';

export interface ConnectOptions {
  /** The program's key, where the server asks for one. */
  readonly key?: string;
  /** How long one request may take. */
  readonly timeoutMs?: number;
  /** How long an unreachable or overloaded server is tried again before giving up. */
  readonly retryForMs?: number;
}

/** Longest a server keeps a `wait` request open. */
const WAIT_SECONDS_MAX = 60;
/** Longest a check may take. */
const CHECK_MS_MAX = 3_600_000;
const RETRY_DELAY_MS = [50, 100, 200, 400, 800] as const;

interface Request<T> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** The answer when it is what was asked for, else null. */
  readonly read: (answer: unknown) => T | null;
  /** Not sent again when its answer was lost. */
  readonly once?: boolean;
  /** How long the server may keep it open on top of the usual time. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

type Outcome<T> =
  | { readonly ok: true; readonly reached: true; readonly value: T }
  | {
      readonly ok: false;
      readonly reached: boolean;
      readonly error: InterlockError;
      readonly again: boolean;
    };

export function remoteTransport(baseUrl: string, options: ConnectOptions = {}): Transport {
  const base = new URL(baseUrl);
  const { timeoutMs = 10_000, retryForMs = 3_000, key } = options;
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const closed = new AbortController();
  /** It has not answered for as long as it is tried; one answer ends that. */
  let away = false;

  async function send<T>(request: Request<T>): Promise<T> {
    let giveUpAt = Number.POSITIVE_INFINITY;
    for (let attempt = 0; ; attempt++) {
      const outcome = await attemptOnce(request);
      away &&= outcome.reached !== true;
      if (outcome.ok) return outcome.value;
      request.signal?.throwIfAborted();
      giveUpAt = Math.min(giveUpAt, Date.now() + (away ? 0 : retryForMs));
      const again = outcome.again && request.once !== true && !closed.signal.aborted;
      if (!again || Date.now() >= giveUpAt) {
        away = outcome.reached !== true;
        throw outcome.error;
      }
      await delay(RETRY_DELAY_MS[Math.min(attempt, RETRY_DELAY_MS.length - 1)]!, request.signal);
    }
  }

  async function attemptOnce<T>({
    method,
    path,
    body,
    read,
    waitMs = 0,
    signal,
  }: Request<T>): Promise<Outcome<T>> {
    const signals = [AbortSignal.timeout(timeoutMs + waitMs), closed.signal];
    if (signal !== undefined) signals.push(signal);
    const json =
      body === undefined
        ? { headers: authorization }
        : {
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json', ...authorization },
          };
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(new URL(path, base), {
        method,
        redirect: 'error',
        signal: AbortSignal.any(signals),
        ...json,
      });
      answer = await response.json();
    } catch (cause) {
      const error = new DecisionUnavailable(`No decision: ${base.origin} cannot be reached.`, { cause });
      return { ok: false, reached: false, error, again: true };
    }
    if (!response.ok) {
      const error = failure(
        problemOf(answer) ?? { code: 'internal', message: `${base.origin} answered ${response.status}` },
      );
      return { ok: false, reached: true, error, again: response.status === 503 };
    }
    const value = read(answer);
    if (value !== null) return { ok: true, reached: true, value };
    const error = new DecisionUnavailable(
      `No decision: ${base.origin}${path} answered something else. Is it an Interlock of this version?`,
    );
    return { ok: false, reached: true, error, again: false };
  }

  const sessionPath = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
  const holdPath = (id: string) => `/v1/holds/${encodeURIComponent(id)}`;
  return {
    openSession: (init) => send({ method: 'POST', path: '/v1/sessions', body: init, read: asSession }),
    decide(session, proposal) {
      const read = (answer: unknown) => {
        const recorded = asRecorded(answer);
        return recorded !== null && (proposal.id ?? recorded.decision.step) === recorded.decision.step
          ? recorded
          : null;
      };
      return send({ method: 'POST', path: `${sessionPath(session)}/steps`, body: proposal, read });
    },
    check: (id, request) =>
      send({
        method: 'POST',
        path: `${sessionPath(id)}/checks`,
        body: request,
        read: asRecorded,
        once: true,
        waitMs: CHECK_MS_MAX,
      }),
    endSession: (id) =>
      send({ method: 'POST', path: `${sessionPath(id)}/end`, read: asRecorded, once: true }),
    hold: (id) => nullWhenUnknown(send({ method: 'GET', path: holdPath(id), read: asHold })),
    answerHold: (id, answer) =>
      send({ method: 'POST', path: `${holdPath(id)}/answer`, body: answer, read: asHold, once: true }),
    holds(filter) {
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(filter))
        if (value !== undefined) query.set(key, String(value));
      return send({ method: 'GET', path: `/v1/holds?${query}`, read: asHolds });
    },
    holdChange(id, waitMs, signal) {
      const seconds = Math.min(WAIT_SECONDS_MAX, Math.max(0, Math.ceil(waitMs / 1000)));
      const path = `${holdPath(id)}?wait=${seconds}`;
      return nullWhenUnknown(
        send<Hold>({ method: 'GET', path, read: asHold, waitMs: seconds * 1000, signal }),
      );
    },
    async close() {
      closed.abort();
    },
  };
}

async function nullWhenUnknown<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InterlockError && error.code === 'unknown-hold') return null;
    throw error;
  }
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      signal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}
