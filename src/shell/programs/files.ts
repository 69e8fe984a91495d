// Programs that work on files, by what each operand and option is. Sources: POSIX.1-2024 XCU 3; the manuals of GNU
// coreutils 9, findutils, diffutils, grep, sed, gzip; ripgrep, jq, fd, zip, openssl.
import type { Program } from './types.ts';

const READ: Program = { operands: 'read' };
const WRITE: Program = { operands: 'write' };
const COPY: Program = {
  operands: 'read',
  last: 'write',
  options: { '-t': 'write', '--target-directory': 'write', '-S': 'text', '--suffix': 'text' },
};
const MODE: Program = {
  operands: 'write',
  first: 'text',
  firstUnless: ['--reference'],
  options: { '--reference': 'read' },
};
const GREP: Program = {
  operands: 'read',
  first: 'text',
  firstUnless: ['-e', '-f', '--regexp', '--file', '--files'],
  options: {
    ...{
      '-e': 'text',
      '-f': 'read',
      '-A': 'text',
      '-B': 'text',
      '-C': 'text',
      '-m': 'text',
      '-g': 'text',
      '-t': 'text',
    },
    ...{
      '-T': 'text',
      '-d': 'text',
      '-D': 'text',
      '--glob': 'text',
      '--type': 'text',
      '--max-count': 'text',
    },
    ...{ '--regexp': 'text', '--file': 'read', '--context': 'text', '-j': 'text', '--sort': 'text' },
  },
  here: 'read',
  beyond: ['--pre'],
};
const COUNT: Program = {
  operands: 'read',
  options: {
    '-n': 'text',
    '-c': 'text',
    '--lines': 'text',
    '--bytes': 'text',
    '-s': 'text',
    '--pid': 'text',
  },
};
const PACK: Program = {
  operands: 'both',
  instead: [['-c', '--stdout', '-l', '-t'], 'read'],
  options: { '-S': 'text' },
};

export const FILES: Readonly<Record<string, Program>> = {
  ...{
    cat: READ,
    tac: READ,
    nl: READ,
    wc: READ,
    file: READ,
    stat: { ...READ, options: { '-c': 'text', '-f': 'text', '--format': 'text' } },
  },
  ...{
    md5sum: READ,
    sha1sum: READ,
    sha256sum: READ,
    sha512sum: READ,
    cksum: READ,
    strings: READ,
    cmp: READ,
    comm: READ,
  },
  ...{
    more: READ,
    zcat: READ,
    realpath: READ,
    readlink: READ,
    bat: READ,
    diff: { ...READ, options: { '-U': 'text', '-x': 'text', '-I': 'text' } },
  },
  ...{
    hexdump: READ,
    column: { ...READ, options: { '-s': 'text', '-t': 'text', '-c': 'text' } },
    fold: READ,
    expand: READ,
  },
  base64: { ...READ, options: { '-w': 'text' } },
  od: { ...READ, options: { '-A': 'text', '-t': 'text', '-N': 'text', '-j': 'text' } },
  xxd: { operands: 'read', last: 'write', options: { '-l': 'text', '-s': 'text', '-c': 'text' } },
  ...{ head: COUNT, tail: COUNT },
  ...{
    ls: { ...READ, here: 'read' },
    tree: {
      operands: 'read',
      here: 'read',
      options: { '-L': 'text', '-I': 'text', '-P': 'text', '-o': 'write' },
    },
  },
  du: { operands: 'read', here: 'read', options: { '-d': 'text', '--max-depth': 'text' } },
  df: READ,
  cut: { operands: 'read', options: { '-d': 'text', '-f': 'text', '-c': 'text', '-b': 'text' } },
  paste: { operands: 'read', options: { '-d': 'text' } },
  join: { operands: 'read', options: { '-t': 'text', '-1': 'text', '-2': 'text', '-o': 'text' } },
  sort: {
    operands: 'read',
    options: { '-o': 'write', '--output': 'write', '-k': 'text', '-t': 'text', '-T': 'text', '-S': 'text' },
    beyond: ['--compress-program'],
  },
  uniq: { operands: 'write', first: 'read', options: { '-f': 'text', '-s': 'text', '-w': 'text' } },
  tr: { operands: 'text' },
  ...{ grep: GREP, egrep: GREP, fgrep: GREP, rg: GREP, zgrep: GREP },
  jq: {
    operands: 'read',
    first: 'text',
    firstUnless: ['-f', '--from-file'],
    options: { '-f': 'read', '--from-file': 'read', '--indent': 'text', '-L': 'read' },
  },
  ...{
    rm: WRITE,
    rmdir: WRITE,
    unlink: WRITE,
    mkdir: { ...WRITE, options: { '-m': 'text' } },
    mkfifo: WRITE,
  },
  touch: { operands: 'write', options: { '-d': 'text', '-t': 'text', '-r': 'read' } },
  truncate: { operands: 'write', options: { '-s': 'text', '-r': 'read' } },
  shred: { operands: 'write', options: { '-n': 'text', '-s': 'text' } },
  tee: WRITE,
  mktemp: { operands: 'write', options: { '-p': 'write', '--tmpdir': 'write' } },
  split: {
    operands: 'write',
    first: 'read',
    options: { '-l': 'text', '-b': 'text', '-n': 'text', '-a': 'text' },
    beyond: ['--filter'],
  },
  ...{
    cp: COPY,
    install: { ...COPY, options: { ...COPY.options, '-m': 'text', '-o': 'text', '-g': 'text' } },
  },
  ln: { ...COPY, here: 'write' },
  mv: { ...COPY, operands: 'both', options: { ...COPY.options, '-t': 'write' } },
  ...{ chmod: MODE, chown: MODE, chgrp: MODE },
  sed: {
    operands: 'read',
    first: 'text',
    firstUnless: ['-e', '-f', '--expression', '--file'],
    instead: [['-i', '--in-place'], 'both'],
    options: { '-e': 'text', '-f': 'read', '--expression': 'text', '--file': 'read', '-l': 'text' },
  },
  ...{
    gzip: PACK,
    gunzip: PACK,
    bzip2: PACK,
    bunzip2: PACK,
    xz: PACK,
    unxz: PACK,
    zstd: { ...PACK, options: { '-o': 'write' } },
  },
  zip: { operands: 'read', first: 'write', options: { '-x': 'text', '-P': 'text' }, beyond: ['-T', '-TT'] },
  unzip: {
    operands: 'text',
    first: 'read',
    here: 'write',
    options: { '-d': 'write', '-x': 'text', '-P': 'text' },
  },
  patch: {
    operands: 'both',
    options: { '-i': 'read', '-p': 'text', '-d': 'write', '-o': 'write' },
    here: 'write',
  },
};
