// `interlock holds list|approve|refuse`: answers held steps through the HTTP API of a running server.
import { userInfo } from 'node:os';
import type { Hold } from '../engine/types.ts';
import { InterlockError } from '../sdk/errors.ts';
import { remoteTransport } from '../sdk/remote.ts';
import { parseOptions, UsageError } from './args.ts';
import { printable, table } from './output.ts';

const HELP = `interlock holds list [--all]            steps that wait for a person
interlock holds approve ID [options]    let exactly this call run, once
interlock holds refuse ID [options]

  --by NAME       who answers (default: the user of this machine)
  --role ROLE     as whom (default: the first role the hold asks for)
  --reason TEXT   kept in the record
  --url URL       the server (default http://127.0.0.1:7070)`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      all: { type: 'boolean' },
      by: { type: 'string' },
      role: { type: 'string' },
      reason: { type: 'string' },
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
  if (!['list', 'approve', 'refuse'].includes(verb))
    throw new UsageError(`unknown verb "${verb}"; list, approve or refuse`);
  if (!URL.canParse(values.url)) throw new UsageError(`--url is not a URL: ${values.url}`);
  const server = remoteTransport(values.url, { retryForMs: 0 });
  try {
    if (verb === 'list') {
      print(await server.holds(values.all ? {} : { state: 'pending' }));
      return 0;
    }
    if (id === undefined) throw new UsageError(`${verb} needs the ID of a hold; see: interlock holds list`);
    const hold = await server.hold(id);
    if (hold === null) {
      console.error(`interlock holds: there is no hold ${printable(id)}`);
      return 2;
    }
    const answered = await server.answerHold(id, {
      approve: verb === 'approve',
      by: values.by ?? userInfo().username,
      role: values.role ?? hold.by[0] ?? 'reviewer',
      ...(values.reason === undefined ? {} : { reason: values.reason }),
    });
    console.log(`${printable(answered.name)} ${printable(JSON.stringify(answered.args))}: ${answered.state}`);
    return 0;
  } catch (error) {
    if (!(error instanceof InterlockError)) throw error;
    console.error(`interlock holds: ${error.message}`);
    return 2;
  } finally {
    await server.close();
  }
}

function print(holds: readonly Hold[]): void {
  if (holds.length === 0) {
    console.log('Nothing is waiting.');
    return;
  }
  const rows = holds.map((hold) => [
    hold.id,
    hold.state,
    rolesOf(hold),
    `${printable(hold.name, 60)} ${printable(JSON.stringify(hold.args))}`,
  ]);
  console.log(table([['ID', 'STATE', 'ROLE', 'CALL'], ...rows]));
}

/** Who may answer, and who later. */
function rolesOf({ by, escalation, state }: Hold): string {
  if (escalation === undefined || state !== 'pending') return by.join(' or ');
  if (escalation.at <= Date.now()) return [...by, ...escalation.to].join(' or ');
  return `${by.join(' or ')} (${escalation.to.join(' or ')} from ${new Date(escalation.at).toISOString().slice(11, 19)}Z)`;
}
