// The text of a spec as JSON: nodes with their places. The text is JSON before a place is looked for, so that the pass over it
// need not doubt. Pure; no recursion deeper than the limit.
import type { Range } from '../spec/problem.ts';
import type { MapEntry, Source, SourceNode } from '../spec/source.ts';
import { JSON_DEPTH_MAX, parseJsonText } from '../step/json.ts';

const MAX_SPEC_LENGTH = 1024 * 1024;
const WHOLE: Range = { start: 0, end: 1 };
/** A text, or anything else up to what may follow it. */
const SCALAR = /"(?:[^"\\]|\\.)*"|[^\s,\]}]+/y;

export function readJson(source: Source): SourceNode | null {
  const { text } = source;
  if (text.length > MAX_SPEC_LENGTH) {
    source.error('too-large', WHOLE, `the spec is longer than ${MAX_SPEC_LENGTH} characters`);
    return null;
  }
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    const start = offsetOf(text, line, column);
    source.error('syntax', { start, end: start + 1 }, `not JSON: expected ${expected}, found ${found}`);
    return null;
  }
  const node = new Places(source).value(0);
  return source.failed ? null : node;
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

class Places {
  readonly #source: Source;
  #at = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The next mark that is no blank; it stands at `#at`. */
  #mark(): string {
    const { text } = this.#source;
    while (/\s/.test(text[this.#at]!)) this.#at++;
    return text[this.#at]!;
  }

  /** Takes `,` and says so, or takes what closes. */
  #more(): boolean {
    const goesOn = this.#mark() === ',';
    this.#at++;
    return goesOn;
  }

  value(depth: number): SourceNode {
    const open = this.#mark();
    const start = this.#at;
    if (open !== '{' && open !== '[') return this.#scalar();
    if (depth > JSON_DEPTH_MAX) {
      this.#source.error(
        'too-deep',
        { start, end: start + 1 },
        `nested deeper than ${JSON_DEPTH_MAX} levels`,
      );
      this.#at = this.#source.text.length - 1;
      return { t: 'scalar', value: null, range: WHOLE, literalAt: null };
    }
    this.#at++;
    return open === '{' ? this.#map(start, depth) : this.#list(start, depth);
  }

  #map(start: number, depth: number): SourceNode {
    const entries: MapEntry[] = [];
    const keys = new Set<string>();
    if (this.#mark() === '}') this.#at++;
    else
      do {
        this.#mark();
        const { value, range } = this.#scalar();
        const key = String(value);
        if (keys.has(key))
          this.#source.error('syntax', range, `the key ${JSON.stringify(key)} stands here twice`);
        keys.add(key);
        this.#mark();
        this.#at++;
        entries.push({ key, keyRange: range, node: this.value(depth + 1) });
      } while (!this.#source.failed && this.#more());
    return { t: 'map', entries, range: { start, end: this.#at } };
  }

  #list(start: number, depth: number): SourceNode {
    const items: SourceNode[] = [];
    if (this.#mark() === ']') this.#at++;
    else
      do {
        items.push(this.value(depth + 1));
      } while (!this.#source.failed && this.#more());
    return { t: 'list', items, range: { start, end: this.#at } };
  }

  #scalar(): Extract<SourceNode, { t: 'scalar' }> {
    SCALAR.lastIndex = this.#at;
    const written = SCALAR.exec(this.#source.text)![0];
    const range = { start: this.#at, end: this.#at + written.length };
    this.#at = range.end;
    const value = JSON.parse(written) as null | boolean | number | string;
    // An expression without escapes stands there letter for letter.
    const shift = typeof value === 'string' ? 1 : 0;
    const literal = typeof value !== 'string' || written.length === value.length + 2;
    return { t: 'scalar', value, range, literalAt: literal ? range.start + shift : null };
  }
}
