// `text.mentions(["pay*", "set up"])`: whether a text has one of some words or phrases, in normal form (case, width,
// hidden characters), as whole tokens; a `*` ends a word that may go on. Far cheaper than a pattern, and harder to dodge. Pure.
import { tokenize } from '../../step/normal-forms.ts';
import { CelError, celError, type Value } from './value.ts';

/** One word of a phrase: exact, or a beginning. */
interface Word {
  readonly text: string;
  readonly open: boolean;
}

interface Phrases {
  readonly exact: ReadonlySet<string>;
  /** Single words that may go on, by their first character. */
  readonly beginnings: ReadonlyMap<string, readonly string[]>;
  readonly longer: readonly (readonly Word[])[];
}

const MAX_TEXT = 262_144;
const MAX_PHRASES = 1_000;
const compiled = new WeakMap<object, Phrases | CelError>();

export function mentions(text: Value, list: Value): Value {
  if (typeof text !== 'string' || !Array.isArray(list))
    return celError('error', 'mentions() is for a text and a list of words');
  if (text.length > MAX_TEXT)
    return celError('error', `the text is longer than the ${MAX_TEXT} characters that mentions() looks at`);
  let phrases = compiled.get(list);
  if (phrases === undefined) {
    phrases = compilePhrases(list as readonly Value[]);
    compiled.set(list, phrases);
  }
  if (phrases instanceof CelError) return phrases;
  const tokens = tokensOf(text);
  for (let i = 0; i < tokens.length; i++) if (standsAt(phrases, tokens, i)) return true;
  return false;
}

/** Several rules ask of one text in a row: its tokens are kept until the next text. */
let lastText = '';
let lastTokens: readonly string[] = [];
function tokensOf(text: string): readonly string[] {
  if (text !== lastText) {
    lastTokens = tokenize(text);
    lastText = text;
  }
  return lastTokens;
}

function standsAt(phrases: Phrases, tokens: readonly string[], at: number): boolean {
  const token = tokens[at]!;
  if (phrases.exact.has(token)) return true;
  const beginnings = phrases.beginnings.get(token[0]!);
  if (beginnings?.some((beginning) => token.startsWith(beginning))) return true;
  return phrases.longer.some((phrase) =>
    phrase.every((word, i) => {
      const found = tokens[at + i];
      return found !== undefined && (word.open ? found.startsWith(word.text) : found === word.text);
    }),
  );
}

function compilePhrases(list: readonly Value[]): Phrases | CelError {
  if (list.length > MAX_PHRASES) return celError('error', `mentions() takes at most ${MAX_PHRASES} phrases`);
  const exact = new Set<string>();
  const beginnings = new Map<string, string[]>();
  const longer: Word[][] = [];
  for (const item of list) {
    if (typeof item !== 'string') return celError('error', 'mentions() takes a list of texts');
    const words = item.split(' ').flatMap((part) => {
      const open = part.endsWith('*');
      const tokens = tokenize(open ? part.slice(0, -1) : part);
      return tokens.map((text, i): Word => ({ text, open: open && i === tokens.length - 1 }));
    });
    const [only] = words;
    if (only === undefined) return celError('error', `\`${item.slice(0, 40)}\` has no word`);
    if (words.length > 1) longer.push(words);
    else if (!only.open) exact.add(only.text);
    else {
      const first = only.text[0]!;
      beginnings.set(first, [...(beginnings.get(first) ?? []), only.text]);
    }
  }
  return { exact, beginnings, longer };
}
