// Runs batches, in this process or on worker threads. Bounded: a batch waits until a worker is free.
import { Worker } from 'node:worker_threads';
import { replaySpec, sharedHistory } from '../../replay/replay.ts';
import type { CompiledSpec } from '../../spec/index.ts';
import { type Batch, type BatchResult, replayBatch } from './batch.ts';
import type { WorkerInit } from './worker.ts';

export interface Pool {
  run(batch: Batch): Promise<BatchResult>;
  close(): Promise<void>;
}

/** `jobs` workers; one job runs in this process and starts none. */
export function openPool(spec: CompiledSpec, jobs: number, wantDecisions: boolean): Pool {
  // Sessions that share a history are replayed one after the other.
  if (jobs > 1 && !spec.program.shares)
    return workerPool({ name: spec.name, canonical: spec.canonical, wantDecisions }, jobs);
  const runnable = replaySpec(spec);
  const history = sharedHistory(runnable);
  return {
    run: async (batch) => replayBatch(runnable, batch, wantDecisions, history),
    close: async () => {},
  };
}

function workerPool(workerData: WorkerInit, jobs: number): Pool {
  // The sources run as they are in a clone; a published package runs its build.
  const entry = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  const all = Array.from({ length: jobs }, () => new Worker(new URL(entry, import.meta.url), { workerData }));
  const idle = [...all];
  const waiting: ((worker: Worker) => void)[] = [];

  function free(worker: Worker): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(worker);
    else next(worker);
  }

  async function run(batch: Batch): Promise<BatchResult> {
    const worker = idle.pop() ?? (await new Promise<Worker>((resolve) => waiting.push(resolve)));
    try {
      return await answer(worker, batch);
    } finally {
      free(worker);
    }
  }

  return {
    run,
    close: async () => {
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

function answer(worker: Worker, batch: Batch): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      done();
    };
    const onMessage = (result: BatchResult) => settle(() => resolve(result));
    const onError = (error: unknown) => settle(() => reject(error));
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(batch, [batch.bytes.buffer]);
  });
}
