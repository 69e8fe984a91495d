// Which spec a session runs under: chosen once, pinned by digest, found again after a restart.
import type { Monitor } from '../monitor/monitor.ts';
import { digestText } from '../step/digest.ts';
import type { SessionRow, Store, StoredSpec } from '../store/store.ts';
import { nativeSha256 } from './native-sha256.ts';
import { createNoSpecMonitor } from './no-spec.ts';
import type { CompiledSpecLike, EngineOptions } from './options.ts';
import { refuse } from './problem.ts';
import type { FailOpen } from './types.ts';

export interface Specs {
  /** The first spec for the agent, or null. */
  choose(agentName: string): CompiledSpecLike | null;
  /** The monitor a stored session is pinned to. Rejects with an `EngineError` when it cannot be had. */
  pinned(row: SessionRow): Promise<Monitor>;
  monitorOf(spec: CompiledSpecLike): Monitor;
  /** Of the spec of this digest, as far as it was loaded. */
  failOpen(digest: string | null): FailOpen | undefined;
  noSpec(verdict: 'deny' | 'allow'): Monitor;
}

export function createSpecs(options: Pick<EngineOptions, 'specs' | 'recompile'>, store: Store): Specs {
  const monitors = new Map<string, Monitor>();
  const failOpen = new Map<string, FailOpen>();
  const noSpec = { deny: createNoSpecMonitor('deny'), allow: createNoSpecMonitor('allow') };

  function monitorOf(spec: CompiledSpecLike): Monitor {
    const known = monitors.get(spec.digest);
    if (known !== undefined) return known;
    const monitor = spec.createMonitor();
    monitors.set(spec.digest, monitor);
    if (spec.failOpen !== undefined) failOpen.set(spec.digest, spec.failOpen);
    return monitor;
  }

  function recompile(stored: StoredSpec): Monitor | null {
    const spec = options.recompile?.(stored) ?? null;
    return spec === null || spec.digest !== stored.digest ? null : monitorOf(spec);
  }

  return {
    choose: (agentName) => options.specs.find((spec) => spec.applies(agentName)) ?? null,
    monitorOf,
    failOpen: (digest) => (digest === null ? undefined : failOpen.get(digest)),
    noSpec: (verdict) => noSpec[verdict],
    async pinned(row) {
      if (row.spec === null) return noSpec[row.noSpec ?? 'deny'];
      const loaded = options.specs.find((spec) => spec.digest === row.spec);
      if (loaded !== undefined) return monitorOf(loaded);
      const known = monitors.get(row.spec);
      if (known !== undefined) return known;
      const stored = await store.spec(row.spec);
      const monitor = stored === null ? null : recompile(stored);
      if (monitor !== null) return monitor;
      throw refuse(
        'invalid',
        `the session ${row.id} runs under the spec ${row.specName} (${row.spec}), which is not loaded`,
        'Load that version of the spec again, or open a new session.',
      );
    },
  };
}

/** Specs as they are stored. @throws EngineError when a digest is not that of its canonical text. */
export function storedSpecs(specs: readonly CompiledSpecLike[]): StoredSpec[] {
  return specs.map(({ digest, name, canonical }) => {
    if (digestText(canonical, nativeSha256) !== digest) {
      throw refuse('invalid', `the digest of the spec ${name} is not that of its canonical form`);
    }
    return { digest, name, canonical };
  });
}
