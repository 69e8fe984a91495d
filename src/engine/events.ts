// Tells listeners what became durable. A listener that throws harms nobody but itself.
import type { EngineLogLine } from './options.ts';
import type { EngineEvent } from './types.ts';

export type Emit = (event: EngineEvent) => void;

export function createEvents(log: (line: EngineLogLine) => void) {
  const listeners = new Set<Emit>();
  return {
    emit(event: EngineEvent): void {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          log({ level: 'error', message: `a listener of the engine failed: ${(error as Error).message}` });
        }
      }
    },
    subscribe(listener: Emit): () => void {
      // A function of its own per subscription, so that the same listener may be subscribed twice.
      const own: Emit = (event) => listener(event);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
