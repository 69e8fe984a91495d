// A word of the shell as the texts that a program would get, as far as that is known before the command runs. Pure.
import type { Word, WordPart } from 'unbash';
import { MAX_BRACES } from './types.ts';

export interface Text {
  /** Quotes and escapes taken away. What is not known stands as it was written. */
  readonly text: string;
  /** False when an expansion in it has a value that is not known. */
  readonly known: boolean;
  /** It has `*`, `?` or `[…]` that stand for names of files. */
  readonly glob: boolean;
  /** It begins with `~`, and the shell puts the home folder there. */
  readonly home: boolean;
}

export function plain(text: string): Text {
  return { text, known: true, glob: false, home: false };
}

/** More than one for `{a,b}`. */
export function textsOf(word: Word): readonly Text[] {
  if (word.parts === undefined)
    return [{ ...plain(word.value), home: word.text.startsWith('~') && word.value.startsWith('~') }];
  let texts: Text[] = [plain('')];
  for (const part of word.parts) {
    const next = optionsOf(part);
    if (texts.length * next.length > MAX_BRACES) return [{ ...plain(word.text), known: false }];
    texts = texts.flatMap((before) => next.map((after) => joined(before, after)));
  }
  return word.text.startsWith('~') ? texts.map((text) => ({ ...text, home: true })) : texts;
}

function isHome(text: string | undefined): boolean {
  return text === '$HOME' || text === '${' + 'HOME}';
}

function joined(a: Text, b: Text): Text {
  const home = a.text === '' ? b.home : a.home;
  const known = a.known && b.known && (!b.home || a.text === '');
  return { text: a.text + b.text, known, glob: a.glob || b.glob, home };
}

function optionsOf(part: WordPart): readonly Text[] {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return [plain(part.value)];
    case 'DoubleQuoted':
    case 'LocaleString':
      return [part.parts.map((inner) => wroteOut(inner) ?? optionsOf(inner)[0]!).reduce(joined, plain(''))];
    case 'Glob':
    case 'ExtendedGlob':
      return [{ ...plain(part.text), glob: true }];
    case 'BraceExpansion':
      return bracesOf(part.text);
    case 'ProcessSubstitution':
      return [plain('/dev/fd/63')];
    default:
      return [isHome(part.text) ? { ...plain('~'), home: true } : { ...plain(part.text), known: false }];
  }
}

/** `"$(cat <<'E' … E)"`: a text over several lines, as agents write it. */
function wroteOut(part: WordPart): Text | null {
  if (part.type !== 'CommandExpansion' || part.script?.errors !== undefined) return null;
  const [statement, more] = part.script?.commands ?? [];
  const command = statement?.command;
  if (more !== undefined || command?.type !== 'Command' || command.name?.text !== 'cat') return null;
  const [document, ...others] = [...command.prefix, ...command.suffix];
  if (document?.type !== 'HereDoc' || others.length > 0) return null;
  const { text, parts } = document.body;
  if (document.delimiter?.quoted !== true && (parts !== undefined || text.includes('\\'))) return null;
  let end = text.length;
  while (text[end - 1] === '\n') end--;
  return plain(text.slice(0, end));
}

/** `{a,b,c}` of plain letters; anything more is not known. */
function bracesOf(text: string): readonly Text[] {
  const inner = text.slice(1, -1);
  const simple = inner.includes(',') && !/[{}"'\\$`*?[\]~]/.test(inner);
  return simple ? inner.split(',').map(plain) : [{ ...plain(text), known: false }];
}
