// What a session's spec says of tools before any is called: which it could never allow, and which only read. Its text is
// asked for once; until it is there, nothing is claimed.
import { type KnownTools, knownTools } from './known-tools.ts';
import type { GuardedSession } from './session.ts';

/** The canonical text of a spec by its digest; null when it is not there. */
export type SpecText = (digest: string) => Promise<string | null>;

export interface SpecView {
  /** Of these names of tool steps, those that could never be allowed; rejects when the spec cannot be had. */
  hidden(names: readonly string[]): Promise<ReadonlySet<string>>;
  /** Whether the tool has no effect, by its contract. */
  isRead(name: string): boolean;
}

const SPECS_MAX = 100;

export function specViews(specText: SpecText): (session: GuardedSession) => SpecView {
  const known = new Map<string, Promise<KnownTools>>();

  function toolsOf(digest: string): Promise<KnownTools> {
    let found = known.get(digest);
    if (found === undefined) {
      found = read(specText, digest);
      known.set(digest, found);
      if (known.size > SPECS_MAX) known.delete(known.keys().next().value!);
      found.catch(() => known.delete(digest));
    }
    return found;
  }

  return (session) => {
    let tools: KnownTools | null = null;
    let asking = false;
    async function load(): Promise<KnownTools | null> {
      const { spec } = await session.opened();
      tools = spec === null ? null : await toolsOf(spec);
      return tools;
    }
    return {
      async hidden(names) {
        const found = await load();
        return new Set(found === null ? [] : names.filter((name) => found.isNever(name)));
      },
      isRead(name) {
        if (tools === null && !asking) {
          asking = true;
          load().catch(() => {
            asking = false;
          });
        }
        return tools?.isRead(name) ?? false;
      },
    };
  };
}

async function read(specText: SpecText, digest: string): Promise<KnownTools> {
  const text = await specText(digest);
  const tools = text === null ? null : knownTools(text);
  if (tools === null) throw new Error(`the spec ${digest} cannot be read`);
  return tools;
}
