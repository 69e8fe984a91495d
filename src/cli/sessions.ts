// `interlock sessions list|show|export|replay`: reads the record of a data directory, never writes it.

import { once } from 'node:events';
import { formatRecording, type Recording, readRecording } from '../ingest/importers/interlock.ts';
import { VERDICTS } from '../monitor/types.ts';
import { StoreError } from '../store/store.ts';
import { parseOptions, UsageError } from './args.ts';
import { paint, printable, table } from './output.ts';
import { FileError, openOutput } from './replay/output-file.ts';
import { readBatches } from './replay/read-batches.ts';
import { openRecord, type Record } from './sessions/record.ts';
import { createReplayer } from './sessions/replay-recording.ts';

const HELP = `interlock sessions list                            the recorded sessions, newest first
interlock sessions show ID                         every step of one, with its verdict
interlock sessions export --session ID | --all     as JSON Lines, lossless
interlock sessions replay --compare [--session ID] [FILE...]
                                                   replay sessions under the spec each was decided by; verdicts and
                                                   state digests must be those on record

  --data DIR   where the record lives (default .interlock)
  -o FILE      export to a file instead of the terminal

replay takes the sessions of exported FILEs, or those of the record. Exit codes: 0 fine, 1 a difference, 2 could not run.`;

const FILES_MAX = 10_000;
const VERBS = ['list', 'show', 'export', 'replay'];

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      session: { type: 'string' },
      all: { type: 'boolean' },
      compare: { type: 'boolean' },
      data: { type: 'string', default: '.interlock' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h' },
    },
    FILES_MAX,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [verb = 'list', ...rest] = positionals;
  if (!VERBS.includes(verb)) throw new UsageError(`unknown verb "${verb}"; ${VERBS.join(', ')}`);
  if (verb !== 'replay' && rest.length > (verb === 'show' ? 1 : 0)) {
    throw new UsageError(`unexpected argument "${rest.at(-1)}"`);
  }
  try {
    if (verb === 'list') return await withRecord(values.data, list);
    if (verb === 'show')
      return await withRecord(values.data, (record) => show(record, values.session ?? rest[0]));
    if (verb === 'export') return await withRecord(values.data, (record) => exportSessions(record, values));
    if (!values.compare)
      throw new UsageError('replay needs --compare; to replay under another spec: interlock replay');
    if (rest.length > 0) return await replayAll(fromFiles(rest, values.session));
    return await withRecord(values.data, (record) => replayAll(fromRecord(record, values.session)));
  } catch (error) {
    if (!(error instanceof StoreError) && !(error instanceof FileError)) throw error;
    console.error(`interlock sessions: ${error.message}`);
    return 2;
  }
}

async function withRecord(directory: string, use: (record: Record) => Promise<number>): Promise<number> {
  const record = await openRecord(directory);
  try {
    return await use(record);
  } finally {
    await record.close();
  }
}

async function list(record: Record): Promise<number> {
  const rows: string[][] = [];
  for await (const session of record.sessions()) {
    const verdicts = VERDICTS.filter((verdict) => verdict !== 'allow' && session.verdicts[verdict] > 0);
    rows.push([
      printable(session.id),
      printable(session.agent.name, 40),
      session.guarded ? session.state : `${session.state}, observed`,
      String(session.steps),
      verdicts.map((verdict) => `${session.verdicts[verdict]} ${verdict}`).join(', ') || '-',
      printable(session.title ?? '', 60),
    ]);
  }
  if (rows.length === 0) console.log('No sessions are recorded.');
  else console.log(table([['ID', 'AGENT', 'STATE', 'STEPS', 'STOPPED', 'ABOUT'], ...rows]));
  return 0;
}

async function show(record: Record, id: string | undefined): Promise<number> {
  if (id === undefined) throw new UsageError('show needs the ID of a session; see: interlock sessions list');
  const recording = await record.recording(id);
  if (recording === null) throw new StoreError('failed', `no decided session ${printable(id)} in the record`);
  const rows = recording.steps.map((step, seq) => {
    const decision = recording.decisions[seq]!;
    const acting = decision.rules[0];
    return [
      String(seq),
      `${step.kind} ${printable(step.name, 40)}`.trim(),
      decision.verdict === 'allow' ? 'allow' : paint('yellow', decision.verdict),
      acting === undefined ? '-' : printable(acting.rule, 40),
      printable(step.content ?? JSON.stringify(step.args ?? {}), 80),
    ];
  });
  console.log(table([['SEQ', 'STEP', 'VERDICT', 'RULE', 'WHAT'], ...rows]));
  return 0;
}

interface ExportOptions {
  readonly session?: string | undefined;
  readonly all?: boolean | undefined;
  readonly output?: string | undefined;
}

async function exportSessions(record: Record, options: ExportOptions): Promise<number> {
  if ((options.session === undefined) === (options.all !== true)) {
    throw new UsageError('export needs either --session ID or --all');
  }
  const output = options.output === undefined ? null : await openOutput(options.output);
  let count = 0;
  for await (const recording of fromRecord(record, options.session)) {
    if (typeof recording === 'string') throw new StoreError('failed', recording);
    const line = `${formatRecording(recording)}\n`;
    if (output !== null) await output.write(line);
    else if (!process.stdout.write(line)) await once(process.stdout, 'drain');
    count++;
  }
  await output?.close();
  console.error(`${count} ${count === 1 ? 'session' : 'sessions'} exported`);
  return 0;
}

/** Recordings, or in place of one why it cannot be read. */
type Recordings = AsyncGenerator<Recording | string>;

async function* fromRecord(record: Record, session: string | undefined): Recordings {
  if (session !== undefined) {
    yield (await record.recording(session)) ?? `no decided session ${printable(session)} in the record`;
    return;
  }
  for await (const { id, guarded } of record.sessions()) {
    const recording = guarded ? await record.recording(id) : null;
    if (recording !== null) yield recording;
  }
}

async function* fromFiles(files: readonly string[], session: string | undefined): Recordings {
  for (const file of files) {
    for await (const piece of readBatches(file, 'interlock')) {
      if ('problem' in piece) {
        yield `${file}:${piece.problem.line}: ${piece.problem.what}`;
        continue;
      }
      let { line } = piece.batch;
      for (const text of new TextDecoder().decode(piece.batch.bytes).split('\n')) {
        const read = text.trim() === '' ? null : readRecording(text, { file, line });
        line++;
        if (read === null) continue;
        if (!read.ok) yield `${file}:${read.problem.line}: ${read.problem.what}. ${read.problem.mend}`;
        else if (session === undefined || read.recording.session === session) yield read.recording;
      }
    }
  }
}

async function replayAll(recordings: Recordings): Promise<number> {
  const replay = createReplayer();
  let same = 0;
  let different = 0;
  for await (const recording of recordings) {
    const difference = typeof recording === 'string' ? recording : replay(recording);
    const name = typeof recording === 'string' ? '' : `${printable(recording.session)}: `;
    if (difference === null) {
      same++;
      console.log(`${paint('green', 'ok')}         ${name}${(recording as Recording).steps.length} steps`);
    } else {
      different++;
      console.log(`${paint('red', 'different')}  ${name}${printable(difference, 500)}`);
    }
  }
  console.log(`${same} identical, ${different} different`);
  return different > 0 ? 1 : 0;
}
