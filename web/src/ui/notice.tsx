// What stands where data would: an empty list, a failure, a lost connection. Says what is so and what to do.
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components/Button';
import { ApiError, isAway } from '../api/client.ts';

export function Notice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="notice">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A failure instead of a page; while the server is away it is asked again by itself. */
export function ErrorNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const away = isAway(error);
  return (
    <div role="alert">
      <Notice title={away ? 'The server does not answer' : 'This could not be read'}>
        {away ? (
          <p>
            If it is not running, start it with <code>npm start</code>. This page tries again by itself; what
            is recorded is not lost.
          </p>
        ) : (
          <>
            <p>{error.message}</p>
            {error instanceof ApiError && error.mend && <p>{error.mend}</p>}
          </>
        )}
        <Button className="button" onPress={onRetry}>
          Try now
        </Button>
      </Notice>
    </div>
  );
}
