// The frame of every page: the bar with the way home, whether events arrive, the theme and the shortcuts.
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { RouterProvider } from 'react-aria-components';
import { Button } from 'react-aria-components/Button';
import { I18nProvider } from 'react-aria-components/I18nProvider';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { ToggleButtonGroup } from 'react-aria-components/ToggleButtonGroup';
import { liveStatus, subscribeLive, watchStatus } from '../api/live.ts';
import { ShortcutsDialog, useShortcuts } from './shortcuts.tsx';
import { StopButton, StopsBanner } from './stops.tsx';
import { THEMES, type Theme, useTheme } from './theme.ts';

export function Shell() {
  const router = useRouter();
  const [help, setHelp] = useState(false);
  useShortcuts({ '?': () => setHelp(true) });
  const main = useRef<HTMLElement>(null);
  useEffect(
    () =>
      router.subscribe('onResolved', ({ pathChanged, fromLocation }) => {
        // A new page takes the focus, or a screen reader would stay with what is no longer there.
        if (pathChanged && fromLocation) main.current?.focus({ preventScroll: true });
      }),
    [router],
  );
  return (
    <I18nProvider locale="en-US">
      <RouterProvider navigate={(href) => router.history.push(href)}>
        <a className="skip-link" href="#main">
          Skip to content
        </a>
        <header className="bar">
          <Link to="/" className="brand" aria-label="Interlock, sessions">
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M4 2v12M12 2v12M4 8h8" />
            </svg>
            Interlock
          </Link>
          <LiveStatus />
          <StopButton />
          <Button className="button quiet shortcuts" onPress={() => setHelp(true)}>
            Shortcuts <kbd>?</kbd>
          </Button>
          <ThemeSwitch />
        </header>
        <StopsBanner />
        <main id="main" tabIndex={-1} ref={main}>
          <Outlet />
        </main>
        <ShortcutsDialog isOpen={help} onClose={() => setHelp(false)} />
      </RouterProvider>
    </I18nProvider>
  );
}

const STATUS_WORDS = { connecting: 'Connecting', live: 'Live', away: 'Server away, retrying' } as const;

function LiveStatus() {
  const status = useSyncExternalStore(watchStatus, liveStatus);
  useEffect(() => subscribeLive(() => {}), []);
  return (
    <p className="live" role="status" data-status={status}>
      {STATUS_WORDS[status]}
    </p>
  );
}

const THEME_ICONS: Record<Theme, string> = {
  system: 'M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7',
  dark: 'M13 9.8A5.5 5.5 0 1 1 6.2 3a4.5 4.5 0 0 0 6.8 6.8z',
};

function ThemeSwitch() {
  const [theme, choose] = useTheme();
  return (
    <ToggleButtonGroup
      className="segments theme"
      aria-label="Theme"
      disallowEmptySelection
      selectedKeys={[theme]}
      onSelectionChange={(keys) => {
        const next = THEMES.find((each) => keys.has(each));
        if (next) choose(next);
      }}
    >
      {THEMES.map((each) => (
        <ToggleButton key={each} id={each} className="segment" aria-label={`${each} theme`}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={THEME_ICONS[each]} />
          </svg>
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
