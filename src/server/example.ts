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

/** Where the example stands: null when it is done, or when the directory holds somebody else's sessions only. */
export async function exampleNotebook(dataDir: string, sessionsKnown: boolean): Promise<Notebook | null> {
  const file = join(dataDir, NOTEBOOK);
  if (!existsSync(file)) return sessionsKnown ? null : freshNotebook(`example-${randomUUID().slice(0, 8)}`);
  const notebook = JSON.parse(await readFile(file, 'utf8')) as Notebook;
  return notebook.done ? null : notebook;
}

export interface ExampleOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly notebook: Notebook;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Plays the example from where its notebook stands to its end. */
export async function playExample({ url, dataDir, notebook, say, signal }: ExampleOptions): Promise<void> {
  if (notebook.held !== null)
    say(`goes on   ${notebook.held.name} still waits for approval (hold ${notebook.held.hold})`);
  const interlock = Interlock.connect(url);
  try {
    await runSupportAgent({
      interlock,
      model: chooseModel(process.env),
      shop: openShop(),
      notebook,
      save: (next) => replaceFile(join(dataDir, NOTEBOOK), JSON.stringify(next)),
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
