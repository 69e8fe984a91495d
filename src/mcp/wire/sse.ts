// Server-sent events (HTML Living Standard, "Server-sent events"): text in any chunks in, whole events out, each with the
// text it came as, so that what needs no change goes on unchanged.
import { onOneLine } from '../../step/one-line.ts';

export interface SseEvent {
  /** As it came, with the blank line that ends it. */
  readonly raw: string;
  /** Null: the event has no data, e.g. a comment or an id alone. */
  readonly data: string | null;
  /** `message` when the event has no name. */
  readonly name: string;
  /** Its lines that are no data, each with a line end. */
  readonly rest: string;
}

export class EventTooLong extends Error {}

export function sseSplitter(charactersMax: number): (text: string) => SseEvent[] {
  let buffer = '';
  /** Where the search for the end of an event goes on. */
  let scanned = 0;
  return (text) => {
    buffer += text;
    const events: SseEvent[] = [];
    let start = 0;
    let lineStart = Math.max(0, scanned);
    for (;;) {
      const end = lineEnd(buffer, lineStart);
      if (end === null) break;
      const blank = end.at === lineStart;
      lineStart = end.next;
      if (!blank) continue;
      events.push(eventOf(buffer.slice(start, lineStart)));
      start = lineStart;
    }
    buffer = buffer.slice(start);
    scanned = lineStart - start;
    if (buffer.length > charactersMax)
      throw new EventTooLong(`an event is longer than ${charactersMax} characters`);
    return events;
  };
}

/** The end of the line; null while it has not come, or while a CR may still be the first half of a CR LF. */
function lineEnd(text: string, from: number): { readonly at: number; readonly next: number } | null {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10) return { at: i, next: i + 1 };
    if (code !== 13) continue;
    if (i + 1 === text.length) return null;
    return { at: i, next: text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
  }
  return null;
}

function eventOf(raw: string): SseEvent {
  const data: string[] = [];
  let name = 'message';
  let rest = '';
  for (const line of raw.split(/\r\n|\n|\r/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const key = colon < 0 ? line : line.slice(0, colon);
    const after = colon < 0 ? '' : line.slice(colon + 1);
    const value = after.startsWith(' ') ? after.slice(1) : after;
    if (key === 'data') data.push(value);
    else rest += `${line}\n`;
    if (key === 'event') name = value;
  }
  return { raw, data: data.length === 0 ? null : data.join('\n'), name, rest };
}

/** An event with other data, its id and retry kept. */
export function withData({ rest }: Pick<SseEvent, 'rest'>, data: string): string {
  return `${rest}${dataLines(data)}\n`;
}

export function messageEvent(data: string): string {
  return `event: message\n${dataLines(data)}\n`;
}

function dataLines(data: string): string {
  return onOneLine(data)
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('');
}
