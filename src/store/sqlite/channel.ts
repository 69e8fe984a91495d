// Requests to a database thread and their replies, in order. When the thread dies, everything waiting fails at once.
import { Worker } from 'node:worker_threads';
import { StoreError } from '../store.ts';
import type { WorkerInit, WorkerReply, WorkerRequest } from './worker.ts';

export interface Channel {
  /** Rejects with `StoreError`. */
  request<T>(op: string, ...args: readonly unknown[]): Promise<T>;
  /** Answers what was asked before, then ends the thread. */
  close(): Promise<void>;
}

/** The worker runs from source or from a build: it has this file's own extension. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

interface Waiting {
  resolve(value: unknown): void;
  reject(error: StoreError): void;
}

/** Resolves when the thread has opened its database. */
export async function openChannel(init: WorkerInit): Promise<Channel> {
  const worker = new Worker(WORKER, { workerData: init });
  const waiting = new Map<number, Waiting>();
  let lastId = -1;
  let ended: StoreError | null = null;

  function end(error: StoreError): void {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  }
  function ask(id: number, send: () => void): Promise<unknown> {
    if (ended !== null) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      send();
    });
  }

  worker.on('message', ({ id, value, error }: WorkerReply) => {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waiter?.resolve(value);
    else waiter?.reject(new StoreError(error.code, error.message));
  });
  worker.on('error', (error) =>
    end(new StoreError('failed', `the database thread failed: ${error.message}`)),
  );
  worker.on('exit', () => end(new StoreError('closed', 'the database thread has ended')));

  await ask(-1, () => {});
  function request<T>(op: string, ...args: readonly unknown[]): Promise<T> {
    lastId += 1;
    const message: WorkerRequest = { id: lastId, op, args };
    return ask(lastId, () => worker.postMessage(message)) as Promise<T>;
  }
  return {
    request,
    async close() {
      if (ended !== null) return;
      const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      await request('close');
      await exited;
    },
  };
}
