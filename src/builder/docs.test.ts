// The programs in docs/spec/builder.md run as they stand there, and what they build checks and passes its examples.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runSpecTests } from '../replay/spec-tests.ts';
import { compileSpec } from '../spec/index.ts';
import type { SpecBuilder } from './index.ts';

const page = readFileSync('docs/spec/builder.md', 'utf8');
const programs = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

test('every program builds a spec that checks', async (t) => {
  assert.ok(programs.length >= 2);
  const folder = mkdtempSync(join(tmpdir(), 'builder-'));
  t.after(() => rmSync(folder, { recursive: true }));
  t.mock.method(console, 'log', () => undefined);
  for (const [i, code] of programs.entries()) {
    const file = join(folder, `program${i}.ts`);
    const door = pathToFileURL('src/builder/index.ts').href;
    writeFileSync(file, code.replaceAll("'interlock/spec'", `'${door}'`));
    const built = Object.values(await import(pathToFileURL(file).href)) as SpecBuilder<never, never, never>[];
    assert.equal(built.length, 1);
    const text = built[0]!.toYaml();
    const result = compileSpec(text);
    assert.deepEqual(result.problems, []);
    assert.ok(result.ok);
    const report = runSpecTests(result.spec, file, text);
    assert.deepEqual(
      report.results.flatMap((example) => example.failures),
      [],
    );
  }
});
