// The monitor's limits on its own state, for the memory bounds that `spec check` prints.
import { MAX_HOLDS } from '../../monitor/approvals.ts';
import { MAX_DUTIES } from '../../monitor/duties.ts';
import { MAX_SHARED_CELLS } from '../../monitor/history.ts';
import { MAX_SLOTS, MAX_WINDOW_ENTRIES } from '../../monitor/limits.ts';
import { MAX_KEYS } from '../../monitor/origins.ts';
import type { StateBounds } from '../../spec/analysis/index.ts';

export const STATE_BOUNDS: StateBounds = {
  slotsMax: MAX_SLOTS,
  windowEntriesMax: MAX_WINDOW_ENTRIES,
  dutiesMax: MAX_DUTIES,
  holdsMax: MAX_HOLDS,
  originsMax: MAX_KEYS,
  sharedCellsMax: MAX_SHARED_CELLS,
};
