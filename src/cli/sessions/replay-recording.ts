// A session recorded live, replayed under the spec it was pinned to: compiled again from the recorded canonical text,
// whose digest must be the recorded one.
import { nativeSha256 } from '../../engine/native-sha256.ts';
import { createNoSpecMonitor } from '../../engine/no-spec.ts';
import type { Recording } from '../../ingest/importers/interlock.ts';
import { compare } from '../../replay/compare.ts';
import { type ReplaySpec, replaySpec } from '../../replay/replay.ts';
import { compileSpec } from '../../spec/index.ts';

/** Null when the replay is identical, else what differs first. */
export type Replayer = (recording: Recording) => string | null;

/** A replayer that compiles each spec once. */
export function createReplayer(): Replayer {
  const specs = new Map<string, ReplaySpec | string>();
  return (recording) => {
    const key = recording.spec?.digest ?? `no spec, ${recording.noSpec}`;
    const spec = specs.get(key) ?? specOf(recording);
    specs.set(key, spec);
    if (typeof spec === 'string') return spec;
    const difference = compare(spec, recording, nativeSha256);
    return difference === null ? null : `step ${difference.seq}, ${difference.what}`;
  };
}

/** What decides the replay, or why it cannot be had. */
function specOf({ spec, noSpec }: Recording): ReplaySpec | string {
  if (spec === null) return { digest: null, createMonitor: () => createNoSpecMonitor(noSpec ?? 'deny') };
  const compiled = compileSpec(spec.canonical, { file: spec.name });
  if (!compiled.ok) return `the recorded spec ${spec.name} does not compile`;
  if (compiled.spec.digest !== spec.digest) {
    return `the recorded spec ${spec.name} has the digest ${compiled.spec.digest}, not ${spec.digest}`;
  }
  return replaySpec(compiled.spec);
}
