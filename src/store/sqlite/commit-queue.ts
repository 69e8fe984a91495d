// Group commit: everything appended in one turn of the event loop, and everything that arrives while a commit is in
// flight, goes as one transaction of bounded size. A promise resolves only after its last row is durable.
import { StoreError, type Write } from '../store.ts';

/** Rows of one transaction; bounds how long a later append waits behind it. */
export const ROWS_PER_COMMIT = 1_000;
/** After so many appends in a row that came alone, an append is taken to be one that nothing else waits for. */
const ALONE_MIN = 4;
/** Characters of an append that is written here; longer ones are written elsewhere, whoever waits. */
const HERE_CHARACTERS_MAX = 32_000;
/** So many are written here in a row, then one elsewhere, where the log is folded into the database. */
const HERE_MAX = 250;
/** How long a write that nobody waits for waits for others to go with, milliseconds. */
const PATIENT_MS = 10;

export interface CommitQueue {
  /** `patient`: goes with the next that is not, or after a moment. */
  append(writes: readonly Write[], patient?: boolean): Promise<void>;
  /** Rows that are not durable yet. */
  readonly rows: number;
  /** Approximate characters of text that are not durable yet. */
  readonly characters: number;
  /** Resolves when nothing is waiting; later appends are refused. */
  close(): Promise<void>;
}

interface Append {
  readonly writes: readonly Write[];
  readonly characters: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * `commit` writes elsewhere, while this thread goes on. `commitHere` writes in this thread: it holds up everything else, and is
 * for the append that comes alone, whose way there and back would take longer than its writing.
 */
export function createCommitQueue(
  commit: (writes: readonly Write[]) => Promise<void>,
  commitHere?: (writes: readonly Write[]) => void,
): CommitQueue {
  let waiting: Append[] = [];
  let rows = 0;
  let characters = 0;
  let running: Promise<void> | null = null;
  let closed = false;
  /** Of what waits, how many do so without patience. */
  let pressing = 0;
  let timer: NodeJS.Timeout | null = null;
  /** Batches of one append, in a row. */
  let alone = 0;
  let here = 0;

  function write(batch: readonly Append[]): Promise<void> | undefined {
    alone = batch.length === 1 ? alone + 1 : 0;
    const writes = batch.flatMap((append) => append.writes);
    const few = alone > ALONE_MIN && batch[0]!.characters <= HERE_CHARACTERS_MAX;
    if (commitHere === undefined || !few || here >= HERE_MAX) {
      here = 0;
      return commit(writes);
    }
    here += 1;
    commitHere(writes);
    return undefined;
  }

  async function run(): Promise<void> {
    // The end of this turn: appends made by callbacks that are already due come along.
    await new Promise((resolve) => setImmediate(resolve));
    while (pressing > 0) {
      const batch = takeBatch();
      try {
        await write(batch);
        for (const append of batch) settle(append).resolve();
      } catch (error) {
        // What waits was decided on top of what failed, so it fails too.
        const failed = [...batch, ...waiting];
        waiting = [];
        pressing = 0;
        for (const append of failed) settle(append).reject(error);
      }
    }
    running = null;
    if (waiting.length > 0) rouse();
  }

  /** What waits patiently goes after a moment, unless something takes it along before. */
  function rouse(): void {
    timer ??= setTimeout(() => {
      timer = null;
      if (waiting.length > 0) press();
    }, PATIENT_MS);
  }

  function press(): void {
    pressing = waiting.length;
    running ??= run();
  }

  /** Whole appends, in order, up to the bound; one append of any size makes a batch of its own. */
  function takeBatch(): Append[] {
    let size = 0;
    let count = 0;
    for (const { writes } of waiting) {
      if (count > 0 && size + writes.length > ROWS_PER_COMMIT) break;
      size += writes.length;
      count += 1;
    }
    const batch = waiting.splice(0, count);
    pressing = Math.max(0, pressing - count);
    return batch;
  }

  function settle(append: Append): Append {
    rows -= append.writes.length;
    characters -= append.characters;
    return append;
  }

  return {
    get rows() {
      return rows;
    },
    get characters() {
      return characters;
    },
    append(writes, patient = false) {
      if (closed) return Promise.reject(new StoreError('closed', 'the store is closed'));
      if (writes.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const append = { writes, characters: charactersOf(writes), resolve, reject };
        rows += writes.length;
        characters += append.characters;
        waiting.push(append);
        if (patient) rouse();
        else press();
      });
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      if (waiting.length > 0) press();
      await running;
    },
  };
}

function charactersOf(writes: readonly Write[]): number {
  let sum = 0;
  for (const write of writes) {
    if (write.t === 'step') sum += write.row.step.length + (write.row.decision?.length ?? 0);
    else if (write.t === 'snapshot') sum += write.row.state.length;
    else sum += 500;
  }
  return sum;
}
