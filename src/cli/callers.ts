// `interlock callers new`: makes a key for a program that opens sessions, and the entry of the callers file that knows it.
import { createHash, randomBytes } from 'node:crypto';
import { parseCallers } from '../api/callers.ts';
import { parseOptions, UsageError } from './args.ts';

const HELP = `interlock callers new --name NAME --agent GLOB... [options]

Makes a key. The key is printed once, on standard error; the entry for the callers file goes to standard output:

  interlock callers new --name shop-backend --agent 'support-*' --principal 'user:*' >> callers.yaml
  interlock serve --spec shop.yaml --callers callers.yaml

  --agent GLOB        agents whose sessions it may open
  --principal GLOB    for whom; without one, for nobody in particular
  --tenant NAME       the tenant of all its sessions

The program sends the key as \`Authorization: Bearer KEY\`; the SDK takes it as \`Interlock.connect(url, { key })\`. Whoever
reaches the port may still read sessions and answer holds.`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      name: { type: 'string' },
      agent: { type: 'string', multiple: true, default: [] },
      principal: { type: 'string', multiple: true, default: [] },
      tenant: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    1,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals[0] !== 'new') throw new UsageError('the command is `callers new`');
  const { name, agent: agents, principal: principals, tenant } = values;
  if (name === undefined) throw new UsageError('--name is missing');
  if (agents.length === 0) throw new UsageError('--agent is missing: which agents may it open sessions for?');
  const secret = `ilk_${randomBytes(32).toString('base64url')}`;
  const key = `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  const caller = { name, key, agents, principals, ...(tenant === undefined ? {} : { tenant }) };
  const parsed = parseCallers([caller]);
  if (!parsed.ok) throw new UsageError(`${parsed.problems[0]!.at}: expected ${parsed.problems[0]!.expected}`);
  console.error(`The key, shown this once: ${secret}`);
  // An entry of a YAML list: appended to the file, it joins what is there.
  console.log(`- ${JSON.stringify(caller)}`);
  return 0;
}
