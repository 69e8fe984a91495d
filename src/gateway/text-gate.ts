// Text on its way to the client: let through as far as no rule could still stop it. The bound is exact: nothing at all where a
// rule reads the text as a whole; where rules look for patterns, all but what may be the beginning of a match.
import type { ContentWatch } from '../spec/content-watch.ts';
import { compileAutomaton, type Walk } from '../spec/text-automaton.ts';
import { Unreadable } from './types.ts';

/** Patterns are not matched against longer texts: such a text is decided as a whole. */
const FOLLOWED_MAX = 250_000;
/** All of a text is kept until it is on record. */
const TEXT_MAX = 16 << 20;

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
  /** Only ever added to while it comes: to look into a text that grows costs all of it each time. */
  let text = '';
  let rest = '';
  let half = '';
  let released = 0;
  let closed = watch.t === 'whole';

  /** How much of the rest may go, now that this came. */
  function free(delta: string): number {
    if (walks === null) return rest.length;
    // Half a character waits for its other half.
    const last = delta.charCodeAt(delta.length - 1);
    const whole = last >= 0xd800 && last <= 0xdbff ? delta.length - 1 : delta.length;
    const piece = half + delta.slice(0, whole);
    half = delta.slice(whole);
    let pending = text.length - half.length;
    for (const walk of walks) {
      walk.push(piece);
      pending = Math.min(pending, walk.pending);
    }
    return Math.max(0, pending - released);
  }

  return {
    push(delta) {
      if (delta === '') return '';
      if (text.length + delta.length > TEXT_MAX)
        throw new Unreadable(`a text of more than ${TEXT_MAX} characters`, 'too_large');
      text += delta;
      rest += delta;
      if (walks !== null && text.length > FOLLOWED_MAX) closed = true;
      if (closed) return '';
      const count = free(delta);
      const goes = rest.slice(0, count);
      rest = rest.slice(count);
      released += count;
      return goes;
    },
    get text() {
      return text;
    },
    get rest() {
      return rest;
    },
    get released() {
      return released;
    },
    close() {
      closed = true;
    },
  };
}
