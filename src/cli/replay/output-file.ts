// A file of lines, written as fast as the disk takes them. A failure is a `FileError` of the write or close that meets it.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** A file cannot be read or written as the command needs it; `message` is for people. */
export class FileError extends Error {}

export interface OutputFile {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Replaces the file. Readable by its owner only: sessions hold what users said. */
export async function openOutput(file: string): Promise<OutputFile> {
  const stream = createWriteStream(file, { mode: 0o600 });
  let failure: FileError | null = null;
  const check = () => {
    if (failure !== null) throw failure;
  };
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= new FileError(`${file}: cannot be written (${error.code ?? error.message})`);
  });
  await once(stream, 'open').catch(() => {});
  check();
  return {
    async write(text) {
      check();
      if (!stream.write(text)) await once(stream, 'drain').catch(() => {});
      check();
    },
    async close() {
      stream.end();
      await finished(stream).catch(() => {});
      check();
    },
  };
}
