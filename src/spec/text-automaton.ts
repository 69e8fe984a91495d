// Patterns over a text that is still growing: from where on a match may be under way, so that all before can be let through.
// A Thompson automaton (Thompson 1968; Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009) that keeps for
// each state the earliest place it was reached from. It accepts at least what RE2 does: assertions of place (`^`, `$`, `\b`)
// hold everywhere. Pure; linear in the text.
import { type Node, parsePattern } from './text-pattern.ts';

/** States of one pattern; a larger one is not followed. */
const MAX_STATES = 2_000;

type State =
  | { readonly t: 'one'; readonly accepts: (code: number) => boolean; readonly next: number }
  | { readonly t: 'split'; readonly next: readonly number[] }
  | { readonly t: 'match' };

export interface Automaton {
  readonly matchesEmpty: boolean;
  /** A walk over one text, piece by piece. */
  start(): Walk;
}

export interface Walk {
  /** Takes the next piece; pieces are cut between code points. */
  push(piece: string): void;
  /** Where the earliest match that may be under way begins, in UTF-16 units from the start of the text; its length when none is. */
  readonly pending: number;
  /** Whether a match has been completed, and from where. */
  readonly found: number | null;
}

/** Null when the pattern is not one that can be followed. */
export function compileAutomaton(pattern: string): Automaton | null {
  const node = parsePattern(pattern);
  if (node === null) return null;
  const states: State[] = [{ t: 'match' }];
  const first = build(node, 0, states);
  if (first === null) return null;
  return { matchesEmpty: closes(states, first), start: () => walk(states, first) };
}

/** The state from which the node leads to `next`; null when there would be too many. */
function build(node: Node, next: number, states: State[]): number | null {
  const add = (state: State): number | null => {
    if (states.length >= MAX_STATES) return null;
    states.push(state);
    return states.length - 1;
  };
  switch (node.t) {
    case 'empty':
      return next;
    case 'one':
      return add({ t: 'one', accepts: node.accepts, next });
    case 'all': {
      let at: number | null = next;
      for (let i = node.of.length - 1; i >= 0 && at !== null; i--) at = build(node.of[i]!, at, states);
      return at;
    }
    case 'any': {
      const starts: number[] = [];
      for (const part of node.of) {
        const start = build(part, next, states);
        if (start === null) return null;
        starts.push(start);
      }
      return add({ t: 'split', next: starts });
    }
    case 'repeat': {
      let at: number | null = next;
      if (node.max === null) {
        const loop = add({ t: 'split', next: [] });
        if (loop === null) return null;
        const body = build(node.of, loop, states);
        if (body === null) return null;
        states[loop] = { t: 'split', next: [body, next] };
        at = loop;
      } else {
        for (let i = node.min; i < node.max && at !== null; i++) {
          const body: number | null = build(node.of, at, states);
          at = body === null ? null : add({ t: 'split', next: [body, next] });
        }
      }
      for (let i = 0; i < node.min && at !== null; i++) at = build(node.of, at, states);
      return at;
    }
  }
}

/** Whether the match is reached without taking a character. */
function closes(states: readonly State[], from: number): boolean {
  const seen = new Set<number>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const state = states[at]!;
    if (state.t === 'match') return true;
    if (state.t === 'split') open.push(...state.next);
  }
  return false;
}

function walk(states: readonly State[], first: number): Walk {
  let live = new Map<number, number>();
  let length = 0;
  let found: number | null = null;

  /** Adds the state, and what it leads to for nothing, as reached from a place; the earliest place stays. */
  function reach(into: Map<number, number>, at: number, from: number): void {
    const open = [at];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const known = into.get(next);
      if (known !== undefined && known <= from) continue;
      into.set(next, from);
      const state = states[next]!;
      if (state.t === 'split') open.push(...state.next);
      if (state.t === 'match' && (found === null || from < found)) found = from;
    }
  }

  return {
    push(piece) {
      for (let i = 0; i < piece.length; ) {
        const code = piece.codePointAt(i)!;
        const next = new Map<number, number>();
        const from = live;
        reach(from, first, length);
        for (const [at, begun] of from) {
          const state = states[at]!;
          if (state.t === 'one' && state.accepts(code)) reach(next, state.next, begun);
        }
        live = next;
        const units = code > 0xffff ? 2 : 1;
        length += units;
        i += units;
      }
    },
    get pending() {
      let earliest = found ?? length;
      for (const begun of live.values()) if (begun < earliest) earliest = begun;
      return earliest;
    },
    get found() {
      return found;
    },
  };
}
