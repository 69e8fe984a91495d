// Recorded sessions one by one, from files of any known format or from a data directory, for commands that look at whole
// sessions. Memory is bounded by one batch of input.
import type { Format, ImportProblem } from '../../ingest/importers/index.ts';
import type { Agent, Step } from '../../step/types.ts';
import { openRecord } from '../sessions/record.ts';
import { importsOf } from './batch.ts';
import { FileError } from './output-file.ts';
import { formatOf, readBatches } from './read-batches.ts';

export interface SourceSession {
  readonly session: string;
  readonly agent: Agent;
  readonly steps: readonly Step[];
}

export interface SourceOptions {
  readonly inputs: readonly string[];
  readonly format?: Format | undefined;
  /** Read when there are no inputs. */
  readonly data: string;
  readonly onProblem: (problem: ImportProblem) => void;
}

/** Rejects with `FileError` or `StoreError` when something cannot be read at all. */
export async function* recordedSessions(options: SourceOptions): AsyncGenerator<SourceSession> {
  if (options.inputs.length === 0) yield* fromRecord(options.data);
  else for (const file of options.inputs) yield* fromFile(file, options);
}

async function* fromFile(file: string, { format, onProblem }: SourceOptions): AsyncGenerator<SourceSession> {
  try {
    for await (const piece of readBatches(file, format ?? (await formatOf(file)))) {
      if ('problem' in piece) {
        onProblem(piece.problem);
        continue;
      }
      for (const imported of importsOf(piece.batch, onProblem)) yield imported;
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new FileError(`${file}: cannot be read (${code})`);
  }
}

async function* fromRecord(directory: string): AsyncGenerator<SourceSession> {
  const record = await openRecord(directory);
  try {
    // Newest first in the record: sessions that share a history are wanted in the order in which they began.
    const ids: string[] = [];
    for await (const { id, guarded } of record.sessions()) if (guarded) ids.push(id);
    for (const id of ids.reverse()) {
      const recording = await record.recording(id);
      if (recording !== null) yield recording;
    }
  } finally {
    await record.close();
  }
}
