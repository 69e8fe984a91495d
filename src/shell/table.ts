// The files and hosts of a program that stands in the tables. Pure.
import { addFile, addHost, addUrls, type Draft, nameOf, shown } from './collect.ts';
import { hostOfAuthority, hostOfRemote, hostOfUrl } from './hosts.ts';
import { has, readOptions } from './options.ts';
import type { Program, Role } from './programs/types.ts';
import { plain, type Text } from './word.ts';

export function readByTable(draft: Draft, program: Program, args: readonly Text[]): void {
  const roles = program.options ?? {};
  const beyond = program.beyond ?? [];
  const read = readOptions(args, (name) => Object.hasOwn(roles, name) || beyond.includes(name));
  for (const { name, value } of read.options) {
    if (beyond.includes(name)) draft.unknown.add(`${nameOf(draft)}: what ${name} makes it do`);
    if (value !== null) addAs(draft, roles[name] ?? 'text', value);
    if (value !== null && roles[name] === undefined && value.text.includes('/'))
      addFile(draft, 'mentioned', value);
  }
  const { operands } = read;
  const hasFirst = program.first !== undefined && !has(read, ...(program.firstUnless ?? []));
  const instead =
    program.instead !== undefined && has(read, ...program.instead[0]) ? program.instead[1] : null;
  const hasTarget = has(read, '-t', '--target-directory');
  for (const [i, word] of operands.entries()) {
    const isLast = i === operands.length - 1 && i > 0 && !hasTarget;
    const role = i === 0 && hasFirst ? program.first! : isLast ? (program.last ?? null) : null;
    addAs(draft, role ?? instead ?? program.operands, word);
  }
  const least = hasFirst ? 1 : 0;
  if (
    program.here !== undefined &&
    operands.length <= least &&
    !(program.here === 'read' && draft.place.piped)
  )
    addFile(draft, program.here === 'read' ? 'reads' : 'writes', plain('.'));
  else if (program.here === 'write') addFile(draft, 'writes', plain('.'));
}

export function addAs(draft: Draft, role: Role, word: Text): void {
  switch (role) {
    case 'read': {
      addFile(draft, 'reads', word);
      return;
    }
    case 'write': {
      addFile(draft, 'writes', word);
      return;
    }
    case 'both':
      addFile(draft, 'reads', word);
      addFile(draft, 'writes', word);
      return;
    case 'host': {
      addHost(draft, hostOfUrl(word.text) ?? hostOfAuthority(word.text), word.known);
      return;
    }
    case 'url': {
      addUrl(draft, word);
      return;
    }
    case 'remote-read':
    case 'remote-write': {
      const host = hostOfRemote(word.text);
      if (host !== null) {
        addHost(draft, host, word.known);
        return;
      }
      addFile(draft, role === 'remote-read' ? 'reads' : 'writes', word);
      return;
    }
    case 'text':
      if (!word.known)
        draft.unknown.add(`${nameOf(draft)}: an argument that is not known, ${shown(word.text)}`);
      if (word.text.includes('://')) addUrls(draft, word);
      // `curl -d @file`, `-F name=@file`: the value is in a file.
      if (draft.program === 'curl' && /(^|=)[@<]./.test(word.text))
        addFile(draft, 'reads', { ...word, text: word.text.replace(/^[^@<]*[@<]/, '').split(';')[0]! });
  }
}

/** curl and wget take a host without a scheme, too. */
function addUrl(draft: Draft, word: Text): void {
  if (word.text.startsWith('file:')) {
    addFile(draft, 'reads', { ...word, text: word.text.replace(/^file:(\/\/[^/]*)?/, '') });
    return;
  }
  const bare = word.text.split(/[/?#]/, 1)[0]!;
  const host = hostOfUrl(word.text) ?? hostOfAuthority(bare);
  addHost(draft, host, word.known || !/[$`{]/.test(host ?? '$'));
  if (!word.known) draft.unknown.add(`${nameOf(draft)}: an argument that is not known, ${shown(word.text)}`);
  if (/[{[]/.test(bare)) draft.unknown.add(`${nameOf(draft)}: a host that is not known, ${shown(word.text)}`);
}
