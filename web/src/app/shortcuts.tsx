// Keyboard shortcuts: single keys that never take a letter from someone who is typing, and the dialog that lists them.
import { useEffect, useRef } from 'react';
import { Button } from 'react-aria-components/Button';
import { Dialog, Heading, Modal, ModalOverlay } from '../ui/modal.ts';

/** A shortcut that returns false leaves the key to whoever has the focus. */
export type Shortcuts = Readonly<Record<string, () => unknown>>;

/** Runs `shortcuts[event.key]` unless a field has focus, a dialog is open, or a modifier is down. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || document.querySelector('[role=dialog], [role=alertdialog]')) return;
      const run = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined;
      if (!run || run() === false) return;
      event.preventDefault();
      event.stopPropagation();
    };
    // In the capture phase, before a list's type-ahead takes the letter.
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, []);
}

/** True when nothing in particular has the focus, so that arrows may move the page's main list. */
export function isAtRest(): boolean {
  const active = document.activeElement;
  return active === null || active === document.body || active.id === 'main';
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable], [role=listbox].menu') !== null
  );
}

const KEYS: readonly { readonly where: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    where: 'Anywhere',
    keys: [
      ['?', 'Show these shortcuts'],
      ['Esc', 'Close what is open'],
    ],
  },
  {
    where: 'Sessions',
    keys: [
      ['j  ↓', 'Next session'],
      ['k  ↑', 'Previous session'],
      ['Enter', 'Open the session'],
      ['/', 'Search'],
    ],
  },
  {
    where: 'In a session',
    keys: [
      ['j  ↓', 'Next step'],
      ['k  ↑', 'Previous step'],
      ['n', 'Next step that is not a plain allow'],
      ['p', 'Previous step that is not a plain allow'],
      ['Enter', 'Read the details of the step'],
      ['g', 'Go to a step by number'],
      ['Home', 'First step'],
      ['End', 'Last step'],
      ['u', 'Back to the sessions'],
    ],
  },
];

export function ShortcutsDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">Keyboard shortcuts</Heading>
          <div className="shortcut-groups">
            {KEYS.map(({ where, keys }) => (
              <section key={where}>
                <h3>{where}</h3>
                <dl>
                  {keys.map(([key, what]) => (
                    <div key={key}>
                      <dt>
                        {key.split('  ').map((each) => (
                          <kbd key={each}>{each}</kbd>
                        ))}
                      </dt>
                      <dd>{what}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <div className="dialog-actions">
            <Button className="button" slot="close">
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
