// The server's event stream, opened once for the whole page. Says what changed; readers fetch what they show.
import type { EngineEvent } from '../../../src/engine/types.ts';

export type LiveStatus = 'connecting' | 'live' | 'away';
/** `resumed` follows a gap: events may have been missed, so what is shown should be read again. */
export type LiveMessage = EngineEvent | { readonly type: 'resumed' };

const listeners = new Set<(message: LiveMessage) => void>();
const watchers = new Set<() => void>();
let status: LiveStatus = 'connecting';
let source: EventSource | null = null;
let failures = 0;

/** Hears every event until the returned function is called. */
export function subscribeLive(listener: (message: LiveMessage) => void): () => void {
  listeners.add(listener);
  if (source === null) connect();
  return () => listeners.delete(listener);
}

export function watchStatus(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function liveStatus(): LiveStatus {
  return status;
}

function connect(): void {
  const stream = new EventSource('/v1/events');
  source = stream;
  stream.onopen = () => {
    const missed = status === 'away';
    failures = 0;
    setStatus('live');
    if (missed) emit({ type: 'resumed' });
  };
  stream.onmessage = (message: MessageEvent<string>) => {
    const event = parseEvent(message.data);
    if (event) emit(event);
  };
  stream.onerror = () => {
    // The browser's own retry gives up after an HTTP error, so each attempt is ours, with a growing pause.
    stream.close();
    setStatus('away');
    failures += 1;
    window.setTimeout(connect, Math.min(500 * 2 ** failures, 10_000));
  };
}

function parseEvent(data: string): EngineEvent | null {
  try {
    const event = JSON.parse(data) as EngineEvent;
    return typeof event.type === 'string' ? event : null;
  } catch {
    return null;
  }
}

function emit(message: LiveMessage): void {
  for (const listener of listeners) listener(message);
}

function setStatus(next: LiveStatus): void {
  if (next === status) return;
  status = next;
  for (const watcher of watchers) watcher();
}
