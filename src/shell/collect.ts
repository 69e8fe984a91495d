// Facts of one command as they are gathered, with their limits. Pure.
import { hostOfUrl } from './hosts.ts';
import { isRooted, joinPath } from './paths.ts';
import { MAX_COMMANDS, MAX_FACTS, type ShellCommand } from './types.ts';
import type { Text } from './word.ts';

/** Where a command stands in the text. */
export interface Place {
  /** The text that positions of the syntax tree are in. */
  readonly source: string;
  /** Folders that relative paths may be from; null: not known. */
  readonly folders: readonly string[] | null;
  readonly piped: boolean;
  readonly background: boolean;
  readonly wrappers: readonly string[];
  readonly depth: number;
}

/** What is gathered over the whole text. */
export interface Reading {
  readonly commands: ShellCommand[];
  readonly opaque: Set<string>;
  /** Functions that the text itself defines. */
  readonly functions: Set<string>;
  /** Why something is not known, that belongs to no one command. */
  readonly unknown: Set<string>;
  /** Reads a text that a command hands to a shell. */
  readonly readText: (text: string, place: Place) => void;
}

export interface Draft {
  program: string;
  path: string;
  args: readonly string[];
  readonly env: Record<string, string>;
  readonly place: Place;
  readonly reading: Reading;
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly hosts: Set<string>;
  readonly mentioned: Set<string>;
  readonly unknown: Set<string>;
}

export function draftAt(place: Place, reading: Reading): Draft {
  const sets = () => new Set<string>();
  return {
    ...{ program: '', path: '', args: [], env: {}, place, reading },
    ...{ reads: sets(), writes: sets(), hosts: sets(), mentioned: sets(), unknown: sets() },
  };
}

export function finish(draft: Draft): void {
  const { reading, place } = draft;
  if (reading.commands.length >= MAX_COMMANDS) {
    reading.unknown.add(`more than ${MAX_COMMANDS} commands`);
    return;
  }
  reading.commands.push({
    ...{ program: draft.program, path: draft.path, args: draft.args, env: draft.env },
    ...{ wrappers: place.wrappers, reads: [...draft.reads], writes: [...draft.writes] },
    ...{ hosts: [...draft.hosts], mentioned: [...draft.mentioned], unknown: [...draft.unknown] },
    ...{ piped: place.piped, background: place.background },
  });
}

function add(draft: Draft, to: Set<string>, fact: string): void {
  if (to.size < MAX_FACTS) to.add(fact);
  else draft.unknown.add(`more than ${MAX_FACTS} files or hosts`);
}

/** Devices that hold nothing. */
const NOWHERE = new Set([
  '/dev/null',
  '/dev/stdin',
  '/dev/stdout',
  '/dev/stderr',
  '/dev/tty',
  '/dev/zero',
  '-',
]);

/** A word that names a file, as the path it is from every folder that it may be from. */
export function addFile(draft: Draft, kind: 'reads' | 'writes' | 'mentioned', word: Text): void {
  const { text } = word;
  if (text === '' || NOWHERE.has(text) || text.startsWith('/dev/fd/')) return;
  const socket = /^\/dev\/(?:tcp|udp)\/([^/]*)\//.exec(text);
  if (socket !== null) {
    addHost(draft, socket[1]!, word.known);
    return;
  }
  if (!word.known) draft.unknown.add(`${nameOf(draft)}: a path that is not known, ${shown(text)}`);
  const path = text.startsWith('~') && !word.home ? `./${text}` : text;
  if (isRooted(path) || (!word.known && text.startsWith('$'))) {
    add(draft, draft[kind], joinPath('.', path));
    return;
  }
  const { folders } = draft.place;
  if (folders === null) {
    draft.unknown.add(`${nameOf(draft)}: ${shown(text)} is in a folder that is not known`);
    add(draft, draft[kind], `$PWD/${path}`);
    return;
  }
  for (const folder of folders) add(draft, draft[kind], joinPath(folder, path));
}

export function addHost(draft: Draft, host: string | null, known = true): void {
  if (!known) draft.unknown.add(`${nameOf(draft)}: a host that is not known, ${shown(host ?? '')}`);
  if (host !== null && host !== '') add(draft, draft.hosts, host);
}

/** Hosts of URLs in a word, wherever they stand in it. */
export function addUrls(draft: Draft, { text, known }: Text): void {
  for (const piece of text.split(/[\s"'<>()=,]/)) {
    if (piece.includes('://'))
      addHost(draft, hostOfUrl(piece), known || !/[$`]/.test(hostOfUrl(piece) ?? '$'));
  }
}

export function nameOf(draft: Draft): string {
  return draft.program === '' ? 'a command' : draft.program;
}

const SHOWN = 80;
export function shown(text: string): string {
  return `\`${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}\``;
}
