// The table's geometry while its first page loads, so that nothing moves when it arrives.
export function SessionsSkeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading sessions">
      {Array.from({ length: 12 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical placeholders
        <div key={i} className="skeleton-row">
          <span className="skeleton-bar" />
          <span className="skeleton-bar" />
        </div>
      ))}
    </div>
  );
}
