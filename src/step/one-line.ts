// JSON in a format of lines (newline-delimited messages, server-sent events), for readers that end lines at more than the format
// does. Pure.

/** What some readers end a line at: a carriage return between tokens, the rest within strings (Node's readline, Python's splitlines). */
const BREAKS = /[\r\u0085\u2028\u2029]/g;

/** The same message of JSON as one line to every reader, so that none can be hidden in another. */
export function onOneLine(json: string): string {
  return json.replace(BREAKS, (at) =>
    at === '\r' ? ' ' : `\\u${at.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
