// How many steps the session has, from whoever knew last: its summary, a range just read, or the event stream.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { subscribeLive } from '../api/live.ts';
import {
  CHUNK,
  chunkQuery,
  findingsQuery,
  pendingHoldsQuery,
  type StepChunk,
  sessionQuery,
} from '../api/queries.ts';

/** A burst of events becomes one round of reads. */
const GATHER_MS = 250;

/**
 * Follows a session live. Grows the total as steps arrive and re-reads what an event may have changed: the summary, the
 * findings, the holds, and the ranges on hand that the event touches.
 */
export function useLiveSession(id: string): number {
  const client = useQueryClient();
  const [live, setLive] = useState({ id, total: 0 });

  useEffect(() => {
    let stale = new Set<number | 'all'>();
    let timer: number | null = null;
    const flush = (): void => {
      timer = null;
      const chunks = stale;
      stale = new Set();
      void client.invalidateQueries({ queryKey: sessionQuery(id).queryKey });
      void client.invalidateQueries({ queryKey: findingsQuery(id).queryKey });
      void client.invalidateQueries({ queryKey: pendingHoldsQuery(id).queryKey });
      if (chunks.has('all')) void client.invalidateQueries({ queryKey: ['steps', id] });
      else
        for (const chunk of chunks)
          if (typeof chunk === 'number')
            void client.invalidateQueries({ queryKey: chunkQuery(id, chunk).queryKey });
    };
    const stop = subscribeLive((message) => {
      if (message.type === 'stop' || (message.type !== 'resumed' && message.session !== id)) return;
      switch (message.type) {
        case 'step':
          stale.add(Math.floor(message.seq / CHUNK));
          setLive((old) => ({ id, total: Math.max(old.id === id ? old.total : 0, message.seq + 1) }));
          break;
        case 'hold':
          for (const chunk of chunksWithHold(message.hold)) stale.add(chunk);
          break;
        case 'finding':
        case 'resumed':
          // Neither says which step; only ranges on screen are read again, others when next shown.
          stale.add('all');
          break;
        case 'session':
          break;
      }
      timer ??= window.setTimeout(flush, GATHER_MS);
    });
    const chunksWithHold = (hold: string): number[] =>
      client
        .getQueriesData<StepChunk>({ queryKey: ['steps', id] })
        .filter(([, data]) => data?.steps.some((row) => row.hold?.id === hold))
        .map(([key]) => key[2] as number);
    return () => {
      stop();
      if (timer !== null) window.clearTimeout(timer);
    };
  }, [client, id]);

  return live.id === id ? live.total : 0;
}
