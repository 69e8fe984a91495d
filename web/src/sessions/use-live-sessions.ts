// Keeps the shown sessions current without moving a row: what is listed is updated in place, what is new is counted
// and waits for the reader to ask for it.
import { type InfiniteData, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { SessionSummary } from '../../../src/engine/types.ts';
import { getJson } from '../api/client.ts';
import { subscribeLive } from '../api/live.ts';
import {
  type SessionFilter,
  type SessionPage,
  sessionPath,
  sessionsPath,
  sessionsQuery,
} from '../api/queries.ts';

/** Events are gathered this long before anything is fetched, so a busy server costs two reads a second at most. */
const GATHER_MS = 500;
/** Listed sessions outside the newest page that are read one by one per gathering; the rest wait for the next event. */
const MAX_SINGLE_READS = 10;

/** How many sessions match the filter and are newer than the list, and the act that shows them. */
export function useLiveSessions(filter: SessionFilter): { unseen: number; showNew: () => void } {
  const client = useQueryClient();
  const [unseen, setUnseen] = useState(0);
  const { text, verdict, agent } = filter;

  useEffect(() => {
    setUnseen(0);
    const filterNow = { text, verdict, agent };
    const { queryKey } = sessionsQuery(filterNow);
    let touched = new Set<string>();
    /** Events were missed: the whole list is read again, unless that would push news above the reader. */
    let resumed = false;
    let timer: number | null = null;
    let busy = false;
    let stopped = false;

    const refresh = async (): Promise<void> => {
      timer = null;
      if (busy) return;
      busy = true;
      const ids = touched;
      touched = new Set();
      try {
        const newest = await getJson<SessionPage>(sessionsPath(filterNow, null));
        const data = client.getQueryData<InfiniteData<SessionPage>>(queryKey);
        if (!data || stopped) return;
        const shown = new Set(data.pages.flatMap((page) => page.sessions.map((s) => s.id)));
        const fresh = new Map(newest.sessions.map((s) => [s.id, s]));
        const rest = [...ids].filter((id) => shown.has(id) && !fresh.has(id)).slice(0, MAX_SINGLE_READS);
        const singles = await Promise.all(rest.map((id) => getJson<SessionSummary>(sessionPath(id))));
        if (stopped) return;
        for (const s of singles) fresh.set(s.id, s);
        const news = newest.sessions.filter((each) => !shown.has(each.id)).length;
        const readAgain = shown.size === 0 || (resumed && news === 0);
        resumed = false;
        if (readAgain) await client.invalidateQueries({ queryKey });
        else {
          client.setQueryData<InfiniteData<SessionPage>>(queryKey, (old) => old && patch(old, fresh));
          setUnseen(news);
        }
      } catch {
        // The list's own query reports a server that is away; the next event tries again.
      } finally {
        busy = false;
        if (touched.size > 0 && !stopped) schedule();
      }
    };
    const schedule = (): void => {
      timer ??= window.setTimeout(() => void refresh(), GATHER_MS);
    };
    const stop = subscribeLive((message) => {
      if (message.type === 'stop') return;
      if (message.type === 'resumed') resumed = true;
      else touched.add(message.session);
      schedule();
    });
    return () => {
      stop();
      stopped = true;
      if (timer !== null) window.clearTimeout(timer);
    };
  }, [client, text, verdict, agent]);

  const showNew = (): void => {
    setUnseen(0);
    void client.resetQueries({ queryKey: sessionsQuery(filter).queryKey });
  };
  return { unseen, showNew };
}

function patch(
  data: InfiniteData<SessionPage>,
  fresh: ReadonlyMap<string, SessionSummary>,
): InfiniteData<SessionPage> {
  return {
    ...data,
    pages: data.pages.map((page) => ({ ...page, sessions: page.sessions.map((s) => fresh.get(s.id) ?? s) })),
  };
}
