// Text as it was seen: wrapped, its hidden characters spelt out, folded when long.
import { useState } from 'react';
import { Button } from 'react-aria-components/Button';
import { formatCount, revealHidden } from '../format.ts';

const FOLD_CHARACTERS = 900;
const FOLD_LINES = 14;

export function FoldText({ text, className }: { text: string; className?: string }) {
  const [open, setOpen] = useState(false);
  const short = foldAt(text);
  const folds = short < text.length;
  return (
    <div className={`text-block ${className ?? ''}`}>
      <p dir="auto">{revealHidden(open ? text : text.slice(0, short))}</p>
      {folds && (
        <Button className="link-button" onPress={() => setOpen(!open)} aria-expanded={open}>
          {open ? 'Show less' : `… show all ${formatCount(text.length)} characters`}
        </Button>
      )}
    </div>
  );
}

/** Where to cut: after so many lines or characters, whichever comes first; the end when little would be hidden. */
function foldAt(text: string): number {
  let at = 0;
  for (let line = 0; line < FOLD_LINES && at !== -1; line++) at = text.indexOf('\n', at + 1);
  const cut = Math.min(at === -1 ? text.length : at, FOLD_CHARACTERS);
  return text.length - cut < 120 ? text.length : cut;
}
