// One process per data directory. The lock is the operating system's, on a small database file of its own, so that it
// is gone with the process that held it, however that ended.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store.ts';

export interface DirectoryLock {
  release(): void;
}

/** @throws StoreError `in-use` when another engine has the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  const owner = join(directory, 'owner');
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const message = `the data directory ${directory} is in use by another Interlock process${readOwner(owner)}. `;
    throw new StoreError('in-use', `${message}Stop it, or give this one another directory.`, {
      cause: error,
    });
  }
  writeFileSync(owner, String(process.pid));
  return { release: () => database.close() };
}

/** For the message only: the process number may be out of date, the lock is not. */
function readOwner(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8').slice(0, 20)})`;
  } catch {
    return '';
  }
}
