// A bound on how long somebody else may take.

export type Within<T> = { readonly isLate: false; readonly value: T } | { readonly isLate: true };

/** Rejects as the work does. Work that does not return at all cannot be bounded. */
export async function within<T>(limitMs: number | null, work: () => T | Promise<T>): Promise<Within<T>> {
  const working = Promise.resolve(work()).then((value) => ({ isLate: false, value }) as const);
  if (limitMs === null) return working;
  const { promise: late, resolve } = Promise.withResolvers<Within<T>>();
  const timer = setTimeout(() => resolve({ isLate: true }), limitMs);
  working.catch(() => {});
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
