// `interlock coverage`: did every tool that ran have a decision? From the record, by agent.
import type { AgentCoverage, Finding } from '../engine/types.ts';
import { parseDuration } from '../spec/duration.ts';
import { StoreError } from '../store/store.ts';
import { parseOptions, UsageError } from './args.ts';
import { paint, printable, table } from './output.ts';
import { openRecord } from './sessions/record.ts';

const HELP = `interlock coverage [options]

For each agent: the tool spans that came in by OTLP, those with a decision, and those without, which no guard was in the
path of. Exit codes: 0 every span has a decision, 1 some have none, 2 could not run.

  --since TIME   only what happened in this time, e.g. 24h (default: everything on record)
  --data DIR     where the record lives (default .interlock)
  --json         for a program`;

const FINDINGS_SHOWN = 20;

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(
    argv,
    {
      since: { type: 'string' },
      data: { type: 'string', default: '.interlock' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    0,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const window = values.since === undefined ? null : parseDuration(values.since);
  if (values.since !== undefined && window === null)
    throw new UsageError(`--since is a length of time such as 24h, found "${values.since}"`);
  try {
    const record = await openRecord(values.data);
    try {
      const since = window === null ? 0 : Date.now() - window;
      const agents = await record.coverage(since);
      const findings = (await record.findings(1_000)).filter(
        ({ kind, at }) => kind === 'unguarded-step' && at >= since,
      );
      if (values.json) console.log(JSON.stringify({ agents: agents.map(withShare), findings }, null, 2));
      else print(agents, findings);
      return agents.some(({ unguarded }) => unguarded > 0) ? 1 : 0;
    } finally {
      await record.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    console.error(`interlock coverage: ${error.message}`);
    return 2;
  }
}

function withShare(agent: AgentCoverage) {
  return { ...agent, coverage: shareOf(agent) };
}

/** Null when no span has come in: then nothing is known. */
function shareOf({ covered, unguarded }: AgentCoverage): number | null {
  return covered + unguarded === 0 ? null : covered / (covered + unguarded);
}

function print(agents: readonly AgentCoverage[], findings: readonly Finding[]): void {
  if (agents.length === 0) {
    console.log('No tool has been decided or seen yet.');
    return;
  }
  const rows = agents.map((agent) => {
    const share = shareOf(agent);
    // Never rounded up to what it is not.
    const text = share === null ? 'no spans' : `${Math.floor(share * 1000) / 10} %`;
    return [
      `${printable(agent.agent)}${agent.version === null ? '' : ` ${printable(agent.version)}`}`,
      share !== null && share < 1 ? paint('red', text) : text,
      String(agent.covered),
      String(agent.unguarded),
      String(agent.unseen),
      agent.doors.join(', '),
    ];
  });
  console.log(
    table([['agent', 'coverage', 'with a decision', 'WITHOUT', 'decided, no span', 'doors'], ...rows]),
  );
  if (findings.length === 0) return;
  console.log('\nWithout a decision, newest first:');
  for (const { session, at, detail } of findings.slice(0, FINDINGS_SHOWN))
    console.log(`  ${new Date(at).toISOString()}  ${printable(session)}  ${printable(detail, 200)}`);
  if (findings.length > FINDINGS_SHOWN) console.log(`  and ${findings.length - FINDINGS_SHOWN} more`);
}
