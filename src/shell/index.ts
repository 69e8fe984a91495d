// A shell command as facts that rules can speak about: which programs run with which arguments, which files they read and
// write, which hosts they reach, and what of it cannot be known before it runs. The grammar is unbash's (Bash 5.3, POSIX sh);
// the meaning of programs is in `programs/`. Pure; linear but for the parser's limits.
import { parse } from 'unbash';
import type { Place, Reading } from './collect.ts';
import { normalizePath } from './paths.ts';
import { readSimple } from './simple.ts';
import { MAX_COMMAND, MAX_FACTS, MAX_NESTED, type ShellCommand, type ShellFacts } from './types.ts';
import { walkScript } from './walk.ts';
import { plain } from './word.ts';

export { isWithin, normalizePath } from './paths.ts';
export { MAX_COMMAND, MAX_COMMANDS, MAX_FACTS, type ShellCommand, type ShellFacts } from './types.ts';

/**
 * Reads a command: a text for a shell, or a program with its arguments as a list. Relative paths are from `folder`; without
 * one they stay relative. Never throws: what cannot be read is in `unknown`.
 */
export function readShell(command: string | readonly string[], folder = '.'): ShellFacts {
  const commands: ShellCommand[] = [];
  const sets = { opaque: new Set<string>(), functions: new Set<string>(), unknown: new Set<string>() };
  const readText = (text: string, place: Place): void => {
    if (place.depth > MAX_NESTED) sets.unknown.add('commands nest too deeply');
    else walkScript(parse(text), { ...place, source: text }, reading);
  };
  const reading: Reading = { commands, ...sets, readText };
  const place: Place = {
    source: '',
    folders: [normalizePath(folder)],
    piped: false,
    background: false,
    wrappers: [],
    depth: 0,
  };
  const length =
    typeof command === 'string' ? command.length : command.reduce((sum, word) => sum + word.length + 1, 0);
  if (length > MAX_COMMAND) sets.unknown.add(`it has more than ${MAX_COMMAND} characters`);
  else {
    try {
      if (typeof command === 'string') readText(command, place);
      else readSimple({ words: command.map(plain), env: [], input: null, files: [] }, place, reading);
    } catch (error) {
      // The parser is recursive: what nests past its stack is told, as everything that cannot be read.
      sets.unknown.add(
        `it cannot be read: ${error instanceof RangeError ? 'it nests too deeply' : String(error)}`,
      );
    }
  }
  return factsOf(commands, sets.opaque, sets.unknown);
}

function factsOf(commands: readonly ShellCommand[], opaque: Set<string>, unknown: Set<string>): ShellFacts {
  const all = (of: (command: ShellCommand) => readonly string[]): string[] => {
    const found = new Set<string>();
    for (const command of commands)
      for (const fact of of(command)) if (found.size <= MAX_FACTS) found.add(fact);
    if (found.size > MAX_FACTS) unknown.add(`more than ${MAX_FACTS} files, hosts or programs`);
    return [...found];
  };
  const lists = {
    programs: all(({ program, path, wrappers }) => [
      ...wrappers,
      ...(path === '' ? [] : [program === '' ? path : program]),
    ]),
    reads: all(({ reads }) => reads),
    writes: all(({ writes }) => writes),
    hosts: all(({ hosts }) => hosts),
    mentioned: all(({ mentioned }) => mentioned),
  };
  return {
    commands,
    ...lists,
    opaque: [...opaque],
    unknown: [...new Set([...unknown, ...all((command) => command.unknown)])],
  };
}
