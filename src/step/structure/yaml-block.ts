// YAML block scalars, `|` literal and `>` folded (YAML 1.2.2 section 8.1). Pure.
import { type Cursor, endOfLine } from './yaml-scalar.ts';

const SPACE = 0x20;
const TAB = 0x09;

type Chomping = 'strip' | 'clip' | 'keep';

/** The text of a block scalar whose header the cursor stands on; content is indented deeper than `parent`. */
export function readBlockScalar(cursor: Cursor, parent: number): string | undefined {
  const { text } = cursor;
  const headerEnd = endOfLine(text, cursor.at);
  const header = /^([|>])(?:([1-9])?([+-])?|([+-])([1-9]))$/.exec(text.slice(cursor.at, headerEnd));
  if (header === null) return undefined;
  const digit = header[2] ?? header[5];
  const chomping = CHOMPING[header[3] ?? header[4] ?? ''] ?? 'clip';
  const body = readLines(
    cursor,
    headerEnd + 1,
    parent,
    digit === undefined ? undefined : parent + Number(digit),
  );
  if (body === undefined) return undefined;
  const joined = header[1] === '>' ? fold(body.lines) : literal(body.lines);
  if (chomping === 'strip') return joined;
  if (chomping === 'keep') return joined + '\n'.repeat(body.trailing + (body.lines.length > 0 ? 1 : 0));
  return body.lines.length > 0 ? `${joined}\n` : joined;
}

const CHOMPING: Readonly<Record<string, Chomping>> = { '-': 'strip', '+': 'keep' };

interface Body {
  /** Content without its indentation, '' for a blank line; ends with a line that is not blank. */
  readonly lines: readonly string[];
  /** Blank lines after the last line of content. */
  readonly trailing: number;
}

/**
 * Collects the lines of the scalar and moves the cursor to the first line after it. Readers differ on blank lines wider
 * than the content and on scalars of blank lines only: those are not read.
 */
function readLines(
  cursor: Cursor,
  from: number,
  parent: number,
  given: number | undefined,
): Body | undefined {
  const { text } = cursor;
  const lines: string[] = [];
  let indent = given;
  let blanks = 0;
  let widestBlank = 0;
  let start = from;
  while (start < text.length) {
    const end = endOfLine(text, start);
    let at = start;
    while (at < end && text.charCodeAt(at) === SPACE && (indent === undefined || at - start < indent)) at++;
    if (at === end) {
      blanks++;
      if (indent === undefined) widestBlank = Math.max(widestBlank, at - start);
    } else {
      indent ??= at - start;
      if (widestBlank > indent) return undefined;
      if (indent <= parent || at - start < indent) {
        if (at - start > parent) return undefined;
        cursor.at = at;
        cursor.column = at - start;
        return { lines, trailing: blanks };
      }
      for (; blanks > 0; blanks--) lines.push('');
      lines.push(text.slice(at, end));
    }
    start = end + 1;
  }
  if (indent === undefined) return undefined;
  cursor.at = text.length;
  cursor.column = -1;
  return { lines, trailing: blanks };
}

function literal(lines: readonly string[]): string {
  return lines.join('\n');
}

/** Folding: a single break between two lines of text is a space; around lines that start with a blank it stays. */
function fold(lines: readonly string[]): string {
  let folded = '';
  let blanks = 0;
  let started = false;
  let afterIndented = false;
  for (const line of lines) {
    if (line === '') {
      blanks++;
      continue;
    }
    const indented = line.charCodeAt(0) === SPACE || line.charCodeAt(0) === TAB;
    if (!started) folded += '\n'.repeat(blanks);
    else if (indented || afterIndented) folded += '\n'.repeat(blanks + 1);
    else folded += blanks === 0 ? ' ' : '\n'.repeat(blanks);
    folded += line;
    started = true;
    afterIndented = indented;
    blanks = 0;
  }
  return folded;
}
