// Tables of a page, as a test reads them: the first cell of the head says what the rows are.

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function tablesOf(page: string): Table[] {
  const tables: Table[] = [];
  let open: string[][] = [];
  for (const line of [...page.split('\n'), '']) {
    if (line.startsWith('|')) open.push(cellsOf(line));
    else if (open.length > 0) {
      const [head = [], , ...rows] = open;
      tables.push({ head, rows });
      open = [];
    }
  }
  return tables;
}

function cellsOf(line: string): string[] {
  return line
    .replaceAll('\\|', '\u0000')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.replaceAll('\u0000', '|').trim());
}

/** What stands between back-quotes, in its order. */
export function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}
