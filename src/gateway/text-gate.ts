// Text on its way to the client: let through as far as no rule could still stop it. The bound is exact: nothing at all where a
// rule reads the text as a whole; where rules look for patterns, all but what may be the beginning of a match.
import type { ContentWatch } from '../spec/content-watch.ts';
import { compileAutomaton, type Walk } from '../spec/text-automaton.ts';

/** Patterns are not matched against longer texts: such a text is decided as a whole. */
const FOLLOWED_MAX = 250_000;

export interface Holdback {
  /** Takes what came, gives what may go. */
  push(delta: string): string;
  /** All that came. */
  readonly text: string;
  /** What has not gone. */
  readonly rest: string;
  readonly released: number;
  /** From now on nothing goes. */
  close(): void;
}

/** `whole` is for a text on which the verdict is not known to be `allow` so far. */
export function holdBack(watch: ContentWatch): Holdback {
  const walks: Walk[] | null =
    watch.t === 'patterns' ? watch.patterns.map((pattern) => compileAutomaton(pattern)!.start()) : null;
  let text = '';
  let walked = 0;
  let released = 0;
  let closed = watch.t === 'whole';

  /** Up to where the text may go. */
  function free(): number {
    if (walks === null) return text.length;
    // Half a character waits for its other half.
    const last = text.charCodeAt(text.length - 1);
    const end = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
    const piece = text.slice(walked, end);
    walked = end;
    let pending = end;
    for (const walk of walks) {
      walk.push(piece);
      pending = Math.min(pending, walk.pending);
    }
    return pending;
  }

  return {
    push(delta) {
      text += delta;
      if (closed) return '';
      if (walks !== null && text.length > FOLLOWED_MAX) {
        closed = true;
        return '';
      }
      const from = released;
      released = Math.max(released, free());
      return text.slice(from, released);
    },
    get text() {
      return text;
    },
    get rest() {
      return text.slice(released);
    },
    get released() {
      return released;
    },
    close() {
      closed = true;
    },
  };
}
