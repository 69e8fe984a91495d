// The keys that the reader of specs knows, found in its own source: each call of `fieldsOf` names what it reads and the
// keys that may stand there. A new key, or a new map, shows here without anybody's doing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** Where specs and their examples are read. */
const FOLDERS = ['src/spec', 'src/replay'];

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export function readerSources(): SourceFile[] {
  return sourcesIn(FOLDERS);
}

/** The sources below some folders, without their tests. */
export function sourcesIn(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => ({
        name: join(folder, name),
        text: readFileSync(join(ROOT, folder, name), 'utf8'),
      })),
  );
}

/** What is read, as its problems call it (`a rule`, `` `limit` ``), and the keys known there. */
export function knownKeys(): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name, text } of readerSources()) {
    for (const args of callsOf('fieldsOf', text)) {
      if (args.length !== 4 || args[2]!.startsWith('what')) continue;
      const what = args[2]!.replace(/^['`]|['`]$/g, '').replaceAll('\\`', '`');
      const keys = wordsOf(args[3]!, text);
      if (keys.length === 0) throw new Error(`${name}: the keys of ${what} are not written as a list`);
      found.set(what.startsWith('tool ') ? 'a tool' : what, keys);
    }
  }
  return found;
}

/** The arguments of each call of a function, as text. */
function callsOf(name: string, text: string): string[][] {
  const calls: string[][] = [];
  const start = `${name}(`;
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1))
    if (!text.slice(0, at).endsWith('function ')) calls.push(argumentsAt(text, at + start.length));
  return calls;
}

function argumentsAt(text: string, start: number): string[] {
  const args: string[] = [];
  let depth = 0;
  let quote = '';
  let from = start;
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
      continue;
    }
    if (c === "'" || c === '`') quote = c;
    else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c) && depth > 0) depth--;
    else if (depth === 0 && (c === ',' || c === ')')) {
      const arg = text.slice(from, i).trim();
      if (arg !== '') args.push(arg);
      if (c === ')') return args;
      from = i + 1;
    }
  }
  return args;
}

/** The words of a list, or of the constant of that name; `...NAME` and the keys of a table are followed. */
function wordsOf(list: string, text: string): string[] {
  if (!list.startsWith('[')) {
    const declared = new RegExp(
      `const ${list}\\b[^=]*= ([[{][^;]*?[\\]}])( as const)?( satisfies [^;]*)?;`,
    ).exec(text);
    return declared === null ? [] : wordsOf(declared[1]!.replace(/^\{/, '[{'), text);
  }
  if (list.startsWith('[{')) return [...list.matchAll(/^\s*'?([\w.-]+)'?:/gm)].map((match) => match[1]!);
  return [...list.matchAll(/'([^']*)'|\.\.\.\(?(?:Object\.keys\()?(\w+)/g)].flatMap(([, word, name]) =>
    word === undefined ? wordsOf(name!, text) : [word],
  );
}

/** Codes of the problems that reading and compiling can report. */
export function problemCodes(): Set<string> {
  const codes = new Set<string>();
  const places = [
    /\berror\(\s*'([a-z-]+)'/g,
    /\breport\(\s*'(?:error|warning)',\s*'([a-z-]+)'/g,
    /\breport: (?:prepared\?\.)?report\('([a-z-]+)'/g,
    /\breportAt\(\s*'([a-z-]+)'/g,
    /\breportWhole\(\s*'([a-z-]+)'/g,
    /\bproblem\(\s*[\w.]+,\s*[^;]*?,\s*'([a-z-]+)'/g,
  ];
  for (const { text } of readerSources())
    for (const place of places) for (const match of text.matchAll(place)) codes.add(match[1]!);
  return codes;
}
