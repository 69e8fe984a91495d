// What a spec means beyond its being valid: what each rule makes the monitor remember, rules that cannot matter or cannot
// be met, and what is left open. Every warning is provable from the spec alone. Pure; files are read by the host.
import { canonicalize } from '../../step/canonical.ts';
import { digestText } from '../../step/digest.ts';
import { compileProgram } from '../compile.ts';
import type { SpecDocument } from '../document.ts';
import { ENGINES } from '../engines/all.ts';
import type { CompileOptions } from '../index.ts';
import { readDocument } from '../read.ts';
import { readSource } from '../read-yaml.ts';
import { Source, type SourceNode } from '../source.ts';
import { contradictions } from './contradictions.ts';
import type { Finding } from './finding.ts';
import { subjectsOf } from './fires.ts';
import { memoriesOf, type RuleMemory, type StateBounds } from './memory.ts';
import { openTools } from './open.ts';
import { shadows } from './shadows.ts';
import { idleGuards, vacuous } from './vacuous.ts';

export { FINDING_CODES, type Finding } from './finding.ts';
export type { Kept, RuleMemory, StateBounds } from './memory.ts';

export interface Analysis {
  /** By file and place. */
  readonly findings: readonly Finding[];
  /** One of each rule, those of imports too. */
  readonly memory: readonly RuleMemory[];
}

/** Null when the spec does not check: its problems say why, and nothing more can be said. */
export function analyzeSpec(text: string, options: CompileOptions, bounds: StateBounds): Analysis | null {
  const source = new Source(options.file ?? 'spec', text, [], ENGINES);
  const root = readSource(source);
  const place = { readRef: options.readRef, path: [], given: new Map(), mode: 'enforce' } as const;
  const document = root === null ? null : readDocument(source, root, place);
  if (document === null) return null;
  const canonical = canonicalize(document.meaning);
  const program = compileProgram(source, document, { canonical, digest: digestText(canonical) });
  if (program === null || source.failed) return null;
  const open = withoutParameters(document, source, root);
  const subjects = subjectsOf(open, program);
  const idle = new Map(subjects.map((subject) => [subject, vacuous(subject)] as const));
  const live = subjects.filter((subject) => idle.get(subject) === null);
  // What an import says too is for its own author: a spec may make parts of it stricter, or switch them off.
  const needless = [...[...idle.values()].filter((finding) => finding !== null), ...live.flatMap(idleGuards)];
  const findings = [
    ...[...needless, ...shadows(live)].filter((finding) => finding.file === source.file),
    ...contradictions(live, document.tools),
    ...openTools(subjects, document, program),
  ];
  const files = [source.file, ...new Set(findings.map((finding) => finding.file))];
  return {
    findings: findings.sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    ),
    memory: memoriesOf(document, bounds),
  };
}

/** The document with its own parameters as names: whoever imports it may give them other values. */
function withoutParameters(document: SpecDocument, source: Source, root: SourceNode | null): SpecDocument {
  const entry = root?.t === 'map' ? root.entries.find(({ key }) => key === 'parameters') : undefined;
  if (entry?.node.t !== 'map') return document;
  const names = entry.node.entries.map(({ key }) => key);
  return {
    ...document,
    rules: document.rules.map((rule) =>
      rule.source.file === source.file
        ? { ...rule, lets: rule.lets.filter(({ name }) => !names.includes(name)) }
        : rule,
    ),
  };
}
