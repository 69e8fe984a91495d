// The callers file: read once at the start; one that is wrong keeps the server from starting.
import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { type Caller, parseCallers } from '../api/callers.ts';

const BYTES_MAX = 1 << 20;

/** Says in words, with file and place, why the callers cannot be used. */
export class CallersInvalid extends Error {}

export async function loadCallers(file: string): Promise<readonly Caller[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CallersInvalid(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
  if (text.length > BYTES_MAX) throw new CallersInvalid(`${file}: larger than ${BYTES_MAX} characters`);
  const document = parseDocument(text, { uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new CallersInvalid(`${file}: ${broken.message}`);
  const parsed = parseCallers(document.toJS({ maxAliasCount: 0 }));
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.map(
    ({ at, expected, found, mend }) =>
      `${file}: ${at}: expected ${expected}, found ${found}.${mend === undefined ? '' : ` ${mend}`}`,
  );
  throw new CallersInvalid(lines.join('\n'));
}
