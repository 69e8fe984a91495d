// One session: who ran it under which spec, every step of it, and the step being read. The selected step and the
// filter live in the address; this file joins the parts and draws none of them.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { chunkQuery, sessionQuery } from '../api/queries.ts';
import { isAtRest, useShortcuts } from '../app/shortcuts.tsx';
import { ErrorNotice } from '../ui/notice.tsx';
import { useTitle } from '../ui/use-title.ts';
import { Attention } from './attention.tsx';
import { DetailPanel } from './detail/panel.tsx';
import { SessionHeader } from './header.tsx';
import type { Show } from './marks.ts';
import { Timeline, type TimelineHandle } from './timeline.tsx';
import { Toolbar } from './toolbar.tsx';
import { useLiveSession } from './use-live-session.ts';
import { CHUNK, chunkOf, useFindNotable, useShown } from './use-steps.ts';

const FLASH_MS = 1600;
const NO_WITNESSES: ReadonlySet<number> = new Set();

export function SessionPage() {
  const { id } = useParams({ from: '/sessions/$id' });
  // A new session is a new page: nothing of the last one's scroll, filter or totals may stay.
  return <Session key={id} id={id} />;
}

function Session({ id }: { id: string }) {
  const { step: selected = null, show } = useSearch({ from: '/sessions/$id' });
  const navigate = useNavigate({ from: '/sessions/$id' });
  const session = useQuery(sessionQuery(id));
  const liveTotal = useLiveSession(id);
  const [readTotal, setReadTotal] = useState(0);
  const total = Math.max(session.data?.steps ?? 0, liveTotal, readTotal);
  const onTotal = useCallback((read: number) => setReadTotal((old) => Math.max(old, read)), []);
  const shown = useShown(id, show, total);
  const timeline = useRef<TimelineHandle>(null);
  const panel = useRef<HTMLElement>(null);
  const jump = useRef<HTMLInputElement>(null);
  const [flashing, setFlashing] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  const findNotable = useFindNotable(id);
  useTitle(session.data?.title ?? id);

  const chunk = useQuery({ ...chunkQuery(id, chunkOf(selected ?? 0)), enabled: selected !== null });
  const row = selected === null ? undefined : chunk.data?.steps[selected % CHUNK];
  const witnesses = useMemo(
    () =>
      row?.decision
        ? new Set(row.decision.witness.flatMap((each) => (each.session ? [] : [each.seq])))
        : NO_WITNESSES,
    [row],
  );

  const select = (step: number | null, how: { push?: boolean; show?: Show | undefined } = {}): void => {
    const keep = 'show' in how ? how.show : show;
    void navigate({
      search: { ...(step === null ? {} : { step }), ...(keep ? { show: keep } : {}) },
      replace: !how.push,
    });
  };
  /** Goes to a step from elsewhere: selects it, brings it into view, and marks where the eye should land. */
  const goTo = (step: number, push = false): void => {
    const hidden = show !== undefined && !shown.seqs?.includes(step);
    select(step, hidden ? { push, show: undefined } : { push });
    setFlashing(step);
    timeline.current?.focus();
  };
  useEffect(() => {
    if (flashing === null) return;
    const timer = window.setTimeout(() => setFlashing(null), FLASH_MS);
    return () => window.clearTimeout(timer);
  }, [flashing]);

  // A step that was not chosen by walking the list (a link, a witness, a jump, a search) is brought into view.
  const ready = session.data !== undefined && selected !== null && selected < total;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a cleared filter moves the row too
  useEffect(() => {
    if (ready && (flashing === selected || !timelineHas(selected))) timeline.current?.reveal(selected!);
  }, [ready, selected, flashing, show]);

  const step = async (way: 1 | -1): Promise<void> => {
    const from = selected ?? (way === 1 ? -1 : total);
    setSaid('');
    const found = shown.seqs
      ? ((way === 1 ? shown.seqs.find((seq) => seq > from) : shown.seqs.findLast((seq) => seq < from)) ??
        null)
      : await findNotable(from, way, total).catch((error: Error) => {
          setSaid(error.message);
          return undefined;
        });
    if (found === undefined) return;
    if (found === null) setSaid(way === 1 ? 'No later step that is not a plain allow.' : 'No earlier one.');
    else goTo(found);
  };
  const walk = (way: 1 | -1): void => {
    const seqs = shown.seqs;
    const here = selected === null ? -1 : seqs ? seqs.indexOf(selected) : selected;
    const index = Math.min((seqs?.length ?? total) - 1, Math.max(0, here === -1 ? 0 : here + way));
    const seq = seqs ? seqs[index] : index;
    if (seq === undefined || total === 0) return;
    select(seq);
    timeline.current?.show(seq);
    timeline.current?.focus();
  };
  const close = (): void => {
    select(null);
    timeline.current?.focus();
  };
  useShortcuts({
    j: () => walk(1),
    k: () => walk(-1),
    ArrowDown: () => isAtRest() && walk(1),
    ArrowUp: () => isAtRest() && walk(-1),
    n: () => void step(1),
    p: () => void step(-1),
    g: () => jump.current?.focus(),
    u: () => void navigate({ to: '/' }),
    ...(selected === null ? {} : { Escape: close }),
  });

  if (!session.data) {
    if (session.failureReason) {
      return <ErrorNotice error={session.failureReason} onRetry={() => void session.refetch()} />;
    }
    return <div className="session-page" role="status" aria-label="Loading the session" />;
  }
  return (
    <div className="session-page" data-reading={selected !== null ? '' : undefined}>
      <SessionHeader session={session.data} steps={total}>
        <Attention session={session.data} onGo={(seq) => goTo(seq, true)} />
      </SessionHeader>
      <Toolbar
        show={show}
        shown={shown}
        total={total}
        said={said}
        jumpRef={jump}
        onShow={(next) => select(selected, { show: next })}
        onJump={(seq) => goTo(Math.min(seq, total - 1), true)}
        onStep={(way) => void step(way)}
      />
      <Timeline
        key={show ?? 'all'}
        handle={timeline}
        id={id}
        startedAt={session.data.startedAt}
        total={total}
        seqs={shown.seqs}
        selected={selected}
        witnesses={witnesses}
        flashing={flashing}
        onSelect={(seq) => select(seq)}
        onRead={() => panel.current?.focus()}
        onTotal={onTotal}
      />
      {selected !== null && (
        <DetailPanel
          panelRef={panel}
          session={session.data}
          seq={selected}
          total={total}
          row={row}
          error={chunk.failureReason}
          onGo={(seq) => goTo(seq, true)}
          onClose={close}
        />
      )}
    </div>
  );
}

/** Whether the row is on the page already, so that walking the list does not recentre it. */
function timelineHas(seq: number | null): boolean {
  return document.getElementById(`step-${seq}`) !== null;
}
