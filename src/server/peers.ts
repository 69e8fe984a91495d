// Follows the stops of other nodes: a stop given on one is in force on all that follow it, a lift too. What came while a
// connection was away is read when it is back; a peer that cannot be reached is said, not hidden.
import type { Engine, Stop } from '../engine/types.ts';
import { eventReader } from '../gateway/sse.ts';

export interface PeerState {
  readonly url: string;
  /** `following`: its stops are in force here as they are there. */
  readonly state: 'following' | 'unreachable';
  /** Since when, milliseconds since the epoch. */
  readonly since: number;
}

export interface Peers {
  states(): readonly PeerState[];
  stop(): void;
}

const STOPS_MAX = 1_000;
const REQUEST_MS = 5_000;
const AGAIN_MS = 500;
/** A peer says at least this often that it is there. */
const SILENCE_MS = 45_000;

export function followPeers(
  urls: readonly string[],
  engine: Pick<Engine, 'adoptStops'>,
  log: (message: string) => void,
): Peers {
  const stopped = new AbortController();
  const states = new Map<string, PeerState>();

  function note(url: string, state: PeerState['state'], why = ''): void {
    if (states.get(url)?.state === state) return;
    states.set(url, { url, state, since: Date.now() });
    if (state === 'following') log(`the stops of ${url} are followed`);
    else
      log(
        `the peer ${url} cannot be reached (${why}): stops given there are not in force here until it is back`,
      );
  }

  async function stopsOf(url: string, which: 'in-force' | 'all'): Promise<readonly Stop[]> {
    const answer = await fetch(`${url}/v1/stops?which=${which}&limit=${STOPS_MAX}`, {
      signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    const { stops } = (await answer.json()) as { stops?: unknown };
    if (!Array.isArray(stops) || !stops.every(isStop)) throw new Error('it told no list of stops');
    return stops;
  }

  /** Of all only those that changed latest are told: what is in force is asked for by itself, however old it is. */
  async function readStops(url: string): Promise<void> {
    const [inForce, latest] = await Promise.all([stopsOf(url, 'in-force'), stopsOf(url, 'all')]);
    const lifted = new Set(latest.flatMap((stop) => (stop.lifted === null ? [] : [stop.id])));
    await engine.adoptStops([...latest, ...inForce.filter((stop) => !lifted.has(stop.id))]);
  }

  /** Until the connection ends. Listens before it reads, so that nothing falls between. */
  async function follow(url: string): Promise<void> {
    const silent = new AbortController();
    const signal = AbortSignal.any([stopped.signal, silent.signal]);
    let timer = setTimeout(() => silent.abort(), REQUEST_MS);
    try {
      const answer = await fetch(`${url}/v1/events`, { signal, headers: { accept: 'text/event-stream' } });
      if (!answer.ok || answer.body === null) throw new Error(`it answered ${answer.status}`);
      await readStops(url);
      note(url, 'following');
      const reader = eventReader();
      for await (const chunk of answer.body) {
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), SILENCE_MS);
        const events = reader.push(chunk);
        if (events.some(({ comment, data }) => comment !== true && saysStop(data))) await readStops(url);
      }
      throw new Error('it ended the connection');
    } finally {
      clearTimeout(timer);
    }
  }

  async function keepFollowing(url: string): Promise<void> {
    while (!stopped.signal.aborted) {
      await follow(url).catch((error: unknown) => {
        if (!stopped.signal.aborted)
          note(url, 'unreachable', error instanceof Error ? error.message : String(error));
      });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, AGAIN_MS);
        timer.unref();
        stopped.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  for (const url of urls) void keepFollowing(url);
  return { states: () => [...states.values()], stop: () => stopped.abort() };
}

function saysStop(data: string): boolean {
  try {
    return (JSON.parse(data) as { type?: unknown } | null)?.type === 'stop';
  } catch {
    return false;
  }
}

function isStop(value: unknown): value is Stop {
  if (typeof value !== 'object' || value === null) return false;
  const { id, at, by, reason, lifted, agent, version, tool, tenant } = value as Record<string, unknown>;
  const isText = (field: unknown, max = 2_000) => typeof field === 'string' && field.length <= max;
  const wasLifted =
    typeof lifted === 'object' && lifted !== null && isText((lifted as Record<string, unknown>).by);
  return (
    isText(id, 200) &&
    typeof at === 'number' &&
    isText(by) &&
    isText(reason) &&
    (lifted === null || wasLifted) &&
    [agent, version, tool, tenant].every((field) => field === null || isText(field, 200))
  );
}
