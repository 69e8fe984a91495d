// `interlock init`: looks at a project, writes a starter spec for the tools it finds, shows what that decides, and says which line
// to add where. Runs nothing of the project, and changes none of its files but the one it makes.
import { access, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { lookAt, type Project, specName, starterSpec } from '../init/index.ts';
import type { Decision } from '../monitor/types.ts';
import { runSpecTests } from '../replay/spec-tests.ts';
import { compileSpec, formatProblem, lineMap } from '../spec/index.ts';
import type { Step } from '../step/types.ts';
import { parseOptions, UsageError } from './args.ts';
import { readProject } from './init/files.ts';
import { foundIn, nextSteps, played, type Where } from './init/report.ts';
import { withTold } from './init/servers.ts';
import { printable } from './output.ts';
import { formatSpec } from './spec/format.ts';

const HELP = `interlock init [options]     look at a project, and make the spec to start from

Reads package.json, pyproject.toml, source in TypeScript, JavaScript and Python, and the settings of coding agents and MCP
clients; runs nothing unless asked to. Writes one file: the spec. Says which line to add where.

  --dir DIR       the project (default: here)
  --out FILE      where the spec goes (default interlock.yaml in the project)
  --name NAME     of the agent and its spec (default: the project's)
  --ask-servers   start the MCP servers that settings name, and ask them for their tools
  --dry-run       print the spec, and write nothing
  --force         write over a file that is there
  --json          what was found, as JSON; writes the spec too, unless --dry-run`;

const OPTIONS = {
  dir: { type: 'string', default: '.' },
  out: { type: 'string' },
  name: { type: 'string' },
  'ask-servers': { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

export interface Played {
  readonly step: Step;
  readonly decision: Decision;
}

interface Made {
  readonly text: string;
  readonly decisions: readonly Played[];
}

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, OPTIONS);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const root = resolve(values.dir);
  const out = values.out === undefined ? join(root, 'interlock.yaml') : resolve(values.out);
  const { files, paths, cut } = await readProject(root).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--dir ${printable(values.dir)}: cannot be read (${error.code})`);
  });
  const seen = lookAt(files, paths);
  const project = values['ask-servers'] ? await withTold(seen, root) : seen;
  const name = specName(values.name ?? project.name ?? basename(root));
  const made = project.tools.length > 0 ? make(name, project) : null;
  const written = made !== null && !values['dry-run'];
  if (written) await write(out, made.text, values.force);
  const spec = relative(process.cwd(), out) || out;
  if (values.json)
    console.log(JSON.stringify(jsonOf(project, name, written ? spec : null, made, cut), null, 2));
  else if (values['dry-run'] && made !== null) process.stdout.write(made.text);
  else {
    const inProject = relative(root, out).replaceAll('\\', '/');
    print(project, { name, spec: made === null ? null : spec, inProject }, made, cut);
  }
  return isEmpty(project) ? 1 : 0;
}

/** Checked and played before anybody sees it: a starter spec that fails its own examples is a mistake of ours. */
function make(name: string, project: Project): Made {
  const formatted = formatSpec(starterSpec(name, project.tools));
  if (!('text' in formatted))
    throw new Error(`the starter spec: line ${formatted.line}: ${formatted.problem}`);
  const { text } = formatted;
  const compiled = compileSpec(text, { file: 'interlock.yaml' });
  if (!compiled.ok)
    throw new Error(compiled.problems.map((one) => formatProblem(one, lineMap(text))).join('\n'));
  const decisions: Played[] = [];
  const report = runSpecTests(compiled.spec, 'interlock.yaml', text, null, (step, decision) =>
    decisions.push({ step, decision }),
  );
  const failed = report.results.flatMap(({ name: example, failures }) =>
    failures.map(({ expected, found }) => `${example}: expected ${expected}, found ${found}`),
  );
  if (failed.length > 0) throw new Error(`the starter spec fails its own examples:\n${failed.join('\n')}`);
  return { text, decisions };
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there && !force)
    throw new UsageError(`${file} is there already; --force writes over it, --out names another`);
  await writeFile(file, text, { flag: force ? 'w' : 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot write ${file} (${error.code})`);
  });
}

function isEmpty({ tools, servers, codingAgents, proposals }: Project): boolean {
  return tools.length + servers.length + codingAgents.length + proposals.length === 0;
}

function print(project: Project, where: Where, made: Made | null, cut: readonly string[]): void {
  console.log(foundIn(project, cut));
  if (made !== null)
    console.log(
      `\nWrote ${where.spec}. What it decides, on examples of its own:\n\n${played(made.decisions)}`,
    );
  console.log(`\n${nextSteps(project, where)}`);
}

function jsonOf(
  project: Project,
  name: string,
  spec: string | null,
  made: Made | null,
  cut: readonly string[],
) {
  return {
    ...project,
    // What is set for commands may be secret.
    servers: project.servers.map(({ environment: _, ...server }) => server),
    name,
    spec,
    cut,
    decisions: (made?.decisions ?? []).map(({ step, decision }) => ({
      kind: step.kind,
      name: step.name,
      ...(step.args && { args: step.args }),
      verdict: decision.verdict,
      rules: decision.rules.map(({ rule }) => rule),
    })),
  };
}
