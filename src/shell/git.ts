// What a git command reads, writes and reaches. A remote that the repository's settings name stands among the hosts as
// `git:NAME`. Source: the git manual, git 2.5x. Pure.
import { addFile, addHost, type Draft, shown } from './collect.ts';
import { hostOfRemote } from './hosts.ts';
import { givenFor, has, readOptions } from './options.ts';
import { plain, type Text } from './word.ts';

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
const READING = list(
  `status diff log show blame shortlog describe rev-parse rev-list ls-files ls-tree cat-file grep reflog merge-base
  name-rev for-each-ref show-ref version help whatchanged count-objects check-ignore diff-tree cherry var`,
);
const WRITING = list(
  `add commit checkout switch restore reset rm mv merge rebase cherry-pick revert stash branch tag config init clean
  worktree apply am gc prune remote notes update-index bisect archive format-patch sparse-checkout update-ref symbolic-ref
  read-tree write-tree commit-tree hash-object repack fsck pack-refs lfs clone fetch pull push ls-remote submodule`,
);
const REMOTE = list('clone fetch pull push ls-remote');
const RUNNING = list(
  '--upload-pack --receive-pack --exec --extcmd --ext-diff --exec-path --open-files-in-pager',
);
const VALUED = list(
  `-m --message -F --file -b -B -c -C --author --date -n --depth --branch -o --origin -u --format --pretty --since
  --until --output -s --strategy -X --onto --source`,
);

export function readGit(draft: Draft, args: readonly Text[]): void {
  const globals = readOptions(
    args,
    (name) => ['-C', '-c', '--git-dir', '--work-tree', '--namespace'].includes(name),
    true,
  );
  if (has(globals, '-c', '--git-dir', '--work-tree', '--exec-path', '--config-env'))
    draft.unknown.add('git: settings given with the command may run anything');
  const folder = givenFor(globals, '-C') ?? plain('.');
  const [sub, ...rest] = globals.operands;
  if (sub === undefined) return;
  const name = sub.text;
  if (!sub.known || !(READING.has(name) || WRITING.has(name)))
    draft.unknown.add(`git: ${shown(name)} is no command of git itself; it may be an alias`);
  for (const word of rest) {
    if (!word.known) draft.unknown.add(`git: an argument that is not known, ${shown(word.text)}`);
  }
  const push = name === 'push' || name === 'pull' || name === 'fetch';
  const read = readOptions(rest, (option) => VALUED.has(option) && !(push && option === '-u'));
  if (read.options.some(({ name: option }) => RUNNING.has(option)))
    draft.unknown.add('git: an option that runs a program');
  if ((name === 'rebase' && has(read, '-x')) || (name === 'bisect' && read.operands[0]?.text === 'run'))
    draft.unknown.add('git: an option that runs a program');
  if (name === 'submodule' || name === 'lfs') addHost(draft, 'git:submodules');
  addFile(draft, 'reads', folder);
  if (!READING.has(name) && name !== 'ls-remote')
    addFile(draft, 'writes', target(name, read.operands) ?? folder);
  const output = givenFor(read, '--output');
  if (output !== null) addFile(draft, 'writes', output);
  if (name === 'config' && has(read, '--global', '--system'))
    addFile(draft, 'writes', { ...plain('~/.gitconfig'), home: true });
  if (REMOTE.has(name)) addRemote(draft, name, read.operands);
  if (name === 'remote' && ['update', 'show', 'prune'].includes(read.operands[0]?.text ?? ''))
    addHost(draft, 'git:remotes');
}

/** Where a clone or a new repository goes. */
function target(name: string, operands: readonly Text[]): Text | null {
  if (name === 'clone') return operands[1] ?? null;
  return name === 'init' ? (operands[0] ?? null) : null;
}

function addRemote(draft: Draft, name: string, operands: readonly Text[]): void {
  const [remote] = operands;
  if (remote === undefined) {
    addHost(draft, 'git:default');
    return;
  }
  if (remote.text.startsWith('ext::')) draft.unknown.add('git: a remote that runs a program');
  const host = hostOfRemote(remote.text);
  if (host !== null) {
    addHost(draft, host, remote.known);
    return;
  }
  if (!remote.text.includes('/') && name !== 'clone') {
    addHost(draft, `git:${remote.text}`, remote.known);
    return;
  }
  addFile(draft, name === 'push' ? 'writes' : 'reads', remote);
}
