// Every recipe checks without a remark, does what its examples say, and is on the page as it is in its file.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { STATE_BOUNDS } from '../../src/cli/spec/bounds.ts';
import { compileSpecFile } from '../../src/cli/spec.ts';
import { runSpecTests } from '../../src/replay/spec-tests.ts';
import { analyzeSpec } from '../../src/spec/analysis/index.ts';
import { toJson } from '../../src/spec/source.ts';
import { FOLDER, GROUPS, PAGE, readRecipe, renderPage } from './cookbook-page.ts';

const files = readdirSync(FOLDER).sort();
const listed = GROUPS.flatMap((group) => group.recipes);

test('there are thirty recipes and more, each in one group', () => {
  assert.ok(files.length >= 30);
  assert.deepEqual(files, listed.map((name) => `${name}.yaml`).sort());
});

test('the page is what the recipes make (node test/docs/cookbook-page.ts --write)', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), renderPage());
});

/** Verdicts that the examples of a spec expect. */
function expected(tests: unknown): string[] {
  const found: string[] = [];
  for (const { steps } of tests as { steps: { expect?: string }[] }[])
    for (const { expect } of steps) if (expect !== undefined) found.push(expect);
  return found;
}

for (const name of listed) {
  const file = join(FOLDER, `${name}.yaml`);
  describe(name, () => {
    const { text, result } = compileSpecFile(file);

    test('checks without a remark and says what it is', () => {
      assert.deepEqual(result.problems, []);
      assert.ok(result.ok && result.spec.name === name);
      const findings = analyzeSpec(text, { file }, STATE_BOUNDS)?.findings ?? [];
      assert.deepEqual(
        findings.filter((finding) => finding.severity === 'warning'),
        [],
      );
      const { title, about, rules } = readRecipe(name);
      assert.ok(title.length > 10 && about.length > 60, 'a title and what it keeps');
      assert.match(rules, /^(checks|let|rules):/);
      for (const rule of result.spec.program.rules) assert.notEqual(rule.because, '', rule.id);
    });

    test('allows, refuses, and has every rule fire', () => {
      assert.ok(result.ok && result.spec.tests !== null);
      const report = runSpecTests(result.spec, file, text);
      assert.deepEqual(report.problems, []);
      const failed = report.results.filter((example) => example.failures.length > 0);
      assert.deepEqual(failed, []);
      assert.deepEqual(report.silent, []);
      const verdicts = expected(toJson(result.spec.tests));
      assert.ok(verdicts.includes('allow'), 'something is allowed');
      assert.ok(verdicts.filter((verdict) => verdict !== 'allow').length >= 2, 'something is refused, twice');
      assert.ok(report.results.length >= 2);
    });
  });
}
