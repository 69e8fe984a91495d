// Programs that start the program among their arguments, and shells. Sources: POSIX.1-2024 XCU 3; the manuals of GNU
// coreutils 9, sudo, util-linux, findutils (xargs), Bash.

export interface Wrapper {
  /** Options that take a value in the next word. */
  readonly valued: readonly string[];
  /** Options that stand alone. Any other is not known, and with it what runs. */
  readonly flags: readonly string[];
  /** Words between the options and the program: a time, a folder. */
  readonly skip: number;
  /** `NAME=value` words before the program are its environment. */
  readonly env?: true;
  /** The program gets more arguments than stand here, from its input. */
  readonly more?: true;
  /** Options after which something else is run or changed than can be told here. */
  readonly beyond?: readonly string[];
}

function wrapper(
  flags: string,
  valued = '',
  skip = 0,
  rest: Omit<Wrapper, 'flags' | 'valued' | 'skip'> = {},
): Wrapper {
  const words = (text: string) => text.split(' ').filter((word) => word !== '');
  return { flags: words(flags), valued: words(valued), skip, ...rest };
}

export const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  sudo: wrapper(
    '-E -n -H -S -k -b -A -P -B -v -l --preserve-env --non-interactive --set-home --stdin --background',
    '-u --user -g --group -h --host -p --prompt -C -r -t -T -U',
    0,
    {
      env: true,
      beyond: ['-i', '-s', '-e', '--edit', '--login', '--shell', '-D', '--chdir', '-R', '--chroot'],
    },
  ),
  doas: wrapper('-n -L', '-u -C', 0, { beyond: ['-s', '-C'] }),
  env: wrapper('-i -0 -v --ignore-environment', '-u --unset', 0, {
    env: true,
    beyond: ['-S', '--split-string', '-C', '--chdir'],
  }),
  nohup: wrapper(''),
  setsid: wrapper('-w -f -c --wait --fork'),
  time: wrapper('-p -v -a --verbose --portability', '-f --format -o --output', 0, {
    beyond: ['-o', '--output'],
  }),
  timeout: wrapper('-v --foreground --preserve-status --verbose', '-s --signal -k --kill-after', 1),
  nice: wrapper('-0 -1 -2 -3 -4 -5 -6 -7 -8 -9', '-n --adjustment'),
  ionice: wrapper('-t', '-c -n --class --classdata', 0, { beyond: ['-p'] }),
  stdbuf: wrapper('', '-i -o -e --input --output --error'),
  command: wrapper('-p'),
  builtin: wrapper(''),
  exec: wrapper('-c -l', '-a'),
  xargs: wrapper(
    '-0 -r -t -x -p --null --no-run-if-empty --verbose --exit',
    '-n -P -I -L -d -s -E -a --max-args --max-procs --delimiter --replace --arg-file',
    0,
    {
      more: true,
    },
  ),
  chronic: wrapper('-v -e'),
  caffeinate: wrapper('-d -i -m -s -u', '-t -w'),
  flock: wrapper('-x -s -n -u -o -F --nonblock --shared --exclusive', '-w -E', 1, {
    beyond: ['-c', '--command'],
  }),
  busybox: wrapper(''),
};

/** Programs that run a text given by `-c`, or what they read. */
export const SHELLS: ReadonlySet<string> = new Set('sh bash dash zsh ksh ash mksh'.split(' '));

/** Programs that run what they read when they are given no file. */
export const INTERPRETERS: ReadonlySet<string> = new Set(
  'python python2 python3 node nodejs deno bun ruby perl php lua Rscript tclsh pwsh osascript psql mysql sqlite3'.split(
    ' ',
  ),
);

/** Variables that change which programs run, or what they do first. */
export const TELLING: ReadonlySet<string> = new Set(
  `PATH LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH IFS BASH_ENV ENV HOME PWD CDPATH
  PROMPT_COMMAND PS4 SHELLOPTS BASHOPTS GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_PAGER GIT_EDITOR GIT_DIR
  GIT_WORK_TREE GIT_PROXY_COMMAND GIT_ASKPASS PAGER EDITOR VISUAL LESSOPEN PYTHONSTARTUP NODE_OPTIONS PERL5OPT RUBYOPT
  http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy`
    .split(/\s+/)
    .filter((name) => name !== ''),
);
