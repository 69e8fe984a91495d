// Names that a reader, person or model, takes for one another: the same once case, separators and confusable letters
// (Unicode TS 39) are folded, or at most two edits apart. Pure.
import { foldText } from '../../step/normal-forms.ts';

const EDITS_MAX = 2;
const LENGTH_MAX = 128;

/** Letters that look like Latin ones: the lower-case Cyrillic and Greek of TS 39, and digits used as letters. */
const CONFUSABLE: Readonly<Record<string, string>> = {
  а: 'a', в: 'b', е: 'e', ё: 'e', һ: 'h', і: 'i', ї: 'i', ј: 'j', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p', с: 'c',
  ѕ: 's', т: 't', у: 'y', х: 'x', ԁ: 'd', ԛ: 'q', ԝ: 'w', ѵ: 'v', ӏ: 'l', ɡ: 'g', ı: 'i', ł: 'l', ø: 'o',
  α: 'a', β: 'b', γ: 'y', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', σ: 'o', τ: 't', υ: 'u', χ: 'x',
  '0': 'o', '1': 'l', '3': 'e', '5': 's', '|': 'l', '!': 'l',
}; // biome-ignore format: a table
const SEPARATORS = '_-./ :';

/** What is left of a name when everything that only looks different is gone. */
export function skeleton(name: string): string {
  let out = '';
  for (const char of foldText(name.slice(0, LENGTH_MAX)).normalize('NFD')) {
    const code = char.codePointAt(0)!;
    if (SEPARATORS.includes(char) || (code >= 0x300 && code <= 0x36f)) continue;
    out += Object.hasOwn(CONFUSABLE, char) ? CONFUSABLE[char] : char;
  }
  return out.replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('i', 'l');
}

export const SAME = 'looks the same as';

/** Why `name` may be taken for `other`, which is another name; null when it may not. */
export function likeness(name: string, other: string): string | null {
  if (name === other || name.length > LENGTH_MAX || other.length > LENGTH_MAX) return null;
  if (skeleton(name) === skeleton(other)) return SAME;
  const most = Math.min(EDITS_MAX, Math.floor(Math.min(name.length, other.length) / 4));
  const edits = distance(name.toLowerCase(), other.toLowerCase(), most);
  return edits <= most ? `is ${edits === 1 ? 'one edit' : `${edits} edits`} away from` : null;
}

/** Levenshtein's distance, or more than `most` as soon as it must be more. */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const edits = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + cost);
      row.push(edits);
      least = Math.min(least, edits);
    }
    if (least > most) return most + 1;
    previous = row;
  }
  return previous[b.length]!;
}
