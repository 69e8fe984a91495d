// What a shell command says it will do, as rules see it: programs, arguments, files, hosts, and what cannot be known
// before it runs. Data only.

/** One program that the command starts. Wrappers (`sudo`, `timeout 5`, `bash -c '…'`) are looked through. */
export interface ShellCommand {
  /** The program's name without its folder; `''` when it is not known. */
  readonly program: string;
  /** The program as it was written. */
  readonly path: string;
  /** Arguments as the program gets them; one that is not known stands as it was written. */
  readonly args: readonly string[];
  /** Variables set for this command alone, as far as their values are known. */
  readonly env: Readonly<Record<string, string>>;
  /** Programs that start this one, outermost first. */
  readonly wrappers: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly hosts: readonly string[];
  /** Arguments that look like paths, of a program whose files are not known. */
  readonly mentioned: readonly string[];
  /** Why it is not known what this command does; none when all of it is read. */
  readonly unknown: readonly string[];
  /** It reads what another command writes. */
  readonly piped: boolean;
  readonly background: boolean;
}

/** All of a command. Paths are `/` separated, without `.` and `..`; `~` is the home folder. */
export interface ShellFacts {
  readonly commands: readonly ShellCommand[];
  readonly programs: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly hosts: readonly string[];
  readonly mentioned: readonly string[];
  /** Programs that the tables do not know, or that run what a file says: their files and hosts are their own affair. */
  readonly opaque: readonly string[];
  /** What cannot be known before the command runs, with the reason. A rule that trusts a command asks that there is none. */
  readonly unknown: readonly string[];
}

/** Characters of a command that are read; a longer one is unknown. */
export const MAX_COMMAND = 65_536;
/** Programs in one command. */
export const MAX_COMMANDS = 1_000;
/** Commands within commands: substitutions, `bash -c`, groups. */
export const MAX_NESTED = 32;
/** Items of each list of facts. */
export const MAX_FACTS = 1_000;
/** Words that one `{a,b}` may become. */
export const MAX_BRACES = 64;
/** Folders that a relative path may be from, after `cd` that may have failed. */
export const MAX_FOLDERS = 4;
