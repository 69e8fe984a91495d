// What narrows and walks the timeline: a filter, a jump by number, next and previous step worth stopping at.
import type { RefObject } from 'react';
import { Button } from 'react-aria-components/Button';
import { Group } from 'react-aria-components/Group';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { NumberField } from 'react-aria-components/NumberField';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { ToggleButtonGroup } from 'react-aria-components/ToggleButtonGroup';
import { formatCount, plural } from '../format.ts';
import { type MarkKind, VerdictShape } from '../ui/verdict.tsx';
import { SHOWS, type Show } from './marks.ts';
import type { Shown } from './use-steps.ts';

const SHAPE: Record<Show, MarkKind> = { denied: 'deny', held: 'hold', unguarded: 'unguarded' };

export function Toolbar(props: {
  show: Show | undefined;
  shown: Shown;
  total: number;
  said: string;
  jumpRef: RefObject<HTMLInputElement | null>;
  onShow: (show: Show | undefined) => void;
  onJump: (seq: number) => void;
  onStep: (way: 1 | -1) => void;
}) {
  return (
    <Group className="toolbar" aria-label="Timeline">
      <ToggleButtonGroup
        className="segments"
        aria-label="Steps to show"
        disallowEmptySelection
        selectedKeys={[props.show ?? 'all']}
        onSelectionChange={(keys) => props.onShow(SHOWS.find((each) => keys.has(each)))}
      >
        <ToggleButton id="all" className="segment">
          All
        </ToggleButton>
        {SHOWS.map((each) => (
          <ToggleButton key={each} id={each} className="segment">
            <VerdictShape kind={SHAPE[each]} />
            {each}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <div className="walk">
        <Button
          className="button"
          aria-label="Previous step that is not a plain allow"
          onPress={() => props.onStep(-1)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4.5 9.5L8 6l3.5 3.5" />
          </svg>
          <kbd>p</kbd>
        </Button>
        <Button
          className="button"
          aria-label="Next step that is not a plain allow"
          onPress={() => props.onStep(1)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4.5 6.5L8 10l3.5-3.5" />
          </svg>
          <kbd>n</kbd>
        </Button>
      </div>
      <Jump total={props.total} inputRef={props.jumpRef} onJump={props.onJump} />
      <p className="toolbar-status" role="status">
        {props.said || describe(props.show, props.shown, props.total)}
      </p>
    </Group>
  );
}

function describe(show: Show | undefined, shown: Shown, total: number): string {
  if (!show || shown.seqs === null) return '';
  const found = `${plural(shown.seqs.length, 'step')} ${show}`;
  return shown.scanned < total
    ? `${found} in the first ${formatCount(shown.scanned)} of ${formatCount(total)}`
    : `${found} of ${formatCount(total)}`;
}

/** Empties itself once it has been followed, so that the same number can be asked for again. */
function Jump(props: {
  total: number;
  inputRef: RefObject<HTMLInputElement | null>;
  onJump: (seq: number) => void;
}) {
  return (
    <NumberField
      className="jump"
      value={Number.NaN}
      minValue={0}
      maxValue={Math.max(0, props.total - 1)}
      isWheelDisabled
      onChange={(seq) => Number.isFinite(seq) && props.onJump(seq)}
    >
      <Label>Go to step</Label>
      <Input ref={props.inputRef} size={7} placeholder="g" />
    </NumberField>
  );
}
