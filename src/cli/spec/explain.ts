// `interlock spec explain FILE --session S --step N [INPUT...]`: why this verdict, in words, with the witness.
import { type ExplainedPart, type Explanation, explainStep } from '../../replay/explain.ts';
import { replaySpec, replaySteps, sharedHistory } from '../../replay/replay.ts';
import { StoreError } from '../../store/store.ts';
import { parseOptions, UsageError } from '../args.ts';
import { paint, printable } from '../output.ts';
import { parseFormat, printProblem } from '../replay/input.ts';
import { FileError } from '../replay/output-file.ts';
import { recordedSessions } from '../replay/sources.ts';
import { loadSpec } from './load.ts';

const INPUTS_MAX = 100_000;

export async function explain(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    [...argv],
    {
      session: { type: 'string' },
      step: { type: 'string' },
      format: { type: 'string' },
      data: { type: 'string', default: '.interlock' },
      json: { type: 'boolean' },
    },
    INPUTS_MAX,
  );
  const [file, ...inputs] = positionals;
  const { session, step, data } = values;
  if (file === undefined || session === undefined || step === undefined)
    throw new UsageError('explain needs a spec FILE, --session and --step');
  const seq = /^\d{1,9}$/.test(step) ? Number(step) : null;
  if (seq === null) throw new UsageError(`--step is the number of a step, from 0; found "${step}"`);
  const spec = loadSpec('spec explain', file);
  if (spec === null) return 2;
  const format = values.format === undefined ? undefined : parseFormat(values.format);
  const history = sharedHistory(replaySpec(spec));
  try {
    for await (const found of recordedSessions({ inputs, format, data, onProblem: printProblem })) {
      if (found.session !== session) {
        // What sessions before it did may be what its rules ask for.
        if (history !== undefined) for (const _ of replaySteps(replaySpec(spec), found.steps, history));
        continue;
      }
      const explanation = explainStep(spec, found.steps, seq, history);
      if (explanation !== null) {
        console.log(values.json ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
        return 0;
      }
      console.error(
        `interlock spec explain: the session ${printable(session)} has ${found.steps.length} steps, from 0`,
      );
      return 2;
    }
  } catch (error) {
    if (!(error instanceof FileError || error instanceof StoreError)) throw error;
    console.error(`interlock spec explain: ${error.message}`);
    return 2;
  }
  const where = inputs.length === 0 ? `on record in ${data}` : 'in the input';
  console.error(`interlock spec explain: no session ${printable(session)} ${where}`);
  return 2;
}

function explanationText({ step, decision, fired, satisfied }: Explanation): string {
  const lines = [
    `session ${printable(step.session)}, step ${step.seq}: ${step.kind} ${printable(step.name)}`.trimEnd(),
    `  ${printable(JSON.stringify(step.args ?? step.content ?? {}), 160)}`,
    '',
    `verdict  ${paint(decision.verdict === 'allow' ? 'green' : 'red', decision.verdict)}`,
  ];
  if (decision.wouldBe !== decision.verdict)
    lines.push(`         ${decision.wouldBe}, were every rule enforced`);
  for (const { outcome, parts } of fired) {
    lines.push(
      '',
      `${paint('bold', printable(outcome.rule))}  ${outcome.verdict}, ${outcome.mode}, ${outcome.cause}`,
    );
    lines.push(`  ${printable(outcome.because, 400)}`);
    for (const part of parts) lines.push(...partText(part));
    const told = new Set(parts.flatMap(({ witness }) => witness.map(placeOf)));
    for (const witness of outcome.witness) if (!told.has(placeOf(witness))) lines.push(witnessText(witness));
    if (outcome.repair !== undefined)
      lines.push(`  what would be allowed: ${printable(outcome.repair, 400)}`);
    if (outcome.fixes !== undefined)
      lines.push(`  for a program: ${printable(JSON.stringify(outcome.fixes), 400)}`);
  }
  if (satisfied.length > 0)
    lines.push('', `asked and satisfied: ${satisfied.map((id) => printable(id)).join(', ')}`);
  return lines.join('\n');
}

const MARKS = { holds: '+', fails: '-', absent: '?', error: '?' } as const;

function partText({ text, outcome, detail, values, witness }: ExplainedPart): string[] {
  const lines = [`  ${MARKS[outcome]} ${printable(text, 200)}  (${outcome})`];
  for (const [path, value] of values)
    lines.push(
      `      ${printable(path)} = ${value === undefined ? 'absent' : printable(JSON.stringify(value), 120)}`,
    );
  if (detail !== null) lines.push(`      ${printable(detail, 200)}`);
  for (const each of witness) lines.push(witnessText(each, '      '));
  return lines;
}

type Shown = Explanation['decision']['witness'][number];

function witnessText({ session, seq, kind, name, note }: Shown, indent = '  '): string {
  const where = session === undefined ? `step ${seq}` : `session ${printable(session)}, step ${seq}`;
  return `${indent}because of ${where}, ${kind} ${printable(name)}${note === undefined ? '' : `: ${printable(note, 160)}`}`;
}

function placeOf({ session = '', seq }: Shown): string {
  return `${session}\n${seq}`;
}
