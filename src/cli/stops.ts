// `interlock stops add|list|lift`: orders agents to do nothing more, through the HTTP API of a running server.
import { userInfo } from 'node:os';
import type { Stop } from '../engine/types.ts';
import { parseOptions, UsageError } from './args.ts';
import { printable, table } from './output.ts';

const HELP = `interlock stops add [--agent GLOB] [--agent-version V] [--tool GLOB] [--tenant NAME] --reason TEXT
                                 deny every step of whom it names, from now on; of everybody when it names nobody
interlock stops list [--all]     those in force, newest first
interlock stops lift ID          let it go on

  --by NAME       who says so (default: the user of this machine)
  --url URL       the server (default http://127.0.0.1:7070)`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      agent: { type: 'string' },
      'agent-version': { type: 'string' },
      tool: { type: 'string' },
      tenant: { type: 'string' },
      reason: { type: 'string' },
      all: { type: 'boolean' },
      by: { type: 'string' },
      url: { type: 'string', default: 'http://127.0.0.1:7070' },
      help: { type: 'boolean', short: 'h' },
    },
    2,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [verb = 'list', id] = positionals;
  if (!URL.canParse(values.url)) throw new UsageError(`--url is not a URL: ${values.url}`);
  const by = values.by ?? userInfo().username;
  switch (verb) {
    case 'list': {
      const path = `/v1/stops?which=${values.all ? 'all' : 'in-force'}`;
      const answer = await ask<{ stops: readonly Stop[] }>(values.url, path);
      if (answer === null) return 2;
      print(answer.stops);
      return 0;
    }
    case 'add': {
      const { agent, 'agent-version': version, tool, tenant, reason } = values;
      if (reason === undefined) throw new UsageError('--reason is missing: whoever is denied is told it');
      const stop = await ask<Stop>(values.url, '/v1/stops', { agent, version, tool, tenant, reason, by });
      if (stop === null) return 2;
      console.log(`${whom(stop)} may do nothing more. Lift it with: interlock stops lift ${stop.id}`);
      return 0;
    }
    case 'lift': {
      if (id === undefined) throw new UsageError('lift needs the ID of a stop; see: interlock stops list');
      const stop = await ask<Stop>(values.url, `/v1/stops/${encodeURIComponent(id)}/lift`, { by });
      if (stop === null) return 2;
      console.log(`${whom(stop)} may go on.`);
      return 0;
    }
    default:
      throw new UsageError(`unknown verb "${verb}"; add, list or lift`);
  }
}

const TIMEOUT_MS = 10_000;

/** Null after saying why there is no answer. */
async function ask<T>(base: string, path: string, body?: object): Promise<T | null> {
  try {
    const response = await fetch(new URL(path, base), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
    });
    const answer = (await response.json()) as T & { detail?: string };
    if (response.ok) return answer;
    console.error(`interlock stops: ${printable(answer.detail ?? `answered ${response.status}`)}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`interlock stops: ${base} cannot be reached (${reason})`);
  }
  return null;
}

function whom({ agent, version, tool, tenant }: Stop): string {
  const named = [
    ...(agent === null ? [] : [`agent ${printable(agent)}`]),
    ...(version === null ? [] : [`version ${printable(version)}`]),
    ...(tool === null ? [] : [`tool ${printable(tool)}`]),
    ...(tenant === null ? [] : [`tenant ${printable(tenant)}`]),
  ];
  return named.length === 0 ? 'Everybody' : named.join(', ');
}

function print(stops: readonly Stop[]): void {
  if (stops.length === 0) {
    console.log('Nothing is stopped.');
    return;
  }
  const rows = stops.map((stop) => [
    stop.id,
    whom(stop),
    printable(stop.reason),
    printable(stop.by),
    new Date(stop.at).toISOString(),
    stop.lifted === null ? 'in force' : `lifted by ${printable(stop.lifted.by)}`,
  ]);
  console.log(table([['id', 'who', 'reason', 'by', 'at', ''], ...rows]));
}
