// What the files of a project tell, put together: its tools by the names the model calls them, its frameworks and where the guard
// goes in, servers of tools, coding agents. Pure: it is handed the files, and runs nothing of them.
import { ANY, CALLS, FRAMEWORKS, type Framework, isOf } from './frameworks.ts';
import {
  type PackageJson,
  type Read,
  readMcpServers,
  readPackageJson,
  readPyproject,
  readRequirements,
} from './manifests.ts';
import { javascriptFacts } from './source/javascript.ts';
import { pythonFacts } from './source/python.ts';
import { type FoundTool, type McpServer, type Place, type SourceFacts, TOOLS_MAX } from './types.ts';

export interface ProjectFile {
  /** Relative to the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

export type CodingAgent = 'claude-code' | 'codex' | 'gemini-cli';

/** A line to add, and where. */
export interface Proposal {
  /** Null where no adapter is for what the project uses. */
  readonly framework: string | null;
  readonly language: Framework['language'];
  readonly imports: string;
  readonly line: string;
  /** The calls it goes into, as far as they were found. */
  readonly at: readonly Place[];
  /** The package is there already. */
  readonly installed: boolean;
}

export interface Project {
  readonly name: string | null;
  readonly tools: readonly FoundTool[];
  /** Tools beyond the limit, and those whose names a spec cannot say. */
  readonly leftOut: readonly FoundTool[];
  readonly proposals: readonly Proposal[];
  readonly servers: readonly McpServer[];
  readonly codingAgents: readonly CodingAgent[];
  readonly problems: readonly { readonly file: string; readonly why: string }[];
}

export const SOURCE = /\.([cm]?[jt]s|[jt]sx|py)$/;
export const MANIFEST = /^(package\.json|pyproject\.toml|requirements[\w.-]*\.txt)$/;
export const MCP_SETTINGS =
  /(^|\/)(\.?mcp\.json|\.cursor\/mcp\.json|\.vscode\/mcp\.json|\.gemini\/settings\.json|\.claude\/settings(\.local)?\.json|\.codex\/config\.toml|claude_desktop_config\.json)$/;
/** Names that `on: call NAME` can say. */
const SAYABLE = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/;
const PLACES_MAX = 3;
const TRACES: readonly (readonly [CodingAgent, RegExp])[] = [
  ['claude-code', /^(\.claude\/|CLAUDE\.md$)/],
  ['codex', /^\.codex\//],
  ['gemini-cli', /^(\.gemini\/|GEMINI\.md$)/],
];

/** `paths` are all that stands in the project, read or not; coding agents are told by them. */
export function lookAt(files: readonly ProjectFile[], paths: readonly string[]): Project {
  const problems: { file: string; why: string }[] = [];
  const manifests = files.flatMap((file) => manifestOf(file, problems));
  const facts = files
    .filter((file) => SOURCE.test(file.path))
    .map((file) => ({ language: languageOf(file.path), ...factsOf(file) }));
  const found = named(facts);
  const { tools, leftOut } = told(found);
  return {
    name: manifests.find((one) => one.name !== null)?.name ?? null,
    tools,
    leftOut,
    proposals: proposalsOf(facts, manifests),
    servers: files
      .filter((file) => MCP_SETTINGS.test(file.path))
      .flatMap((file) => serversOf(file, problems)),
    codingAgents: TRACES.filter(([, trace]) => paths.some((path) => trace.test(path))).map(
      ([agent]) => agent,
    ),
    problems,
  };
}

interface Manifest extends PackageJson {
  readonly language: Framework['language'];
}

type Facts = SourceFacts & { readonly language: Framework['language'] };

function languageOf(path: string): Framework['language'] {
  return path.endsWith('.py') ? 'python' : 'typescript';
}

function factsOf(file: ProjectFile): SourceFacts {
  return file.path.endsWith('.py')
    ? pythonFacts(file.path, file.text, CALLS.python)
    : javascriptFacts(file.path, file.text, CALLS.typescript);
}

function manifestOf(file: ProjectFile, problems: { file: string; why: string }[]): Manifest[] {
  const base = file.path.slice(file.path.lastIndexOf('/') + 1);
  if (!MANIFEST.test(base)) return [];
  if (base.startsWith('requirements'))
    return [{ language: 'python', name: null, dependencies: readRequirements(file.text) }];
  const language = base === 'package.json' ? 'typescript' : 'python';
  const read: Read<PackageJson> =
    language === 'python' ? readPyproject(file.text) : readPackageJson(file.text);
  if (read.ok) return [{ language, ...read.value }];
  problems.push({ file: file.path, why: read.why });
  return [];
}

function serversOf(file: ProjectFile, problems: { file: string; why: string }[]): McpServer[] {
  const read = readMcpServers(file.path, file.text);
  if (read.ok) return read.value;
  problems.push({ file: file.path, why: read.why });
  return [];
}

/** Tools by what the model calls them: an object `tools: { weather: weatherTool }` names what only a variable did. */
function named(facts: readonly Facts[]): FoundTool[] {
  const aliases = facts.flatMap((one) => one.aliases);
  return facts
    .flatMap((one) => one.tools)
    .flatMap((tool) => {
      const called = tool.variable ? aliases.filter((alias) => alias.variable === tool.name) : [];
      const { variable: _, ...plain } = tool;
      return called.length === 0 ? [plain] : called.map(({ name }) => ({ ...plain, name }));
    });
}

/** The project with the tools that a server it names has told. */
export function withServerTools(project: Project, tools: readonly FoundTool[]): Project {
  const all = told([...project.tools, ...tools]);
  return { ...project, tools: all.tools, leftOut: [...project.leftOut, ...all.leftOut] };
}

/** One of each name; where two disagree about the input, it is left open. */
function told(found: readonly FoundTool[]): { tools: FoundTool[]; leftOut: FoundTool[] } {
  const tools = new Map<string, FoundTool>();
  const leftOut: FoundTool[] = [];
  for (const tool of found) {
    const before = tools.get(tool.name);
    if (before !== undefined) {
      const same = JSON.stringify(before.input) === JSON.stringify(tool.input);
      tools.set(tool.name, {
        ...before,
        description: before.description ?? tool.description,
        input: same ? before.input : null,
      });
    } else if (tools.size >= TOOLS_MAX || !SAYABLE.test(tool.name)) leftOut.push(tool);
    else tools.set(tool.name, tool);
  }
  return { tools: [...tools.values()], leftOut };
}

function proposalsOf(facts: readonly Facts[], manifests: readonly Manifest[]): Proposal[] {
  const proposals = FRAMEWORKS.flatMap((framework): Proposal[] => {
    const { language } = framework;
    const own = facts.filter((one) => one.language === language);
    const using = own.filter((one) => one.imports.some((module) => isOf(framework, module)));
    const depends = manifests.some(
      (one) => one.language === language && one.dependencies.some((name) => isOf(framework, name)),
    );
    if (using.length === 0 && !depends) return [];
    const at = using.flatMap((one) => one.calls).filter((call) => framework.calls.includes(call.callee));
    const places = new Map(at.map((call) => [`${call.at.file}:${call.at.line}`, call.at]));
    return [proposal(framework.name, framework, [...places.values()].slice(0, PLACES_MAX), manifests)];
  });
  const nearest = proposals.filter((one) => one.at.length > 0);
  const kept = nearest.length > 0 ? nearest : proposals;
  for (const language of ['typescript', 'python'] as const) {
    const hasTools = facts.some((one) => one.language === language && one.tools.length > 0);
    if (!hasTools || kept.some((one) => one.language === language)) continue;
    kept.push(proposal(null, { language, ...ANY[language] }, [], manifests));
  }
  return kept;
}

function proposal(
  framework: string | null,
  { language, imports, line }: Pick<Framework, 'language' | 'imports' | 'line'>,
  at: readonly Place[],
  manifests: readonly Manifest[],
): Proposal {
  const installed = manifests.some(
    (one) => one.language === language && one.dependencies.includes('interlock'),
  );
  return { framework, language, imports, line, at, installed };
}
