// For tests of commands: how one refuses to run, in this process, as `main` would report it.
import { mock } from 'node:test';
import { UsageError } from '../args.ts';

export async function refusal(
  run: (argv: string[]) => Promise<number>,
  argv: string[],
): Promise<{ code: number; message: string }> {
  const said: string[] = [];
  const spy = mock.method(console, 'error', (line: unknown) => said.push(String(line)));
  try {
    return { code: await run(argv), message: said.join('\n') };
  } catch (error) {
    if (error instanceof UsageError) return { code: 2, message: error.message };
    throw error;
  } finally {
    spy.mock.restore();
  }
}
