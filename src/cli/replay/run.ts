// A replay of files: batches in, totals and decision lines out in the order of the input. Memory is bounded by the
// batches in flight, not by the input.

import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Format } from '../../ingest/importers/index.ts';
import type { CompiledSpec } from '../../spec/index.ts';
import type { BatchResult } from './batch.ts';
import { FileError } from './output-file.ts';
import { openPool } from './pool.ts';
import { formatOf, readBatches } from './read-batches.ts';
import { addTotals, countProblems, noTotals, type Totals } from './totals.ts';

export interface ReplayRun {
  readonly spec: CompiledSpec;
  readonly inputs: readonly string[];
  /** Told for each file by itself when absent. */
  readonly format?: Format | undefined;
  /** Worker threads; chosen by cores and size of the input when absent. 1 runs in this process. */
  readonly jobs?: number | undefined;
  /** Takes decision lines in order; awaited, so that a slow writer holds the replay back. */
  readonly onDecisions?: ((lines: string) => Promise<void>) | undefined;
  readonly onProgress?: ((done: { readonly bytes: number; readonly totalBytes: number }) => void) | undefined;
}

/** Input that pays for starting another worker thread, which takes it about half a second. */
const BYTES_PER_JOB = 16 * 1024 * 1024;
const IN_FLIGHT_PER_JOB = 2;

/** Replays files. Rejects with `FileError` when a file cannot be read or its format cannot be told. */
export async function replayFiles(run: ReplayRun): Promise<Totals> {
  const files = await Promise.all(run.inputs.map((file) => describeFile(file, run.format)));
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const jobs =
    run.jobs ?? Math.min(availableParallelism(), Math.max(1, Math.ceil(totalBytes / BYTES_PER_JOB)));
  const pool = openPool(run.spec, jobs, run.onDecisions !== undefined);
  const totals = noTotals();
  const inFlight: { readonly result: Promise<BatchResult>; readonly bytes: number }[] = [];
  let bytesDone = 0;

  async function takeOldest(): Promise<void> {
    const { result, bytes } = inFlight.shift()!;
    const { totals: more, decisions } = await result;
    addTotals(totals, more);
    if (decisions !== '') await run.onDecisions?.(decisions);
    bytesDone += bytes;
    run.onProgress?.({ bytes: bytesDone, totalBytes });
  }

  try {
    for (const { file, format } of files) {
      for await (const piece of readBatches(file, format)) {
        if ('problem' in piece) countProblems(totals, [piece.problem]);
        else {
          const bytes = piece.batch.bytes.length;
          const result = pool.run(piece.batch);
          // A failure is seen when its turn comes; until then it is not unhandled.
          result.catch(() => {});
          inFlight.push({ result, bytes });
        }
        if (inFlight.length >= jobs * IN_FLIGHT_PER_JOB) await takeOldest();
      }
    }
    while (inFlight.length > 0) await takeOldest();
  } finally {
    await pool.close();
  }
  return totals;
}

async function describeFile(
  file: string,
  format: Format | undefined,
): Promise<{ file: string; format: Format; bytes: number }> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new FileError(`${file}: not a file`);
    return { file, format: format ?? (await formatOf(file)), bytes: info.size };
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}
