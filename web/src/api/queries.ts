// Every read the page makes, as TanStack Query options: one key and one path per resource.
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import type { Finding, Hold, SessionSummary, StepRow, Stop } from '../../../src/engine/types.ts';
import { getJson, isAway } from './client.ts';

/** Steps are read in aligned ranges of this many, so that every reader of a range shares one answer. */
export const CHUNK = 250;
const PAGE = 50;

export interface SessionFilter {
  readonly text?: string | undefined;
  readonly verdict?: string | undefined;
  readonly agent?: string | undefined;
}
export interface SessionPage {
  readonly sessions: readonly SessionSummary[];
  readonly next: string | null;
}
export interface StepChunk {
  readonly steps: readonly StepRow[];
  readonly total: number;
}
export interface SpecText {
  readonly digest: string;
  readonly name: string;
  readonly canonical: string;
}

/** A server that is away is asked again until it answers; a refusal is an answer and is shown. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always',
        // The event stream says what changed and when it came back; a list must not move for any other reason.
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        staleTime: 30_000,
        retry: (failures, error) => isAway(error) || (failures < 2 && !isRefusal(error)),
        retryDelay: (failures) => Math.min(1000 * 2 ** failures, 10_000),
      },
      mutations: { networkMode: 'always', retry: false },
    },
  });
}

function isRefusal(error: Error): boolean {
  return 'status' in error && typeof error.status === 'number' && error.status >= 400 && error.status < 500;
}

export function sessionsPath(filter: SessionFilter, cursor: string | null): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const key of ['text', 'verdict', 'agent'] as const) {
    const value = filter[key];
    if (value) query.set(key, value);
  }
  if (cursor !== null) query.set('cursor', cursor);
  return `/v1/sessions?${query}`;
}

export function sessionsQuery(filter: SessionFilter) {
  return infiniteQueryOptions({
    queryKey: ['sessions', filter.text ?? '', filter.verdict ?? '', filter.agent ?? ''],
    queryFn: ({ pageParam, signal }) => getJson<SessionPage>(sessionsPath(filter, pageParam), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: 0,
  });
}

/** Stops in force. */
export const stopsQuery = queryOptions({
  queryKey: ['stops'],
  queryFn: ({ signal }) => getJson<{ readonly stops: readonly Stop[] }>('/v1/stops', signal),
});

export function sessionPath(id: string): string {
  return `/v1/sessions/${encodeURIComponent(id)}`;
}

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ['session', id],
    queryFn: ({ signal }) => getJson<SessionSummary>(sessionPath(id), signal),
    staleTime: 0,
  });
}

/** Recorded steps never change; what joins them later (spans, findings, answers) arrives as events, see `use-live`. */
export function chunkQuery(id: string, chunk: number) {
  return queryOptions({
    queryKey: ['steps', id, chunk],
    queryFn: ({ signal }) =>
      getJson<StepChunk>(`${sessionPath(id)}/steps?from=${chunk * CHUNK}&limit=${CHUNK}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function findingsQuery(id: string) {
  return queryOptions({
    queryKey: ['findings', id],
    queryFn: ({ signal }) =>
      getJson<{ findings: readonly Finding[] }>(`/v1/findings?session=${encodeURIComponent(id)}`, signal),
  });
}

export function pendingHoldsQuery(id: string) {
  return queryOptions({
    queryKey: ['holds', id],
    queryFn: ({ signal }) =>
      getJson<{ holds: readonly Hold[] }>(
        `/v1/holds?state=pending&session=${encodeURIComponent(id)}`,
        signal,
      ),
  });
}

/** Content-addressed, so never stale. */
export function specQuery(digest: string) {
  return queryOptions({
    queryKey: ['spec', digest],
    queryFn: ({ signal }) => getJson<SpecText>(`/v1/specs/${encodeURIComponent(digest)}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
