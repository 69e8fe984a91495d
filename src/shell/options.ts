// Splits the arguments of a program into options, their values and operands, as getopt does. Pure.
import { plain, type Text } from './word.ts';

export interface Option {
  /** `-o`, `--output`. */
  readonly name: string;
  readonly value: Text | null;
}

export interface Arguments {
  readonly options: readonly Option[];
  readonly operands: readonly Text[];
}

/** `takesValue`: of the options whose value may be the next word. With `first`, what follows the first operand is operands. */
export function readOptions(
  args: readonly Text[],
  takesValue: (name: string) => boolean,
  first = false,
): Arguments {
  const options: Option[] = [];
  const operands: Text[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    const { text } = word;
    if (text === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!text.startsWith('-') || text === '-') {
      operands.push(word);
      if (!first) continue;
      operands.push(...args.slice(i + 1));
      break;
    }
    if (text.startsWith('--')) {
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      const next = equals < 0 && takesValue(name) ? (args[++i] ?? null) : null;
      options.push({ name, value: equals < 0 ? next : { ...word, text: text.slice(equals + 1) } });
      continue;
    }
    i += readCluster(word, args[i + 1], takesValue, options);
  }
  return { options, operands };
}

/** `-rf`, `-ofile`, `-o file`: how many words more it took. */
function readCluster(
  word: Text,
  next: Text | undefined,
  takesValue: (name: string) => boolean,
  options: Option[],
): 0 | 1 {
  const { text } = word;
  for (let at = 1; at < text.length; at++) {
    const name = `-${text[at]}`;
    if (!takesValue(name)) {
      options.push({ name, value: null });
      continue;
    }
    const rest = text.slice(at + 1);
    options.push({ name, value: rest === '' ? (next ?? null) : { ...word, text: rest, home: false } });
    return rest === '' ? 1 : 0;
  }
  return 0;
}

export function givenFor({ options }: Arguments, ...names: readonly string[]): Text | null {
  return options.findLast(({ name }) => names.includes(name))?.value ?? null;
}

export function has({ options }: Arguments, ...names: readonly string[]): boolean {
  return options.some(({ name }) => names.includes(name));
}

export function joinTexts(words: readonly Text[]): Text {
  const text = words.map((word) => word.text).join(' ');
  return { ...plain(text), known: words.every(({ known, glob }) => known && !glob) };
}
