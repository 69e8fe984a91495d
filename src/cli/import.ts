// `interlock import`: policies in other notations as specs, on standard output or to a file; what is not exact goes to standard error.
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { compileSpec, formatProblem, lineMap } from '../spec/index.ts';
import {
  type EntityRef,
  type ImportResult,
  importCedar,
  importClaudeCode,
  type SourceFile,
} from '../spec-import/index.ts';
import { nearest } from '../step/nearest.ts';
import { parseOptions, UsageError } from './args.ts';
import { printable } from './output.ts';

const HELP = `interlock import claude-code FILE... [--out SPEC] [--name NAME] [--project DIR] [--home DIR]
interlock import cedar|dogwood FILE [--out SPEC] [--name NAME] [--schema FILE] [--resource 'TYPE::"ID"']

claude-code  permissions of Claude Code: settings.json, settings.local.json, managed-settings.json, joined as it joins them
cedar        Cedar policies: an action is a tool, the context its arguments
dogwood      the same with \`when temporal { … }\`: formerly, since, count and sum over the session's history

  --out SPEC      write the spec there, not to standard output
  --name NAME     of the spec
  --project DIR   claude-code: what \`/path\` means; the folder with .claude in it, or else this one
  --home DIR      claude-code: what \`~\` means
  --schema FILE   cedar: a schema, which says what actions are in a group
  --resource X    cedar: the resource of every call, such as 'Gateway::"g-1"'

What is not exact is stricter. That, and what the spec does not have, is told on standard error and in its comments.`;

const KINDS = ['claude-code', 'cedar', 'dogwood'] as const;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      out: { type: 'string' },
      name: { type: 'string' },
      project: { type: 'string' },
      home: { type: 'string' },
      resource: { type: 'string' },
      schema: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    Number.POSITIVE_INFINITY,
  );
  const [kind, ...names] = positionals;
  if (values.help || kind === 'help') {
    console.log(HELP);
    return 0;
  }
  if (kind === undefined) throw new UsageError(`what to import? There is ${KINDS.join(', ')}`);
  if (!(KINDS as readonly string[]).includes(kind)) {
    const near = nearest(kind, KINDS);
    throw new UsageError(
      `cannot import "${kind}".${near === null ? ` There is ${KINDS.join(', ')}.` : ` Did you mean "${near}"?`}`,
    );
  }
  if (names.length === 0) throw new UsageError('no file given');
  const wanted = values.schema === undefined ? names : [...names, values.schema];
  const read: SourceFile[] = [];
  for (const name of wanted) {
    try {
      read.push({ name, text: readFileSync(name, 'utf8') });
    } catch (error) {
      console.error(`interlock: cannot read ${name}: ${(error as Error).message}`);
      return 2;
    }
  }
  const files = read.slice(0, names.length);
  const name = values.name === undefined ? {} : { name: values.name };
  if (kind === 'cedar' || kind === 'dogwood') {
    if (files.length > 1) throw new UsageError('one file of policies at a time');
    const resource = values.resource === undefined ? {} : { resource: parseResource(values.resource) };
    const schema = values.schema === undefined ? {} : { schema: read.at(-1)! };
    return finish(importCedar(files[0]!, { ...name, ...resource, ...schema }), read, values.out);
  }
  const project = resolve(values.project ?? projectOf(names[0]!));
  const home = resolve(values.home ?? homedir());
  return finish(importClaudeCode(files, { ...name, project, home }), files, values.out);
}

function parseResource(text: string): EntityRef {
  const at = text.indexOf('::"');
  if (at <= 0 || !text.endsWith('"') || at + 3 >= text.length)
    throw new UsageError(`--resource is an entity such as 'Gateway::"g-1"', found ${JSON.stringify(text)}`);
  return { type: text.slice(0, at), id: text.slice(at + 3, -1) };
}

/** The folder with `.claude` in it, unless that is the home folder, whose settings are for all projects. */
function projectOf(file: string): string {
  const folder = dirname(resolve(file));
  if (basename(folder) !== '.claude' || dirname(folder) === homedir()) return '.';
  return dirname(folder);
}

function finish(result: ImportResult, files: readonly SourceFile[], out: string | undefined): number {
  if (!result.ok) {
    for (const problem of result.problems) {
      const text = files.find((file) => file.name === problem.file)?.text ?? '';
      console.error(formatProblem(problem, lineMap(text)));
    }
    return 1;
  }
  for (const { kind, file, line, column, message } of result.remarks)
    console.error(`${file}:${line}:${column} ${kind}: ${printable(message, 400)}`);
  const checked = compileSpec(result.text);
  for (const problem of checked.problems) console.error(formatProblem(problem, lineMap(result.text)));
  if (!checked.ok) {
    console.error(
      'interlock: the source imports to a spec that does not check; the problems above say where',
    );
    return 1;
  }
  if (out === undefined) process.stdout.write(result.text);
  else writeFileSync(out, result.text);
  return 0;
}
