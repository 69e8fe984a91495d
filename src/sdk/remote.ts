// The engine behind HTTP, as a transport. What is safe to repeat is repeated for a while when the server is away; when it
// stays away the caller gets `DecisionUnavailable`, and nothing runs.
import type { Hold } from '../engine/types.ts';
import { DecisionUnavailable, failure, InterlockError } from './errors.ts';
import type { Transport } from './transport.ts';

export interface ConnectOptions {
  /** How long one request may take. */
  readonly timeoutMs?: number;
  /** How long an unreachable or overloaded server is tried again before giving up. */
  readonly retryForMs?: number;
}

/** Longest a server keeps a `wait` request open. */
const WAIT_SECONDS_MAX = 60;

interface Wait {
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
}
const NO_WAIT: Wait = { ms: 0, signal: undefined };
const RETRY_DELAY_MS = [50, 100, 200, 400, 800] as const;

export function remoteTransport(baseUrl: string, options: ConnectOptions = {}): Transport {
  const base = new URL(baseUrl);
  const { timeoutMs = 10_000, retryForMs = 3_000 } = options;
  const closed = new AbortController();

  async function request<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    wait: Wait = NO_WAIT,
    repeat = true,
  ): Promise<T> {
    let giveUpAt = Number.POSITIVE_INFINITY;
    for (let attempt = 0; ; attempt++) {
      const outcome = await attemptOnce<T>(method, path, body, wait);
      if (outcome.ok) return outcome.value;
      wait.signal?.throwIfAborted();
      giveUpAt = Math.min(giveUpAt, Date.now() + retryForMs);
      if (!outcome.again || !repeat || Date.now() >= giveUpAt || closed.signal.aborted) throw outcome.error;
      await delay(RETRY_DELAY_MS[Math.min(attempt, RETRY_DELAY_MS.length - 1)]!, wait.signal);
    }
  }

  async function attemptOnce<T>(
    method: string,
    path: string,
    body: unknown,
    wait: Wait,
  ): Promise<{ ok: true; value: T } | { ok: false; error: InterlockError; again: boolean }> {
    const signals = [AbortSignal.timeout(timeoutMs + wait.ms), closed.signal];
    if (wait.signal !== undefined) signals.push(wait.signal);
    try {
      const response = await fetch(new URL(path, base), {
        method,
        redirect: 'error',
        signal: AbortSignal.any(signals),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const answer = (await response.json()) as unknown;
      if (response.ok) return { ok: true, value: answer as T };
      const {
        code = 'internal',
        detail = response.statusText,
        mend,
      } = answer as {
        code?: string;
        detail?: string;
        mend?: string;
      };
      const error = failure({ code, message: detail, ...(mend === undefined ? {} : { mend }) });
      return { ok: false, error, again: response.status === 503 };
    } catch (cause) {
      const error = new DecisionUnavailable(`No decision: ${base.origin} cannot be reached.`, { cause });
      return { ok: false, error, again: true };
    }
  }

  const segment = encodeURIComponent;
  return {
    openSession: (init) => request('POST', '/v1/sessions', init),
    decide: (session, proposal) => request('POST', `/v1/sessions/${segment(session)}/steps`, proposal),
    endSession: (session) =>
      request('POST', `/v1/sessions/${segment(session)}/end`, undefined, NO_WAIT, false),
    hold: (id) => nullWhenUnknown(request<Hold>('GET', `/v1/holds/${segment(id)}`)),
    answerHold: (id, answer) => request('POST', `/v1/holds/${segment(id)}/answer`, answer, NO_WAIT, false),
    async holds(filter) {
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(filter))
        if (value !== undefined) query.set(key, String(value));
      return (await request<{ holds: readonly Hold[] }>('GET', `/v1/holds?${query}`)).holds;
    },
    holdChange(id, waitMs, signal) {
      const seconds = Math.min(WAIT_SECONDS_MAX, Math.max(0, Math.ceil(waitMs / 1000)));
      const path = `/v1/holds/${segment(id)}?wait=${seconds}`;
      return nullWhenUnknown(request<Hold>('GET', path, undefined, { ms: seconds * 1000, signal }));
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
