// Programs that reach other machines. Sources: the manuals of curl 8, GNU wget, OpenSSH, rsync, netcat, iputils, bind-utils.
import type { Program, Role } from './types.ts';

const SSH_OPTIONS = {
  ...{
    '-p': 'text',
    '-P': 'text',
    '-i': 'read',
    '-l': 'text',
    '-F': 'read',
    '-L': 'text',
    '-R': 'text',
    '-D': 'text',
  },
  ...{ '-c': 'text', '-b': 'text', '-J': 'host', '-o': 'text', '-E': 'write', '-W': 'host', '-e': 'text' },
} as const satisfies Readonly<Record<string, Role>>;
const LOOKUP: Program = {
  operands: 'host',
  options: {
    '-c': 'text',
    '-W': 'text',
    '-t': 'text',
    '-p': 'text',
    '-i': 'text',
    '-s': 'text',
    '-w': 'text',
  },
};

export const NETWORK: Readonly<Record<string, Program>> = {
  curl: {
    operands: 'url',
    options: {
      ...{
        '-o': 'write',
        '--output': 'write',
        '--output-dir': 'write',
        '-c': 'write',
        '--cookie-jar': 'write',
      },
      ...{
        '-D': 'write',
        '--dump-header': 'write',
        '--trace': 'write',
        '--trace-ascii': 'write',
        '--stderr': 'write',
      },
      ...{
        '-T': 'read',
        '--upload-file': 'read',
        '-E': 'read',
        '--cert': 'read',
        '--key': 'read',
        '--cacert': 'read',
      },
      ...{
        '-d': 'text',
        '--data': 'text',
        '--data-raw': 'text',
        '--data-binary': 'text',
        '--data-urlencode': 'text',
      },
      ...{ '-F': 'text', '--form': 'text', '--json': 'text', '-b': 'text', '--cookie': 'text', '-H': 'text' },
      ...{
        '--header': 'text',
        '-X': 'text',
        '--request': 'text',
        '-A': 'text',
        '--user-agent': 'text',
        '-e': 'text',
      },
      ...{ '-u': 'text', '--user': 'text', '-m': 'text', '--max-time': 'text', '--connect-timeout': 'text' },
      ...{
        '-w': 'text',
        '--write-out': 'text',
        '--retry': 'text',
        '--url': 'url',
        '-x': 'url',
        '--proxy': 'url',
      },
      ...{
        '--resolve': 'text',
        '--connect-to': 'text',
        '-r': 'text',
        '--range': 'text',
        '--limit-rate': 'text',
      },
    },
    beyond: ['-K', '--config', '--connect-to', '--resolve', '--unix-socket', '--abstract-unix-socket'],
  },
  wget: {
    operands: 'url',
    options: {
      ...{
        '-O': 'write',
        '--output-document': 'write',
        '-P': 'write',
        '--directory-prefix': 'write',
        '-o': 'write',
      },
      ...{ '-a': 'write', '-T': 'text', '--timeout': 'text', '-t': 'text', '--tries': 'text', '-U': 'text' },
      ...{
        '--user-agent': 'text',
        '--header': 'text',
        '--post-data': 'text',
        '--post-file': 'read',
        '-A': 'text',
      },
      ...{
        '--body-file': 'read',
        '--user': 'text',
        '--password': 'text',
        '-e': 'text',
        '-l': 'text',
        '-R': 'text',
      },
    },
    here: 'write',
    beyond: ['-i', '--input-file', '-e', '--execute', '--use-askpass', '--config'],
  },
  ssh: { operands: 'text', first: 'host', options: SSH_OPTIONS, beyond: ['-o', '-F', '-L', '-R', '-D'] },
  scp: { operands: 'remote-read', last: 'remote-write', options: SSH_OPTIONS, beyond: ['-o', '-F', '-S'] },
  sftp: { operands: 'host', options: SSH_OPTIONS, beyond: ['-b', '-o', '-F', '-S'] },
  rsync: {
    operands: 'remote-read',
    last: 'remote-write',
    options: {
      '--exclude': 'text',
      '--include': 'text',
      '--exclude-from': 'read',
      '--bwlimit': 'text',
      '-e': 'text',
      '--port': 'text',
    },
    beyond: ['-e', '--rsh', '--rsync-path', '--files-from'],
  },
  ...{ ping: LOOKUP, ping6: LOOKUP, traceroute: LOOKUP, tracepath: LOOKUP, mtr: LOOKUP, whois: LOOKUP },
  ...{ host: LOOKUP, nslookup: LOOKUP },
  dig: {
    operands: 'host',
    options: { '-p': 'text', '-t': 'text', '-b': 'text', '-x': 'host' },
    beyond: ['-f'],
  },
  ...{
    nc: {
      operands: 'text',
      first: 'host',
      options: { '-p': 'text', '-w': 'text', '-s': 'text', '-x': 'host' },
      beyond: ['-e', '-c'],
    },
  },
  telnet: { operands: 'text', first: 'host' },
};

/** Programs that fetch from a place that their own settings name. It stands among the hosts as `NAME:PLACE`. */
export const REGISTRIES: Readonly<
  Record<string, { readonly place: string; readonly on: readonly string[] }>
> = {
  ...{
    pip: registry('pip:index', 'install download wheel'),
    pip3: registry('pip:index', 'install download wheel'),
  },
  npm: registry('npm:registry', 'install i ci add update up publish view info search audit exec init create'),
  npx: registry('npm:registry', '*'),
  pnpm: registry('npm:registry', 'install i add update up publish dlx create'),
  yarn: registry('npm:registry', '* install add upgrade publish dlx create'),
  bun: registry('npm:registry', 'install i add update publish x create'),
  uv: registry('pip:index', 'pip sync add lock tool run'),
  ...{
    uvx: registry('pip:index', '*'),
    pipx: registry('pip:index', 'install run upgrade'),
    poetry: registry('pip:index', 'install add update lock publish'),
  },
  cargo: registry('cargo:registry', 'install fetch update publish build run test add search'),
  go: registry('go:proxy', 'get install mod run build test'),
  gem: registry('gem:source', 'install update push fetch'),
  bundle: registry('gem:source', 'install update'),
  ...{
    apt: registry('apt:source', 'install update upgrade'),
    'apt-get': registry('apt:source', 'install update upgrade dist-upgrade'),
  },
  ...{
    apk: registry('apk:source', 'add update upgrade'),
    brew: registry('brew:source', 'install update upgrade'),
    dnf: registry('dnf:source', 'install update upgrade'),
    yum: registry('yum:source', 'install update'),
  },
  docker: registry('docker:registry', 'pull push run build login search'),
  podman: registry('docker:registry', 'pull push run build login search'),
  gh: registry('github.com', '*'),
};

function registry(place: string, on: string): { place: string; on: readonly string[] } {
  return { place, on: on.split(' ') };
}
