// A titled part of the detail panel.
import type { ReactNode } from 'react';

export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="part">
      <h3>
        {title} {aside}
      </h3>
      {children}
    </section>
  );
}
