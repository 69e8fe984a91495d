// Newline-delimited messages of the stdio transport: bytes in, whole lines out, within a size. UTF-8 is decoded once a
// line is whole, so that a character is never cut.

export class LineTooLong extends Error {}

/** Gives each line without its end; throws `LineTooLong` before it keeps more than `bytesMax`. */
export function lineSplitter(bytesMax: number): (chunk: Buffer) => string[] {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  return (chunk) => {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      kept.push(chunk.subarray(start, end));
      if (keptBytes + end - start > bytesMax)
        throw new LineTooLong(`a line is longer than ${bytesMax} bytes`);
      const line = (kept.length === 1 ? kept[0]! : Buffer.concat(kept)).toString('utf8');
      lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
      kept = [];
      keptBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      kept.push(Buffer.from(chunk.subarray(start)));
      keptBytes += chunk.length - start;
      if (keptBytes > bytesMax) throw new LineTooLong(`a line is longer than ${bytesMax} bytes`);
    }
    return lines;
  };
}
