// The list of sessions: newest first, narrowed by the filters in the address, kept current without moving.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { Button } from 'react-aria-components/Button';
import { isAway } from '../api/client.ts';
import { type SessionFilter, sessionsQuery } from '../api/queries.ts';
import { isAtRest, useShortcuts } from '../app/shortcuts.tsx';
import { plural } from '../format.ts';
import { ErrorNotice } from '../ui/notice.tsx';
import { useTitle } from '../ui/use-title.ts';
import { NoMatch, NoSessions } from './empty.tsx';
import { Filters } from './filters.tsx';
import { SessionsSkeleton } from './skeleton.tsx';
import { SessionsTable } from './table.tsx';
import { useLiveSessions } from './use-live-sessions.ts';

export function SessionsPage() {
  const filter = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const searchRef = useRef<HTMLInputElement>(null);
  const listRef = useRef<HTMLDivElement>(null);
  const query = useInfiniteQuery(sessionsQuery(filter));
  const { unseen, showNew } = useLiveSessions(filter);
  useTitle('Sessions');

  const sessions = useMemo(() => query.data?.pages.flatMap((page) => page.sessions) ?? [], [query.data]);
  const agents = useMemo(() => [...new Set(sessions.map((s) => s.agent.name))].sort(), [sessions]);
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const setFilter = (next: SessionFilter): void => {
    const search = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
    void navigate({ search, replace: true, resetScroll: false });
  };
  /** Moves the table's own focus, in its own words; from elsewhere, enters it at its current row. */
  const move = (key: 'ArrowDown' | 'ArrowUp'): void => {
    const list = listRef.current;
    const active = document.activeElement;
    if (list && active && active !== list && list.contains(active) && active.closest('[role=row]')) {
      active.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    } else {
      list?.querySelector<HTMLElement>('.row')?.focus();
    }
  };
  useShortcuts({
    '/': () => searchRef.current?.focus(),
    j: () => move('ArrowDown'),
    k: () => move('ArrowUp'),
    ArrowDown: () => isAtRest() && move('ArrowDown'),
    ArrowUp: () => isAtRest() && move('ArrowUp'),
  });

  return (
    <div className="sessions-page">
      <div className="page-head">
        <h1>Sessions</h1>
        <Filters filter={filter} agents={agents} onChange={setFilter} searchRef={searchRef} />
      </div>
      {query.failureReason && query.data && isAway(query.failureReason) && (
        <p className="strip" role="alert">
          The server does not answer; this is what it last said. Trying again by itself.
        </p>
      )}
      <div className="list" ref={listRef}>
        {unseen > 0 && (
          <Button className="button news" onPress={showNew}>
            Show {plural(unseen, 'new session')}
          </Button>
        )}
        {listContent()}
      </div>
    </div>
  );

  function listContent() {
    if (!query.data) {
      if (query.failureReason)
        return <ErrorNotice error={query.failureReason} onRetry={() => void query.refetch()} />;
      return <SessionsSkeleton />;
    }
    if (sessions.length === 0) return isFiltered ? <NoMatch onClear={() => setFilter({})} /> : <NoSessions />;
    return (
      <SessionsTable
        sessions={sessions}
        isLoadingMore={query.isFetchingNextPage}
        onLoadMore={() => query.hasNextPage && !query.isFetchingNextPage && void query.fetchNextPage()}
        onOpen={(id) => void navigate({ to: '/sessions/$id', params: { id } })}
      />
    );
  }
}
