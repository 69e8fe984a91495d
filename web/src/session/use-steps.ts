// The rows of a timeline, read range by range: those on screen, those a filter has to look through, and the next one
// worth stopping at. Every range is cached once, whoever asked for it.
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { StepRow } from '../../../src/engine/types.ts';
import { CHUNK, chunkQuery } from '../api/queries.ts';
import { marksOf, matchesShow, type Show } from './marks.ts';

/** Ranges read at the same time while looking through a session; browsers keep six connections to a server. */
const PARALLEL_READS = 4;

export { CHUNK };

export function chunkOf(seq: number): number {
  return Math.floor(seq / CHUNK);
}

export interface Steps {
  readonly row: (seq: number) => StepRow | undefined;
  /** Most steps any answer has reported. */
  readonly total: number;
  readonly error: Error | null;
}

/** The rows of the given ranges, as far as they have arrived. A range that leaves the screen is no longer waited for. */
export function useSteps(id: string, chunks: readonly number[]): Steps {
  return useQueries({
    queries: chunks.map((chunk) => chunkQuery(id, chunk)),
    combine: (results) => {
      const byChunk = new Map(results.map((result, i) => [chunks[i], result.data]));
      return {
        row: (seq: number) => byChunk.get(chunkOf(seq))?.steps[seq % CHUNK],
        total: Math.max(0, ...results.map((result) => result.data?.total ?? 0)),
        error: results.find((result) => result.failureReason)?.failureReason ?? null,
      };
    },
  });
}

export interface Shown {
  /** Numbers of the steps the filter lets through, in order; null when every step is shown. */
  readonly seqs: readonly number[] | null;
  /** How many steps have been looked at. */
  readonly scanned: number;
}

/** Looks through the session for the steps a filter shows, a few ranges at a time, reporting as it goes. */
export function useShown(id: string, show: Show | undefined, total: number): Shown {
  const chunkCount = show ? Math.ceil(total / CHUNK) : 0;
  const [opened, setOpened] = useState(PARALLEL_READS);
  const { seqs, done } = useQueries({
    queries: Array.from({ length: Math.min(opened, chunkCount) }, (_, chunk) => chunkQuery(id, chunk)),
    combine: (results) => ({
      done: results.filter((result) => result.data).length,
      seqs: results.flatMap((result) =>
        show && result.data
          ? marksOf(result.data.steps)
              .filter((mark) => matchesShow(mark, show))
              .map((mark) => mark.seq)
          : [],
      ),
    }),
  });
  useEffect(() => setOpened(Math.min(chunkCount, done + PARALLEL_READS)), [done, chunkCount]);
  return { seqs: show ? seqs : null, scanned: Math.min(total, done * CHUNK) };
}

/** Finds the nearest step in a direction that is not a plain allow, reading ranges until one has it; null when none. */
export function useFindNotable(
  id: string,
): (from: number, way: 1 | -1, total: number) => Promise<number | null> {
  const client = useQueryClient();
  const latest = useRef(0);
  return async (from, way, total) => {
    latest.current += 1;
    const mine = latest.current;
    for (let chunk = chunkOf(Math.max(0, from + way)); chunk >= 0 && chunk * CHUNK < total; chunk += way) {
      const { steps } = await client.fetchQuery(chunkQuery(id, chunk));
      if (latest.current !== mine) return null;
      const seqs = marksOf(steps).map((mark) => mark.seq);
      const hit = way === 1 ? seqs.find((seq) => seq > from) : seqs.findLast((seq) => seq < from);
      if (hit !== undefined) return hit;
    }
    return null;
  };
}
