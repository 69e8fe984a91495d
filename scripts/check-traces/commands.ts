// The shell commands of recorded coding agents, read into programs, files and hosts: how many, and which of them could not
// be read or known. Formats: Claude Code transcripts (JSON Lines), SWE-agent trajectories, Codex and Gemini CLI calls.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readShell } from '../../src/shell/index.ts';

export interface Found {
  readonly file: string;
  readonly command: string | readonly string[];
}

/** Every command under a folder of recordings. */
export function commandsIn(folder: string): Found[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .flatMap((file) => {
      if (!/\.(jsonl?|traj)$/.test(file)) return [];
      const text = readFileSync(join(folder, file), 'utf8');
      const documents = file.endsWith('.jsonl') ? text.split('\n').map(parsed) : [parsed(text)];
      return documents.flatMap((document) => commandsOf(document).map((command) => ({ file, command })));
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** `command` or `cmd` beside or within a tool's input; `action` of a trajectory, whose history repeats it. */
function commandsOf(value: unknown): (string | readonly string[])[] {
  if (Array.isArray(value)) return value.flatMap(commandsOf);
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(fields.trajectory))
    return fields.trajectory.flatMap(({ action }: { action?: unknown }) =>
      isCommand(action) ? [action] : [],
    );
  return Object.entries(fields).flatMap(([name, inner]) => {
    if ((name === 'command' || name === 'cmd') && isCommand(inner)) return [inner];
    const inText = name === 'arguments' && typeof inner === 'string' ? parsed(inner) : inner;
    return commandsOf(inText);
  });
}

function isCommand(value: unknown): value is string | readonly string[] {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((word) => typeof word === 'string'))
  );
}

const SHOWN = 100;

/** What is not known of a command is listed, and no error. */
export function reportCommands(found: readonly Found[]): void {
  const counts = { programs: 0, files: 0, hosts: 0, opaque: 0, known: 0 };
  const lines: string[] = [];
  for (const { file, command } of found) {
    const facts = readShell(command);
    counts.programs += facts.commands.length;
    counts.files += facts.reads.length + facts.writes.length;
    counts.hosts += facts.hosts.length;
    if (facts.opaque.length > 0) counts.opaque++;
    if (facts.unknown.length === 0) counts.known++;
    else {
      const text = JSON.stringify(command);
      const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
      lines.push(`    ${file}  ${shown}`, ...facts.unknown.map((reason) => `        ${reason}`));
    }
  }
  console.log(
    `\nShell commands of coding agents: ${found.length}, with ${counts.programs} programs, ${counts.files} files, ${counts.hosts} hosts`,
  );
  console.log(
    `known before they run: ${counts.known}; with programs whose files are their own affair: ${counts.opaque}`,
  );
  console.log(`not known, ${found.length - counts.known}:`);
  for (const line of lines) console.log(line);
}
