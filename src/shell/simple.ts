// One simple command: wrappers looked through, then its files and hosts by the tables. What runs a text or an input that
// is not there to be read is unknown. Pure.
import {
  addFile,
  addHost,
  addUrls,
  type Draft,
  draftAt,
  finish,
  nameOf,
  type Place,
  type Reading,
  shown,
} from './collect.ts';
import { readGit } from './git.ts';
import { joinTexts, readOptions } from './options.ts';
import { FILES } from './programs/files.ts';
import { INERT } from './programs/inert.ts';
import { NETWORK, REGISTRIES } from './programs/network.ts';
import { INTERPRETERS, SHELLS, TELLING, WRAPPERS } from './programs/wrappers.ts';
import { readAwk, readDd, readFind, readSed, readTar } from './special.ts';
import { readByTable } from './table.ts';
import { MAX_NESTED } from './types.ts';
import { plain, type Text } from './word.ts';

export interface Simple {
  readonly words: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text])[];
  /** What its input says, when that stands in the text: a here-document or a here-string. */
  readonly input: Text | null;
  /** Files that redirections open. */
  readonly files: readonly (readonly [kind: 'reads' | 'writes', file: Text])[];
}

export function readSimple(simple: Simple, place: Place, reading: Reading): void {
  const draft = draftAt(place, reading);
  for (const [name, value] of simple.env) {
    if (value.known) draft.env[name] = value.text;
    if (TELLING.has(name) || /^(LD|DYLD)_/.test(name))
      draft.unknown.add(`${name} is set, which may change what runs`);
  }
  const [program, ...args] = simple.words;
  if (program !== undefined) {
    draft.path = program.text;
    draft.program =
      program.known && !program.glob ? program.text.slice(program.text.lastIndexOf('/') + 1) : '';
    draft.args = args.map(({ text }) => text);
  }
  for (const [kind, file] of simple.files) addFile(draft, kind, file);
  if (program !== undefined && draft.program === '')
    draft.unknown.add(`the program is not known, ${shown(program.text)}`);
  else if (program !== undefined && readProgram(draft, args, simple)) return;
  finish(draft);
}

/** True when what stood there was only a wrapper, and the command within it has been read. */
function readProgram(draft: Draft, args: readonly Text[], simple: Simple): boolean {
  const { program, reading } = draft;
  if (reading.functions.has(program)) return passArguments(draft, args);
  const wrapper = draft.path.startsWith('./') ? undefined : own(WRAPPERS, program);
  if (wrapper !== undefined && !(program === 'command' && /^-[vV]/.test(args[0]?.text ?? ''))) {
    const read = readOptions(args, (name) => wrapper.valued.includes(name), true);
    if (read.options.some(({ name }) => wrapper.beyond?.includes(name) === true))
      draft.unknown.add(`${program}: what its options make it do`);
    for (const { name } of read.options) {
      if (!wrapper.flags.includes(name) && !wrapper.valued.includes(name))
        draft.unknown.add(`${program}: an option that is not known, ${shown(name)}`);
    }
    const inner = [...read.operands.slice(wrapper.skip)];
    const env = [];
    while (wrapper.env === true && /^[A-Za-z_]\w*=/.test(inner[0]?.text ?? '')) {
      const { text } = inner[0]!;
      env.push([
        text.slice(0, text.indexOf('=')),
        { ...inner.shift()!, text: text.slice(text.indexOf('=') + 1) },
      ] as const);
    }
    if (inner.length === 0) {
      for (const [name] of env)
        if (TELLING.has(name)) draft.unknown.add(`${name} is set, which may change what runs`);
      return false;
    }
    if (inner[0]!.text.startsWith('-')) draft.unknown.add(`${program}: options after what they are for`);
    if (wrapper.more === true) inner.push({ ...plain('$@'), known: false });
    if (draft.unknown.size > 0) finish(draft);
    return runWithin(draft, { ...simple, words: inner, env: [...simple.env, ...env] });
  }
  if (program === 'eval' || program === 'trap')
    return readEval(draft, program === 'trap' ? args.slice(0, 1) : args);
  if (program === 'alias') draft.unknown.add('alias: it changes what a name runs');
  if (SHELLS.has(program)) return readShell(draft, args, simple);
  if (program === 'su') draft.unknown.add('su: it runs another shell');
  readKnown(draft, args, simple);
  return false;
}

function readKnown(draft: Draft, args: readonly Text[], simple: Simple): void {
  const { program } = draft;
  if (INERT.has(program)) return;
  const isFile = draft.path.includes('/') && !/^(\/usr)?(\/local)?\/s?bin\/[^/]+$/.test(draft.path);
  if (isFile) {
    readOpaque(draft, args, simple);
    return;
  }
  const run = (words: readonly Text[]) => void runWithin(draft, { words, env: [], input: null, files: [] });
  if (program === 'git') {
    readGit(draft, args);
    return;
  }
  if (program === 'find') {
    readFind(draft, args, run);
    return;
  }
  if (program === 'tar') {
    readTar(draft, args);
    return;
  }
  if (program === 'dd') {
    readDd(draft, args);
    return;
  }
  if (program === 'sed' || program === 'gsed') {
    readSed(draft, args);
    return;
  }
  if (['awk', 'gawk', 'mawk', 'nawk'].includes(program)) {
    readAwk(draft, args);
    return;
  }
  if (program === 'cd' || program === 'pushd' || program === 'popd') return;
  const table = own(FILES, program) ?? own(NETWORK, program);
  if (table === undefined) {
    readOpaque(draft, args, simple);
    return;
  }
  readByTable(draft, table, args);
  if (program === 'ssh') readRemote(draft, args);
  if (program === 'curl' && args.some(({ text }) => /^(-[a-zA-Z]*[OJ]|--remote-name(-all)?)$/.test(text)))
    addFile(draft, 'writes', plain('.'));
}

