// The page's addresses. Filters and the selected step live in them, so every view can be linked to and gone back to.
import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import { Shell } from './app/shell.tsx';
import { SHOWS, type Show } from './session/marks.ts';
import { SessionPage } from './session/page.tsx';
import { SessionsPage } from './sessions/page.tsx';
import { SpecPage } from './spec/page.tsx';
import { Notice } from './ui/notice.tsx';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound });

export interface SessionsSearch {
  text?: string;
  verdict?: string;
  agent?: string;
}

const sessionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: SessionsPage,
  validateSearch: (search): SessionsSearch => ({
    ...texts('text', search.text),
    ...texts('verdict', search.verdict),
    ...texts('agent', search.agent),
  }),
});

export interface SessionSearch {
  step?: number;
  show?: Show;
}

const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sessions/$id',
  component: SessionPage,
  validateSearch: (search): SessionSearch => {
    const step = Number(search.step ?? Number.NaN);
    const show = SHOWS.find((each) => each === search.show);
    return {
      ...(Number.isSafeInteger(step) && step >= 0 ? { step } : {}),
      ...(show ? { show } : {}),
    };
  },
});

const specRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/specs/$digest',
  component: SpecPage,
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([sessionsRoute, sessionRoute, specRoute]),
  defaultPreload: false,
  // Going back to the list finds the same place; a session's place is the step in its address.
  scrollRestoration: ({ location }) => location.pathname === '/',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function texts<K extends string>(key: K, value: unknown): { [P in K]?: string } {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 200) : '';
  return text === '' ? {} : ({ [key]: text } as { [P in K]?: string });
}

function NotFound() {
  return (
    <Notice title="No such page">
      <p>The address does not belong to anything here.</p>
      <p>
        <Link to="/">All sessions</Link>
      </p>
    </Notice>
  );
}
