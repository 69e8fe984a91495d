// What `interlock init` tells a person: what is there, what was decided, what to do now. Words only.
import { OPENING, type Project, type Proposal } from '../../init/index.ts';
import type { Played } from '../init.ts';
import { paint, printable, table } from '../output.ts';

const TOOLS_SHOWN = 12;
const ARGS_WIDTH = 60;
const COLOURS = { allow: 'green', transform: 'green', hold: 'yellow', deny: 'red', halt: 'red' } as const;
const AGENTS = { 'claude-code': 'Claude Code', codex: 'Codex', 'gemini-cli': 'Gemini CLI' } as const;
const MCP_COMMAND = 'npx interlock mcp';

export function foundIn(project: Project, cut: readonly string[]): string {
  const { tools, leftOut, servers, codingAgents, problems } = project;
  const frameworks = project.proposals.flatMap(({ framework, language }) =>
    framework === null ? [] : [`${framework} (${language === 'python' ? 'Python' : 'TypeScript'})`],
  );
  const rows = [
    ['frameworks', frameworks.join(', ') || 'none that has an adapter'],
    ['tools', toolsLine(tools.map(({ name }) => name))],
    [
      'MCP servers',
      servers.map(({ name, guarded }) => `${printable(name, 60)}${guarded ? ' (guarded)' : ''}`).join(', ') ||
        'none',
    ],
    ['coding agents', codingAgents.map((agent) => AGENTS[agent]).join(', ') || 'none'],
  ];
  const notes = [
    ...leftOut.map(
      ({ name, at }) =>
        `left out: ${printable(name, 60)} (${at.file}:${at.line}): a spec cannot say this name, or has no room`,
    ),
    ...problems.map(({ file, why }) => `not read: ${printable(file)}: ${why}`),
    ...cut.map((what) => `not read: ${printable(what)}`),
  ];
  return [table(rows), ...notes].join('\n');
}

function toolsLine(names: readonly string[]): string {
  if (names.length === 0) return 'none in the source';
  const shown = names.slice(0, TOOLS_SHOWN).join(', ');
  const more = names.length - TOOLS_SHOWN;
  return `${names.length}: ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}

export function played(decisions: readonly Played[]): string {
  return table(
    decisions.flatMap(({ step, decision }, i) => {
      if (step.kind !== 'tool.call') return [];
      const args = printable(JSON.stringify(step.args ?? {}), ARGS_WIDTH);
      const approved = decisions[i - 1]?.step.kind === 'approval';
      const because = approved ? 'Approved by a person.' : (decision.rules[0]?.because ?? '');
      return [[`  ${paint(COLOURS[decision.verdict], decision.verdict)}`, `${step.name} ${args}`, because]];
    }),
  );
}

export interface Where {
  readonly name: string;
  /** As reached from here; null where there were no tools to write a spec for. */
  readonly spec: string | null;
  /** As reached from the project. */
  readonly inProject: string;
}

/** Numbered; what applies to this project only. */
export function nextSteps(project: Project, { name, spec, inProject }: Where): string {
  const { proposals, servers, codingAgents } = project;
  const steps: string[] = [];
  if (spec !== null)
    steps.push(
      `Review the lines of ${spec} marked "review", and run its examples:\n     npx interlock spec test ${spec}`,
    );
  const first = new Set<Proposal['language']>();
  for (const proposal of proposals) {
    steps.push(lineToAdd(proposal, name, inProject, !first.has(proposal.language)));
    first.add(proposal.language);
  }
  const open = servers.filter(({ guarded }) => !guarded);
  if (open.length > 0) steps.push(mcpStep(open, spec));
  if (codingAgents.length > 0)
    steps.push(
      `Guard ${codingAgents.map((agent) => AGENTS[agent]).join(', ')} by its own hooks:\n     npx interlock hook install ${codingAgents.join(' ')}`,
    );
  if (steps.length === 0) return NOTHING;
  steps.push(
    `Watch and approve in the browser: npx interlock serve${spec === null ? '' : ` --spec ${spec}`}\n     then open http://127.0.0.1:7070; a program joins with Interlock.connect('http://127.0.0.1:7070')`,
  );
  return `Now:\n${steps.map((step, i) => `  ${i + 1}. ${step}`).join('\n')}`;
}

const NOTHING = `Nothing was found that Interlock knows: no tools in TypeScript, JavaScript or Python, no MCP servers, no coding agents.
An agent in any language is guarded without code by its base URL: npx interlock serve --spec spec.yaml, then see docs/gateway.md.`;

/** The first of a language shows how the session is opened, too. */
function lineToAdd(proposal: Proposal, name: string, spec: string, opens: boolean): string {
  const { install, lines } = OPENING[proposal.language];
  const places = proposal.at.map(({ file, line }) => `${printable(file)}:${line}`);
  const title = [
    proposal.framework ?? 'Your own loop',
    ...(places.length > 0 ? [`at ${places.join(', ')}`] : []),
  ];
  const code = [...(opens ? lines(spec, name) : []), proposal.imports, proposal.line];
  const needs = opens && !proposal.installed ? ` (${install})` : '';
  return `${title.join(', ')}${needs}:\n${[...new Set(code)].map((line) => `     ${line}`).join('\n')}`;
}

function mcpStep(open: Project['servers'], spec: string | null): string {
  const lines = open.slice(0, 10).map(({ name, file, command, url }) => {
    const of = `--name ${name} --spec ${spec ?? 'FILE'}`;
    const now =
      command === null
        ? `${MCP_COMMAND} --listen 7080 ${of} --upstream ${name}=${url ?? 'URL'}`
        : `${MCP_COMMAND} ${of} -- ${command.join(' ')}`;
    return `     ${printable(file)}: ${printable(name, 60)}\n       ${printable(now, 300)}`;
  });
  const ask =
    spec === null
      ? '\n     Which tools they have: npx interlock init --ask-servers starts them and asks.'
      : '';
  return `Put the guard before MCP servers: in the place of each server's command\n${lines.join('\n')}${ask}`;
}
