// `interlock spec promotion`: what rules in shadow or warn would have done to the sessions on record.
import { countWatching, type RuleRecord, rateAtMost } from '../../replay/promotion.ts';
import { compileSpec, type Program } from '../../spec/index.ts';
import { StoreError } from '../../store/store.ts';
import { parseOptions, UsageError } from '../args.ts';
import { printable, table } from '../output.ts';
import { openRecord } from '../sessions/record.ts';

interface Watched {
  readonly name: string;
  readonly digest: string;
  readonly program: Program;
  readonly records: Map<string, RuleRecord>;
  sessions: number;
}

export async function promotion(argv: readonly string[]): Promise<number> {
  const { values } = parseOptions(
    [...argv],
    {
      data: { type: 'string', default: '.interlock' },
      spec: { type: 'string' },
      'at-most': { type: 'string', default: '1%' },
      json: { type: 'boolean' },
    },
    0,
  );
  const atMost = parseShare(values['at-most']);
  if (atMost === null) throw new UsageError(`--at-most is a share such as 1%, found "${values['at-most']}"`);
  try {
    const watched = await readRecord(values.data, values.spec);
    console.log(
      values.json
        ? JSON.stringify(
            watched.map((one) => json(one, atMost)),
            null,
            2,
          )
        : text(watched, atMost),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    console.error(`interlock spec promotion: ${error.message}`);
    return 2;
  }
}

function parseShare(text: string): number | null {
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  return text !== '' && text !== '%' && share > 0 && share < 1 ? share : null;
}

/** Each version of each spec by itself: a changed rule starts anew. */
async function readRecord(directory: string, name: string | undefined): Promise<Watched[]> {
  const found = new Map<string, Watched | null>();
  const record = await openRecord(directory);
  try {
    for await (const { id, guarded, spec, specName } of record.sessions()) {
      if (!guarded || spec === null || (name !== undefined && specName !== name)) continue;
      const recording = await record.recording(id);
      if (recording?.spec == null) continue;
      const { digest, canonical } = recording.spec;
      let watched = found.get(digest);
      if (watched === undefined) {
        const compiled = compileSpec(canonical, { file: recording.spec.name });
        watched = compiled.ok
          ? {
              name: recording.spec.name,
              digest,
              program: compiled.spec.program,
              records: new Map(),
              sessions: 0,
            }
          : null;
        found.set(digest, watched);
      }
      if (watched === null) continue;
      watched.sessions++;
      countWatching(watched.program, watched.records, recording.steps, recording.decisions);
    }
  } finally {
    await record.close();
  }
  return [...found.values()].filter((one) => one !== null && one.records.size > 0) as Watched[];
}

function json({ name, digest, sessions, records }: Watched, atMost: number) {
  return {
    spec: name,
    digest,
    sessions,
    rules: [...records.values()].map(({ sessions: of, names, ...rest }) => ({
      ...rest,
      sessions: of.size,
      names: Object.fromEntries(names),
      rate_at_most: rateAtMost(rest.fired, rest.asked),
      ready: rateAtMost(rest.fired, rest.asked) <= atMost,
    })),
  };
}

function text(watched: readonly Watched[], atMost: number): string {
  if (watched.length === 0) return 'No rule in shadow or warn has been asked anything on record.';
  return watched
    .map(({ name, digest, sessions, records }) => {
      const rules = [...records.values()].sort((a, b) => b.fired - a.fired);
      const rows = rules.map((one) => [
        printable(one.rule),
        one.mode,
        String(one.asked),
        String(one.fired),
        String(one.sessions.size),
        `≤ ${percent(rateAtMost(one.fired, one.asked))}`,
        rateAtMost(one.fired, one.asked) <= atMost
          ? 'ready'
          : one.fired === 0
            ? 'needs more steps'
            : 'fires too often',
      ]);
      const examples = rules.flatMap(({ rule, example, names }) =>
        example === null
          ? []
          : [
              `${printable(rule)}: ${[...names].map(([tool, n]) => `${printable(tool)} ${n}`).join(', ')}`,
              `  latest: session ${printable(example.session)}, step ${example.seq}: ${printable(example.because, 160)}`,
            ],
      );
      return [
        `${printable(name)}  ${digest.slice(0, 19)}  ${sessions} sessions`,
        table([
          ['rule', 'mode', 'asked', 'would act', 'sessions', 'rate (95 %)', `at most ${percent(atMost)}`],
          ...rows,
        ]),
        ...examples,
      ].join('\n');
    })
    .join('\n\n');
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