/** A program whose files and hosts only it knows. */
function readOpaque(draft: Draft, args: readonly Text[], simple: Simple): void {
  const { program, place } = draft;
  draft.reading.opaque.add(draft.path.includes('/') ? draft.path : program);
  passArguments(draft, args);
  const registry = own(REGISTRIES, program);
  if (registry !== undefined && args.some(({ text }) => registry.on.includes(text) || registry.on[0] === '*'))
    addHost(draft, registry.place);
  for (const word of args) {
    addUrls(draft, word);
    const value = word.text.startsWith('-')
      ? { ...word, text: word.text.slice(word.text.indexOf('=') + 1) }
      : word;
    if (looksLikePath(value.text)) addFile(draft, 'mentioned', value);
  }
  if (!INTERPRETERS.has(program)) return;
  const fromInput = ['-', '/dev/stdin', '/dev/fd/0', '/dev/fd/63'];
  const isGiven = args.some(({ text }) =>
    text.startsWith('-')
      ? /^(-[cempEV]|--(eval|print|version|help|check|test)\b)/.test(text)
      : !fromInput.includes(text),
  );
  const isFed = place.piped || simple.files.some(([kind]) => kind === 'reads');
  if (args.some(({ text }) => fromInput.includes(text)) || !isGiven) {
    if (isFed || simple.input === null)
      draft.unknown.add(`${program}: it runs what it is given when it starts`);
  }
}

function readShell(draft: Draft, args: readonly Text[], simple: Simple): boolean {
  const { program, place } = draft;
  const valued = (name: string) =>
    name === '-o' || name === '-O' || name === '--rcfile' || name === '--init-file';
  const read = readOptions(args, valued, true);
  const [first] = read.operands;
  if (read.options.some(({ name }) => valued(name) && name.startsWith('--')))
    draft.unknown.add(`${program}: a file that it runs first`);
  if (read.options.some(({ name }) => name === '--version' || name === '--help')) return false;
  if (read.options.some(({ name }) => name === '-c')) {
    if (first === undefined || !first.known || first.glob)
      draft.unknown.add(`${program}: it runs a text that is not known, ${shown(first?.text ?? '')}`);
    else return readWithin(draft, first.text);
  } else if (first !== undefined && first.text !== '-' && !read.options.some(({ name }) => name === '-s')) {
    if (first.text.startsWith('/dev/'))
      draft.unknown.add(`${program}: it runs what it is given when it starts`);
    draft.reading.opaque.add(program);
    addFile(draft, 'reads', first);
    passArguments(draft, read.operands.slice(1));
  } else if (simple.input?.known === true && !place.piped) return readWithin(draft, simple.input.text);
  else if (!read.options.some(({ name }) => name === '-n'))
    draft.unknown.add(`${program}: it runs what it is given when it starts`);
  return false;
}

function readEval(draft: Draft, args: readonly Text[]): boolean {
  const text = joinTexts(args);
  if (text.known && text.text !== '' && text.text !== '-') return readWithin(draft, text.text);
  if (!text.known)
    draft.unknown.add(`${nameOf(draft)}: it runs a text that is not known, ${shown(text.text)}`);
  return false;
}

/** What ssh runs there is read as if it ran here, from a folder that is not known. */
function readRemote(draft: Draft, args: readonly Text[]): void {
  const options = NETWORK.ssh!.options!;
  const words = readOptions(args, (name) => Object.hasOwn(options, name), true).operands.slice(1);
  if (words.length === 0) return;
  const text = joinTexts(words);
  if (!text.known) draft.unknown.add('ssh: it runs a text that is not known');
  else draft.reading.readText(text.text, { ...within(draft), folders: null });
}

function within(draft: Draft): Place {
  const { place, program } = draft;
  return { ...place, wrappers: [...place.wrappers, program], depth: place.depth + 1 };
}

function readWithin(draft: Draft, text: string): boolean {
  if (draft.reads.size + draft.writes.size + draft.unknown.size > 0) finish(draft);
  draft.reading.readText(text, within(draft));
  return true;
}

function runWithin(draft: Draft, simple: Simple): boolean {
  const place = within(draft);
  if (place.depth > MAX_NESTED) draft.reading.unknown.add('commands nest too deeply');
  else readSimple(simple, place, draft.reading);
  return true;
}

function passArguments(draft: Draft, args: readonly Text[]): false {
  for (const word of args) {
    if (!word.known)
      draft.unknown.add(`${nameOf(draft)}: an argument that is not known, ${shown(word.text)}`);
  }
  return false;
}

function looksLikePath(text: string): boolean {
  if (text === '' || text.includes('://') || text.includes('\n') || text.length > 4_096) return false;
  return /^(\.|~)/.test(text) || text.includes('/') || /^[\w-]{1,100}\.[A-Za-z]\w{0,7}$/.test(text);
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
