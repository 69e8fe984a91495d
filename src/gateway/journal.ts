// Keeps exchanges on disk, so that conversations are known again after a restart: one line each, two files of which the older is
// dropped when the newer is full. What is lost with it is recognition only; the record is the engine's.
import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exchange } from './conversations.ts';

/** A file is full at this size. */
const BYTES_MAX = 64 << 20;
const NEWER = 'conversations.jsonl';
const OLDER = 'conversations.old.jsonl';

export interface Journal {
  /** Resolves when the line is with the operating system: it outlives the process. */
  write(exchange: Exchange): Promise<void>;
  close(): Promise<void>;
}

/** Opens the journal of a directory, created if need be, and tells what it has. A line that was cut off is passed over. */
export async function openJournal(
  directory: string,
  onExchange: (exchange: Exchange) => void,
): Promise<Journal> {
  await mkdir(directory, { recursive: true });
  for (const name of [OLDER, NEWER])
    for (const exchange of await readLines(join(directory, name))) onExchange(exchange);
  const file = join(directory, NEWER);
  let size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  let waiting: string[] = [];
  let writing: Promise<void> | null = null;

  async function flush(): Promise<void> {
    // What comes while this waits goes along.
    await Promise.resolve();
    const lines = waiting.join('');
    waiting = [];
    if (size > BYTES_MAX) {
      await rename(file, join(directory, OLDER));
      size = 0;
    }
    await appendFile(file, lines, { mode: 0o600 });
    size += lines.length;
  }

  function write(exchange: Exchange): Promise<void> {
    const first = waiting.push(`${JSON.stringify(exchange)}\n`) === 1;
    if (first) {
      const before = writing ?? Promise.resolve();
      writing = before.then(flush, flush);
    }
    return writing!;
  }

  return {
    write,
    async close() {
      await writing?.catch(() => undefined);
    },
  };
}

async function readLines(file: string): Promise<Exchange[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return [];
  }
  const exchanges: Exchange[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      exchanges.push(JSON.parse(line) as Exchange);
    } catch {
      // The end of a line that a crash cut off.
    }
  }
  return exchanges;
}
