// The thread that owns one connection to the database: the writer applies batches, the reader answers queries, so that a
// slow list never delays a decision. Runs as a worker thread only; talks to `channel.ts`.
import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../store.ts';
import { createApply } from './apply.ts';
import { createQueries } from './queries.ts';
import { openDatabase } from './schema.ts';

export interface WorkerInit {
  readonly file: string;
  readonly role: 'writer' | 'reader';
  readonly busyTimeoutMs: number;
}
export interface WorkerRequest {
  readonly id: number;
  readonly op: string;
  readonly args: readonly unknown[];
}
export interface WorkerReply {
  /** The request's id; -1 says whether the database could be opened. */
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: StoreError['code']; readonly message: string };
}

type Operation = (...args: never[]) => unknown;

if (parentPort !== null) serve(parentPort, workerData as WorkerInit);

function serve(port: NonNullable<typeof parentPort>, init: WorkerInit): void {
  const reply = (message: WorkerReply) => port.postMessage(message);
  let operations: Readonly<Record<string, Operation>>;
  try {
    const database = openDatabase(init.file, {
      readOnly: init.role === 'reader',
      busyTimeoutMs: init.busyTimeoutMs,
    });
    const close = () => database.close();
    operations =
      init.role === 'writer'
        ? { commit: createApply(database), close }
        : { ...createQueries(database), close };
  } catch (error) {
    reply({ id: -1, error: failure(error) });
    port.close();
    return;
  }
  reply({ id: -1 });
  port.on('message', ({ id, op, args }: WorkerRequest) => {
    try {
      reply({ id, value: operations[op]!(...(args as never[])) });
    } catch (error) {
      reply({ id, error: failure(error) });
    }
    if (op === 'close') port.close();
  });
}

function failure(error: unknown): NonNullable<WorkerReply['error']> {
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  return { code: 'failed', message: error instanceof Error ? error.message : String(error) };
}
