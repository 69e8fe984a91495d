// Server-sent events (WHATWG HTML section 9.2.6) read from pieces of any size and written in one form. Pure.
import { onOneLine } from '../step/one-line.ts';

export interface StreamEvent {
  /** '' where the stream names none. */
  readonly event: string;
  readonly data: string;
  /** A comment line keeps the connection open and says nothing. */
  readonly comment?: boolean;
}

/** Longest event, in characters. */
export const EVENT_MAX = 16 << 20;

export class StreamTooLarge extends Error {}

export interface EventReader {
  /** The events that are whole with this piece. */
  push(bytes: Uint8Array): StreamEvent[];
  /** The event that the end of the stream cut off, if there is one that counts: none, by the standard. */
  end(): StreamEvent[];
}

export function eventReader(): EventReader {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let scanned = 0;
  let name = '';
  let data: string[] = [];
  let size = 0;

  function line(text: string, out: StreamEvent[]): void {
    if (text === '') {
      if (data.length > 0) out.push({ event: name, data: data.join('\n') });
      name = '';
      data = [];
      size = 0;
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) {
      out.push({ event: '', data: text.slice(1).trim(), comment: true });
      return;
    }
    const field = colon < 0 ? text : text.slice(0, colon);
    const start = text[colon + 1] === ' ' ? colon + 2 : colon + 1;
    const value = colon < 0 ? '' : text.slice(start);
    size += value.length;
    if (size > EVENT_MAX)
      throw new StreamTooLarge(`an event of the stream has more than ${EVENT_MAX} characters`);
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }

  return {
    push(bytes) {
      const out: StreamEvent[] = [];
      rest += decoder.decode(bytes, { stream: true });
      let from = 0;
      for (let i = scanned; i < rest.length; i++) {
        const code = rest.charCodeAt(i);
        if (code !== 10 && code !== 13) continue;
        // Whether a line feed follows a carriage return at the end is not known yet.
        if (code === 13 && i + 1 === rest.length) {
          scanned = i - from;
          rest = rest.slice(from);
          return out;
        }
        line(rest.slice(from, i), out);
        if (code === 13 && rest.charCodeAt(i + 1) === 10) i++;
        from = i + 1;
      }
      rest = rest.slice(from);
      scanned = rest.length;
      if (rest.length > EVENT_MAX)
        throw new StreamTooLarge(`a line of the stream has more than ${EVENT_MAX} characters`);
      return out;
    },
    end() {
      const out: StreamEvent[] = [];
      // A stream that ends in `\r` has ended its line; and vendors leave out the last empty line.
      if (rest.endsWith('\r')) line(rest.slice(0, -1), out);
      else if (rest !== '') line(rest, out);
      line('', out);
      rest = '';
      return out;
    },
  };
}

export function writeEvent({ event, data, comment }: StreamEvent): string {
  if (comment === true) return `: ${onOneLine(data)}\n\n`;
  const name = event === '' ? '' : `event: ${onOneLine(event)}\n`;
  const text = onOneLine(data);
  return `${name}data: ${text.includes('\n') ? text.replaceAll('\n', '\ndata: ') : text}\n\n`;
}

/** An event whose data is JSON. */
export function jsonEvent(value: unknown, event = ''): string {
  return writeEvent({ event, data: JSON.stringify(value) });
}
