// Which tools a session is not shown: those that its spec could never allow. The text of the spec is asked for once.

import { type NeverAllowed, neverAllowed } from './never.ts';
import type { GuardedSession } from './session.ts';
import type { Guarded } from './types.ts';

/** The canonical text of a spec by its digest; null when it is not there. */
export type SpecText = (digest: string) => Promise<string | null>;

const SPECS_MAX = 100;

export function hiddenTools(specText: SpecText): (session: GuardedSession) => Guarded['hidden'] {
  const known = new Map<string, Promise<NeverAllowed>>();

  function neverOf(digest: string): Promise<NeverAllowed> {
    let found = known.get(digest);
    if (found === undefined) {
      found = read(specText, digest);
      known.set(digest, found);
      if (known.size > SPECS_MAX) known.delete(known.keys().next().value!);
      found.catch(() => known.delete(digest));
    }
    return found;
  }

  return (session) => async (names) => {
    const { spec } = await session.opened();
    if (spec === null) return new Set();
    const never = await neverOf(spec);
    return new Set(names.filter(never));
  };
}

async function read(specText: SpecText, digest: string): Promise<NeverAllowed> {
  const text = await specText(digest);
  const never = text === null ? null : neverAllowed(text);
  if (never === null) throw new Error(`the spec ${digest} cannot be read`);
  return never;
}
