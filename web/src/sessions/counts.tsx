// A session's verdict counts as small marks in fixed places, so that a column of them reads downwards.
import type { SessionSummary } from '../../../src/engine/types.ts';
import { VERDICTS } from '../../../src/monitor/types.ts';
import { formatCount } from '../format.ts';
import { VerdictShape } from '../ui/verdict.tsx';
import { Zero } from '../ui/zero.tsx';

export function VerdictCounts({
  verdicts,
  omitZero,
}: {
  verdicts: SessionSummary['verdicts'];
  omitZero?: boolean;
}) {
  return (
    <ul className="counts" data-omit={omitZero ? '' : undefined}>
      {VERDICTS.filter((verdict) => !omitZero || verdicts[verdict] > 0).map((verdict) => (
        <li key={verdict} data-kind={verdict} data-zero={verdicts[verdict] === 0 ? '' : undefined}>
          {verdicts[verdict] === 0 ? (
            <Zero />
          ) : (
            <>
              <VerdictShape kind={verdict} label={verdict} />
              {formatCount(verdicts[verdict])}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The names over the places, for the head of a column of counts. */
export function VerdictNames() {
  return (
    <span className="counts" aria-hidden="true">
      {VERDICTS.map((verdict) => (
        <span key={verdict} className="count-name">
          {verdict}
        </span>
      ))}
    </span>
  );
}
