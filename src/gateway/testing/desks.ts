// Desks for tests of the wire formats alone: one that rules by the names of tools and a pattern, one that lets all through and
// tells what it saw.
import type { ContentWatch } from '../../spec/content-watch.ts';
import { holdBack } from '../text-gate.ts';
import type { Desk, ProposedCall, ReplyEnd, Ruling, TextGate } from '../types.ts';

export interface Told {
  readonly texts: string[];
  readonly thoughts: string[];
  readonly calls: ProposedCall[];
  readonly ran: string[];
  end: ReplyEnd | null;
}

/** `bad…` is withheld, `edit…` rewritten to `{ edited: true }`; text with `secret` and digits is cut. */
export const SECRET = 'secret[0-9]+';
export const CUT = '[cut]';
export const NO = '[no]';

export function rulingDesk(watch: ContentWatch): Desk {
  return {
    turn: 0,
    guarded: watch.t !== 'free',
    async call({ name }): Promise<Ruling> {
      await Promise.resolve();
      if (name.startsWith('bad')) return { t: 'withhold', text: NO };
      return name.startsWith('edit') ? { t: 'rewrite', args: { edited: true } } : { t: 'run' };
    },
    text(kind = 'said'): TextGate {
      const held = holdBack(kind === 'thought' && watch.t !== 'free' ? { t: 'whole' } : watch);
      return {
        push: (delta) => held.push(delta),
        async end() {
          await Promise.resolve();
          if (watch.t === 'free' || !new RegExp(SECRET).test(held.text)) return held.rest;
          return kind === 'thought' ? '' : CUT;
        },
      };
    },
    ran() {},
    finish() {},
  };
}

export function tellingDesk(): Desk & { readonly told: Told } {
  const told: Told = { texts: [], thoughts: [], calls: [], ran: [], end: null };
  return {
    told,
    turn: 0,
    guarded: false,
    async call(call) {
      told.calls.push(call);
      return { t: 'run' };
    },
    text(kind = 'said') {
      const held = holdBack({ t: 'free' });
      const list = kind === 'said' ? told.texts : told.thoughts;
      const at = list.push('') - 1;
      return {
        push(delta) {
          list[at] += delta;
          return held.push(delta);
        },
        end: async () => '',
      };
    },
    ran: (name) => void told.ran.push(name),
    finish(end) {
      told.end = end;
    },
  };
}
