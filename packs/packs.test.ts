// Every pack checks, its examples hold, and every rule of it fires in some example.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatSpec } from '../src/cli/spec/format.ts';
import { compileSpecFile } from '../src/cli/spec.ts';
import { runSpecTests } from '../src/replay/spec-tests.ts';

const root = import.meta.dirname;
const packs = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

test('there are packs', () => assert.deepEqual(packs.sort(), ['airline', 'banking', 'coding', 'workspace']));

for (const name of packs) {
  const file = join(root, name, `${name}.yaml`);

  test(`${name} checks without a remark`, () => {
    const { result } = compileSpecFile(file);
    assert.deepEqual(result.problems, []);
    assert.ok(result.ok && result.spec.name === name);
  });

  test(`${name} does what its examples say, and each rule is in one`, () => {
    const { text, result } = compileSpecFile(file);
    assert.ok(result.ok);
    const report = runSpecTests(result.spec, file, text);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(
      report.results.filter(({ failures }) => failures.length > 0),
      [],
    );
    assert.deepEqual(report.silent, []);
  });

  test(`${name} says why and what else to do`, () => {
    const { result } = compileSpecFile(file);
    assert.ok(result.ok);
    for (const rule of result.spec.program.rules) assert.notEqual(rule.because, '', rule.id);
  });
}

test('packs, examples and recipes are in the canonical layout (interlock spec fmt)', () => {
  const files = globSync('{packs/*,examples/*,docs/spec/cookbook}/*.yaml', { cwd: join(root, '..') });
  assert.ok(files.length > 35);
  for (const file of files) {
    const text = readFileSync(join(root, '..', file), 'utf8');
    assert.deepEqual(formatSpec(text), { text }, file);
  }
});
