// The little of CEL's lexical grammar that placing problems needs: where texts and comments begin and end. Pure.

/** Offset of the last character of the text whose opening quote stands at `start`; -1 when it does not end. */
export function stringEnd(source: string, start: number): number {
  const quote = source[start]!;
  const isRaw = prefixOf(source, start).includes('r');
  const isTriple = source.startsWith(quote.repeat(3), start);
  const closing = isTriple ? quote.repeat(3) : quote;
  for (let i = start + closing.length; i < source.length; i++) {
    if (source[i] === '\\' && !isRaw) i++;
    else if (source.startsWith(closing, i)) return i + closing.length - 1;
    else if (!isTriple && source[i] === '\n') return -1;
  }
  return -1;
}

/** `r`, `b`, `rb`, `br` before a quote, in lower case; it is none when it ends a longer name. */
function prefixOf(source: string, quote: number): string {
  let start = quote;
  while (start > 0 && isWord(source.charCodeAt(start - 1))) start--;
  const word = source.slice(start, quote).toLowerCase();
  return word === 'r' || word === 'b' || word === 'rb' || word === 'br' ? word : '';
}

/** Offset after a comment that begins at `at`, or `at` itself. */
export function afterComment(source: string, at: number): number {
  if (source[at] !== '/' || source[at + 1] !== '/') return at;
  const newline = source.indexOf('\n', at);
  return newline < 0 ? source.length : newline;
}

export function isQuote(char: string | undefined): boolean {
  return char === '"' || char === "'";
}

/** Letters, digits and `_` of ASCII: what names are made of. */
export function isWord(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
  );
}

export function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

/** Offset of the whole name `word` in the code from `from` on, texts and comments left out; -1 when it is not there. */
export function findName(source: string, word: string, from: number): number {
  for (let i = 0; i < source.length; i++) {
    i = afterComment(source, i);
    if (isQuote(source[i])) {
      const end = stringEnd(source, i);
      if (end < 0) return -1;
      i = end;
    } else if (isWord(source.charCodeAt(i))) {
      let end = i;
      while (isWord(source.charCodeAt(end))) end++;
      if (i >= from && end - i === word.length && source.startsWith(word, i)) return i;
      // A prefix of a text belongs to the text.
      i = end - 1;
    }
  }
  return -1;
}
