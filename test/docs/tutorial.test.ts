// The tutorial says what happens: each of its commands is run on its files, in their order, and prints what the page shows.
// `node test/docs/tutorial.test.ts --write` puts what they print now into the page.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blocksOf, fileName, runPage } from './run-page.ts';

const PAGE = join(import.meta.dirname, '../../docs/spec/tutorial.md');
/** A newcomer reads this many lines in a quarter of an hour, files and outputs among them. */
const LINES_MAX = 650;

function runTutorial(page: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-tutorial-'));
  try {
    return runPage(page, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const page = readFileSync(PAGE, 'utf8');
if (process.argv.includes('--write')) writeFileSync(PAGE, runTutorial(page));
else {
  test('every command prints what the page shows', { timeout: 120_000 }, () => {
    assert.equal(runTutorial(page), page);
  });

  test('every file is used by a command below it', () => {
    const blocks = blocksOf(page);
    for (const [i, block] of blocks.entries()) {
      const name = fileName(block);
      if (name === null) continue;
      const next = blocks.slice(i + 1).filter((other) => other.language === 'console');
      assert.ok(
        next.some((command) => command.lines[0]!.includes(name)),
        `${name}, line ${block.at + 1}`,
      );
    }
  });

  test('is read in a quarter of an hour', () => {
    assert.ok(page.split('\n').length <= LINES_MAX);
  });
}
