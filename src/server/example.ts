// The bundled example on a running server: a support agent that connects like any other program. What it has to
// remember across restarts lies in the data directory.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshNotebook, type Notebook, runSupportAgent } from '../../examples/support-agent/agent.ts';
import { chooseModel } from '../../examples/support-agent/model.ts';
import { openShop } from '../../examples/support-agent/shop.ts';
import { Interlock } from '../sdk/interlock.ts';

export const EXAMPLE_SPEC = fileURLToPath(new URL('../../examples/support-agent/spec.yaml', import.meta.url));
const NOTEBOOK = 'example.json';

/** Plays from the start in a data directory without sessions, goes on where it was after a restart, and once done is done. */
export function examplePlan(dataDir: string, sessionsKnown: boolean): 'play' | 'skip' {
  return existsSync(join(dataDir, NOTEBOOK)) || !sessionsKnown ? 'play' : 'skip';
}

export interface ExampleOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the example has nothing more to do. */
export async function playExample({ url, dataDir, say, signal }: ExampleOptions): Promise<void> {
  const file = join(dataDir, NOTEBOOK);
  const notebook = existsSync(file)
    ? (JSON.parse(await readFile(file, 'utf8')) as Notebook)
    : freshNotebook(`example-${randomUUID().slice(0, 8)}`);
  if (notebook.done) return;
  if (notebook.held !== null)
    say(`goes on   ${notebook.held.name} still waits for approval (hold ${notebook.held.hold})`);
  const interlock = Interlock.connect(url);
  try {
    await runSupportAgent({
      interlock,
      model: chooseModel(process.env),
      shop: openShop(),
      notebook,
      save: (next) => replaceFile(file, JSON.stringify(next)),
      say,
      signal,
    });
  } finally {
    await interlock.close();
  }
}

/** Old or new content after a crash, never half of one. */
async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
