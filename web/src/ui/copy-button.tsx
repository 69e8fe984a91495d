// Copies a text to the clipboard and says so, in place and to a screen reader.
import { useState } from 'react';
import { Button } from 'react-aria-components/Button';

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = async (): Promise<void> => {
    const ok = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setState(ok ? 'copied' : 'failed');
    window.setTimeout(() => setState('idle'), 2000);
  };
  return (
    <>
      <Button className="icon-button copy" aria-label={`Copy ${label}`} onPress={() => void copy()}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {state === 'copied' ? (
            <path d="M3.5 8.5l3 3 6-7" />
          ) : (
            <>
              <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
              <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
            </>
          )}
        </svg>
      </Button>
      <span role="status" className={state === 'failed' ? 'copy-failed' : 'visually-hidden'}>
        {state === 'copied'
          ? `${label} copied`
          : state === 'failed'
            ? 'The browser did not allow copying.'
            : ''}
      </span>
    </>
  );
}
