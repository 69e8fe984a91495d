// One part of an agent's run, in a process of its own: it begins, or goes on from what another process has kept in a file, and says
// on its output what came of it. For processes.test.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { Interlock } from '../../src/sdk/index.ts';
import { RIGS } from './rigs.ts';
import { type Ran, SPEC, toolsOf } from './stage.ts';

export interface Part {
  readonly rig: string;
  readonly user: string;
  /** Base URL of the scripted model. */
  readonly model: string;
  /** Who decides: an engine in this process over the record in `data`, or the server. */
  readonly by: { readonly data: string } | { readonly url: string };
  /** What is kept from one process to the next. */
  readonly file: string;
  readonly begins: boolean;
}

interface Kept {
  readonly session: string;
  readonly saved: unknown;
}

const part = JSON.parse(process.argv[2]!) as Part;
const rig = RIGS.find(({ name }) => name === part.rig)!;
const kept = part.begins ? null : (JSON.parse(readFileSync(part.file, 'utf8')) as Kept);
const interlock =
  'url' in part.by
    ? Interlock.connect(part.by.url)
    : await Interlock.open({ spec: SPEC, data: part.by.data });
const session = await interlock.session({
  agent: { name: 'desk' },
  ...(kept === null ? {} : { id: kept.session }),
});
const ran: Ran[] = [];
const stop = new AbortController();
const outcome = await rig.run(
  {
    session,
    model: part.model,
    tools: toolsOf({}, ran, stop),
    options: { onHold: 'suspend' },
    user: part.user,
    stream: false,
    signal: stop.signal,
    handOver: undefined,
  },
  kept?.saved,
);
if (outcome.saved !== undefined)
  writeFileSync(part.file, JSON.stringify({ session: session.id, saved: outcome.saved } satisfies Kept));
await interlock.close();
console.log(JSON.stringify({ ran, text: outcome.text, suspended: outcome.saved !== undefined }));
process.exit(0);
