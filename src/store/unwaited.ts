// A record that ends with its process has nothing to wait for: what is appended is taken at once and written behind. Everything
// that is read comes after what was appended before it. When writing fails, nothing more is taken.
import { type Store, StoreError } from './store.ts';

export function unwaited(store: Store): Store {
  let failed: unknown = null;
  let closing = false;
  /** The last of what is being written; settles after everything before it. */
  let last: Promise<unknown> = Promise.resolve();

  async function written(): Promise<void> {
    await last;
    if (failed !== null) throw failed;
  }
  function after<A extends readonly unknown[], R>(read: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      await written();
      return read(...args);
    };
  }

  return {
    append(writes, patient) {
      if (failed !== null) return Promise.reject(failed);
      // The store says so itself.
      if (closing) return store.append(writes, patient);
      last = store.append(writes, patient).catch((error: unknown) => {
        failed ??= error ?? new StoreError('failed', 'the record could not be written');
      });
      return Promise.resolve();
    },
    hasRoom: () => store.hasRoom(),
    load: after(store.load),
    recorded: after(store.recorded),
    idHashes: after(store.idHashes),
    session: after(store.session),
    sessions: after(store.sessions),
    steps: after(store.steps),
    hold: after(store.hold),
    holds: after(store.holds),
    expiredHolds: after(store.expiredHolds),
    nextExpiry: after(store.nextExpiry),
    overdueSessions: after(store.overdueSessions),
    nextDeadline: after(store.nextDeadline),
    decided: after(store.decided),
    shared: after(store.shared),
    stops: after(store.stops),
    findings: after(store.findings),
    coverage: after(store.coverage),
    spec: after(store.spec),
    knownSpans: after(store.knownSpans),
    observed: after(store.observed),
    isGuarded: after(store.isGuarded),
    joinCandidates: after(store.joinCandidates),
    close: async () => {
      closing = true;
      await last;
      await store.close();
    },
  };
}
