// A file of settings: read once at the start, bounded, parsed to a valid type, or an error that says what, where and how
// to mend it.
import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { Parsed } from '../step/json.ts';

const CHARACTERS_MAX = 1 << 20;

/** Rejects with the error class that is given, its message in words for the person who wrote the file. */
export async function loadYaml<T>(
  file: string,
  parse: (value: unknown) => Parsed<T>,
  Invalid: new (message: string) => Error,
): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new Invalid(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  if (text.length > CHARACTERS_MAX) throw new Invalid(`${file}: larger than ${CHARACTERS_MAX} characters`);
  const document = parseDocument(text, { uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new Invalid(`${file}: ${broken.message}`);
  const parsed = parse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.map(
    ({ at, expected, found, mend }) =>
      `${file}: ${at}: expected ${expected}, found ${found}.${mend === undefined ? '' : ` ${mend}`}`,
  );
  throw new Invalid(lines.join('\n'));
}
