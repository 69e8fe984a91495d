// Writing to a terminal: plain words, colour only where a person is looking.

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Wraps text in an ANSI colour when `stream` is a terminal and NO_COLOR is not set (no-color.org). */
export function paint(
  colour: keyof typeof COLOURS,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  return `\u001b[${COLOURS[colour]}m${text}\u001b[0m`;
}

/** Columns padded to the widest cell; the last is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Text from outside, safe for a terminal: control characters are shown, not obeyed, and long text is cut. */
export function printable(text: string, max = 200): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  let out = '';
  for (const char of cut) {
    const code = char.codePointAt(0)!;
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  }
  return out;
}
