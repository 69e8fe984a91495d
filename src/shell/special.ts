// Programs with a language of their own in their arguments: find, tar, dd, awk, sed. Sources: POSIX.1-2024 XCU 3, the manuals of
// GNU findutils, tar, coreutils, gawk, sed. Pure.
import { addFile, type Draft, nameOf, shown } from './collect.ts';
import { givenFor, has, readOptions } from './options.ts';
import { FILES } from './programs/files.ts';
import { readByTable } from './table.ts';
import { plain, type Text } from './word.ts';

export type RunInner = (words: readonly Text[]) => void;

const FIND_RUNS = new Set(['-exec', '-execdir', '-ok', '-okdir']);
const FIND_WRITES = new Set(['-fprint', '-fprint0', '-fprintf', '-fls']);

/** Files that it finds stand for `{}` as `FOLDER/**`. */
export function readFind(draft: Draft, args: readonly Text[], run: RunInner): void {
  const start = args.findIndex(({ text }) => /^(-[^HLPDO]|-.{2}|[(!,)])/.test(text));
  const roots = args.slice(0, start < 0 ? args.length : start).filter(({ text }) => !text.startsWith('-'));
  const from = roots.length === 0 ? [plain('.')] : roots;
  for (const root of from) addFile(draft, 'reads', root);
  if (start < 0) return;
  for (let i = start; i < args.length; i++) {
    const { text, known } = args[i]!;
    if (!known) draft.unknown.add(`find: an argument that is not known, ${shown(text)}`);
    if (text === '-files0-from') draft.unknown.add('find: folders from a file');
    if (text === '-delete') for (const root of from) addFile(draft, 'writes', root);
    if (FIND_WRITES.has(text) && args[i + 1] !== undefined) addFile(draft, 'writes', args[++i]!);
    if (!FIND_RUNS.has(text)) continue;
    const end = args.findIndex(
      (word, at) => at > i && (word.text === ';' || (word.text === '+' && args[at - 1]?.text === '{}')),
    );
    const words = args.slice(i + 1, end < 0 ? args.length : end);
    if (words[0]?.text.includes('{}')) draft.unknown.add('find: runs the files that it finds');
    else
      run(
        words.flatMap((word) => (word.text.includes('{}') ? from.map((root) => found(word, root)) : [word])),
      );
    i = end < 0 ? args.length : end;
  }
}

/** `{}` alone is a path; within a text (`sh -c 'rm {}'`) nobody knows what its name does there. */
function found(word: Text, root: Text): Text {
  if (word.text !== '{}') return { ...word, known: false };
  return { ...root, text: `${root.text}/**`, glob: true };
}

export function readTar(draft: Draft, args: readonly Text[]): void {
  const [head, ...rest] = args;
  const words =
    head !== undefined && /^[a-zA-Z]+$/.test(head.text)
      ? [{ ...head, text: `-${head.text}` }, ...rest]
      : args;
  const valued = [
    '-f',
    '--file',
    '-C',
    '--directory',
    '-I',
    '-T',
    '--files-from',
    '--exclude',
    '-X',
    '--transform',
    '-g',
  ];
  const read = readOptions(words, (name) => valued.includes(name));
  if (
    has(
      read,
      '-I',
      '--use-compress-program',
      '--to-command',
      '--checkpoint-action',
      '-F',
      '--info-script',
      '--rsh-command',
    )
  )
    draft.unknown.add('tar: an option that runs a program');
  if (has(read, '-T', '--files-from')) draft.unknown.add('tar: files that another file lists');
  const archive = givenFor(read, '-f', '--file');
  const folder = givenFor(read, '-C', '--directory') ?? plain('.');
  const isCreate = has(read, '-c', '--create', '-r', '--append', '-u', '--update', '-A');
  if (archive !== null) addFile(draft, isCreate ? 'writes' : 'reads', archive);
  if (has(read, '-x', '--extract', '--get')) addFile(draft, 'writes', folder);
  if (has(read, '-P', '--absolute-names')) draft.unknown.add('tar: paths that the archive says');
  if (!isCreate) return;
  if (folder.text !== '.') addFile(draft, 'reads', folder);
  else for (const word of read.operands) addFile(draft, 'reads', word);
}

export function readDd(draft: Draft, args: readonly Text[]): void {
  for (const word of args) {
    const equals = word.text.indexOf('=');
    const value = { ...word, text: word.text.slice(equals + 1) };
    if (word.text.startsWith('if=')) addFile(draft, 'reads', value);
    else if (word.text.startsWith('of=')) addFile(draft, 'writes', value);
    else if (!word.known) draft.unknown.add(`dd: an argument that is not known, ${shown(word.text)}`);
  }
}

/** A program that only prints fields has no files of its own; one that may do more is not read. */
export function readAwk(draft: Draft, args: readonly Text[]): void {
  const read = readOptions(
    args,
    (name) => ['-F', '-v', '-f', '--file', '-i', '-l', '-E'].includes(name),
    true,
  );
  const inFile = has(read, '-f', '--file', '-i', '-l', '-E');
  const code = inFile ? null : read.operands[0];
  if (code === null || code === undefined || !code.known || /system|getline|@|[|>]/.test(code.text))
    draft.unknown.add(`${nameOf(draft)}: its program may run others or write files`);
  for (const word of read.operands.slice(inFile ? 0 : 1)) {
    if (!/^[A-Za-z_]\w*=/.test(word.text)) addFile(draft, 'reads', word);
  }
}

/** The commands `e`, `w`, `r` and their flags run a program, or name a file within the script. */
export function readSed(draft: Draft, args: readonly Text[]): void {
  const options = FILES.sed!.options!;
  const inPlace = args.map((word) => (/^-[nErsuz]*i./.test(word.text) ? { ...word, text: '-i' } : word));
  const read = readOptions(inPlace, (name) => Object.hasOwn(options, name));
  const scripts = read.options.flatMap(({ name, value }) =>
    ['-e', '--expression'].includes(name) && value !== null ? [value] : [],
  );
  const inFile = has(read, '-f', '--file');
  const all = scripts.length > 0 || inFile ? scripts : read.operands.slice(0, 1);
  if (inFile || all.some(({ text }) => reachesOut(text)))
    draft.unknown.add('sed: its script may run programs or write files');
  readByTable(draft, FILES.sed!, inPlace);
}

/** A script is plain when it is only addresses with `p`, `d`, `q`, `=`, or one substitution without the flags `e` and `w`. */
function reachesOut(script: string): boolean {
  return !script.split(/[;\n]/).every((part) => isPrinting(part.trim())) && !isSubstitution(script.trim());
}

function isPrinting(part: string): boolean {
  return (
    part === '' ||
    /^[\d,$~+ !]{0,40}[pdqPDNngGhHx=l{}]?$/.test(part) ||
    /^\/[^/\\]{0,200}\/(,\/[^/\\]{0,200}\/)? ?[pd]$/.test(part) ||
    isSubstitution(part)
  );
}

function isSubstitution(text: string): boolean {
  const command = text.replace(/^[\d,$ ]{0,40}/, '');
  const by = command[1];
  if (!'sy'.includes(command[0] ?? '.') || by === undefined || /[\w\s\\;]/.test(by)) return false;
  let bars = 0;
  let at = 1;
  for (; at < command.length && bars < 3; at++) {
    if (command[at] === '\\') at++;
    else if (command[at] === by) bars++;
  }
  return bars === 3 && /^[gpIimM\d]{0,8}$/.test(command.slice(at).trim());
}
