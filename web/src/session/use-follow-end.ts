// Follows the end of a growing list while the reader is there; while the reader is elsewhere, nothing moves and what
// arrives below the view is counted.
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** Half a row of slack: a browser's scroll positions are fractions of a pixel. */
const SLACK_PX = 8;

/** Number of rows that arrived below what has been seen. */
export function useFollowEnd(list: {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly count: number;
  readonly lastVisible: number;
  readonly toEnd: () => void;
}): number {
  const { scroller, count, lastVisible } = list;
  const atEnd = useRef(false);
  const before = useRef(count);
  const toEnd = useRef(list.toEnd);
  /** The first row that arrived unseen; null when the reader has been at the end since. */
  const [firstNew, setFirstNew] = useState<number | null>(null);
  useLayoutEffect(() => {
    toEnd.current = list.toEnd;
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = (): void => {
      atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - SLACK_PX;
      if (atEnd.current) setFirstNew(null);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [scroller]);

  useLayoutEffect(() => {
    const from = before.current;
    before.current = count;
    if (count <= from || from === 0) return;
    if (atEnd.current) toEnd.current();
    else setFirstNew((old) => old ?? from);
  }, [count]);

  return firstNew === null ? 0 : Math.max(0, count - Math.max(firstNew, lastVisible + 1));
}
