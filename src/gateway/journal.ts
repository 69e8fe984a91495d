// Keeps exchanges on disk, so that conversations are known again after a restart: one line each, two files of which the older is
// dropped when the newer is full. What is lost with it is recognition only; the record is the engine's.
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exchange } from './conversations.ts';

/** A file is full at this size. */
const BYTES_MAX = 64 << 20;
const NEWER = 'conversations.jsonl';
const OLDER = 'conversations.old.jsonl';

export interface Journal {
  /** Hands the line to the operating system at once; nobody waits for it. */
  write(exchange: Exchange): void;
  close(): Promise<void>;
}

/** Opens the journal of a directory, created if need be, and tells what it has. A line that was cut off is passed over. */
export async function openJournal(
  directory: string,
  onExchange: (exchange: Exchange) => void,
  onFailure: (error: unknown) => void,
): Promise<Journal> {
  await mkdir(directory, { recursive: true });
  for (const name of [OLDER, NEWER])
    for (const exchange of await readLines(join(directory, name))) onExchange(exchange);
  const file = join(directory, NEWER);
  const opened = () => open(file, 'a', 0o600);
  let handle: FileHandle = await opened();
  let { size } = await handle.stat();
  let waiting: string[] = [];
  let writing: Promise<void> | null = null;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting.join('');
      waiting = [];
      if (size > BYTES_MAX) {
        await handle.close();
        await rename(file, join(directory, OLDER));
        handle = await opened();
        size = 0;
      }
      await handle.appendFile(lines);
      size += lines.length;
    }
  }

  return {
    write(exchange) {
      waiting.push(`${JSON.stringify(exchange)}\n`);
      // What comes while a write is under way goes along with the next.
      writing ??= flush()
        .catch(onFailure)
        .finally(() => {
          writing = null;
        });
    },
    async close() {
      await writing;
      await handle.close();
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
