// `interlock import` at its command line: where things go, and exit codes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'import-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, '.claude'));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const interlock = (...argv: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', ...argv], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

test('claude-code: a spec on standard output, what is not exact on standard error', () => {
  const settings = file('.claude/settings.json', '{"permissions": {"allow": ["Bash(ls)", "Write(a)"]}}');
  const { status, stdout, stderr } = interlock('import', 'claude-code', settings);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /settings\.json:1:40 stricter: allow Write\(a\)/);
  assert.ok(stdout.includes(`project:\n    type: string\n    default: ${folder}\n`));

  const out = join(folder, 'spec.yaml');
  assert.equal(interlock('import', 'claude-code', settings, '--out', out, '--name', 'mine').stdout, '');
  assert.match(readFileSync(out, 'utf8'), /^name: mine$/m);
  const tested = interlock('spec', 'test', out);
  assert.equal(tested.status, 0, tested.stderr);
});

test('cedar: policies as a spec', () => {
  const policies = file(
    'p.cedar',
    'permit(principal, action == Action::"refund", resource == Gateway::"g") when { context.input.amount <= 500 };',
  );
  const out = join(folder, 'cedar.yaml');
  const { status, stderr } = interlock(
    'import',
    'cedar',
    policies,
    '--resource',
    'Gateway::"g"',
    '--out',
    out,
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(readFileSync(out, 'utf8'), /on: call refund\n {4}require: \(args\.amount \+ 0\) <= 500\n/);
  assert.equal(interlock('spec', 'test', out).status, 0);
  assert.match(interlock('import', 'cedar', policies).stderr, /p\.cedar:1:1 stricter: permit policy0/);
  assert.equal(interlock('import', 'cedar', policies, '--resource', 'g').status, 2);
  const bad = file('bad.cedar', 'permit(principal,\n  action resource);');
  assert.match(
    interlock('import', 'cedar', bad).stderr,
    /bad\.cedar:2:10 error syntax: expected `,`, found `resource`/,
  );
});

test('bad input has a place and exit code 1; a wrong command line has 2', () => {
  const bad = file('bad.json', '{"permissions": {"deny": "Bash"}}');
  const { status, stdout, stderr } = interlock('import', 'claude-code', bad);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /bad\.json:1:26 error type: `deny` is a list of rules/);
  assert.match(interlock('import', 'claude-cod', bad).stderr, /Did you mean "claude-code"\?/);
  assert.equal(interlock('import', 'claude-code').status, 2);
  assert.equal(interlock('import', 'claude-code', join(folder, 'none.json')).status, 2);
  assert.equal(interlock('import', '--help').status, 0);
});
