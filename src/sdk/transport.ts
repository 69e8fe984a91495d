// What the SDK needs of an engine, whether it lives in this process or behind HTTP. `local.ts` and `remote.ts` give it.
import type { Engine, Hold } from '../engine/types.ts';

/** Rejects with an `InterlockError` only. A proposal carries its id, so that a retry can never decide twice. */
export interface Transport
  extends Pick<
    Engine,
    'openSession' | 'decide' | 'check' | 'endSession' | 'hold' | 'holds' | 'answerHold' | 'close'
  > {
  /** The hold once it is not pending, or as it stands after `waitMs`. */
  holdChange(hold: string, waitMs: number, signal: AbortSignal | undefined): Promise<Hold | null>;
}
