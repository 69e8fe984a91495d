// Whether JSON text has a key twice in one object. Parsers differ in which of the two they take, so such a body could be
// decided as one call and run as another (RFC 8259 section 4; RFC 7493 section 2.3 forbids it). Linear, no recursion.

/**
 * The first key that stands twice, or null. `text` must be valid JSON. Down to `looseDepth` levels, keys that differ only
 * in case count as the same: some decoders match the members they know without regard to case.
 */
export function repeatedKey(text: string, looseDepth = 0): string | null {
  /** One for each open object, null for a list. */
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
        open.push(new Set());
        break;
      case 0x5b: // [
        open.push(null);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        break;
      case 0x22: {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (keys && isKey(text, end)) {
          const key = JSON.parse(text.slice(i, end)) as string;
          const same = open.length <= looseDepth ? key.toLowerCase() : key;
          if (keys.has(same)) return key;
          keys.add(same);
        }
        i = end - 1;
      }
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i + 1;
}

function isKey(text: string, end: number): boolean {
  let i = end;
  while (i < text.length && ' \t\r\n'.includes(text[i]!)) i++;
  return text[i] === ':';
}

/** A key that a reader which ignores case (Go's `encoding/json`) takes for one of `keys`, and this one does not. */
export function twinOf(fields: object, keys: readonly string[]): string | null {
  for (const key of Object.keys(fields))
    if (!keys.includes(key) && keys.includes(key.toLowerCase())) return key;
  return null;
}
