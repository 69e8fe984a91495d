// A JSON value as a tree that folds. The browser's own disclosure element carries it, so find-in-page, selection and
// the keyboard work as everywhere; closed branches are not rendered, so size does not matter.
import { useState } from 'react';
import { Button } from 'react-aria-components/Button';
import type { Json } from '../../../src/step/types.ts';
import { formatCount, plural } from '../format.ts';
import { compact } from '../summary.ts';
import { FoldText } from './fold-text.tsx';

const OPEN_DEPTH = 3;
const OPEN_ENTRIES = 40;
const SHOWN_ENTRIES = 100;

export function JsonView({ value }: { value: Json }) {
  return (
    <div className="json">
      {isBranch(value) ? <Entries value={value} depth={0} /> : <Leaf value={value} />}
    </div>
  );
}

function Entries({ value, depth }: { value: object; depth: number }) {
  const [shown, setShown] = useState(SHOWN_ENTRIES);
  const entries = Object.entries(value) as [string, Json][];
  if (entries.length === 0) return <span className="json-empty">{Array.isArray(value) ? '[ ]' : '{ }'}</span>;
  return (
    <ul>
      {entries.slice(0, shown).map(([key, child]) => (
        <li key={key}>
          {isBranch(child) && Object.keys(child).length > 0 ? (
            <Branch name={key} value={child} depth={depth + 1} />
          ) : (
            <>
              <span className="json-key">{key}</span>
              {isBranch(child) ? <Entries value={child} depth={depth + 1} /> : <Leaf value={child} />}
            </>
          )}
        </li>
      ))}
      {entries.length > shown && (
        <li>
          <Button className="link-button" onPress={() => setShown(shown + 1000)}>
            … {formatCount(entries.length - shown)} more
          </Button>
        </li>
      )}
    </ul>
  );
}

function Branch({ name, value, depth }: { name: string; value: object; depth: number }) {
  const size = Object.keys(value).length;
  const [open, setOpen] = useState(depth < OPEN_DEPTH && size <= OPEN_ENTRIES);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="json-key">{name}</span>
        <span className="json-size">
          {Array.isArray(value) ? plural(size, 'item') : plural(size, 'field')}
        </span>
        {!open && <span className="json-peek">{compact(value as Json)}</span>}
      </summary>
      {open && <Entries value={value} depth={depth} />}
    </details>
  );
}

function Leaf({ value }: { value: Json }) {
  if (typeof value === 'string') {
    return value === '' ? (
      <span className="json-empty">empty text</span>
    ) : (
      <FoldText text={value} className="json-string" />
    );
  }
  return <span className={`json-${value === null ? 'null' : typeof value}`}>{String(value)}</span>;
}

function isBranch(value: Json): value is Exclude<Json, null | boolean | number | string> {
  return typeof value === 'object' && value !== null;
}
