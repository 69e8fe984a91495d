// The Python client and its adapters: the scenarios of test/adapters against the real server and the real libraries, and its types.
// Skipped, and said so, where there is no Python or the libraries cannot be had.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findPython } from '../python.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIBRARIES = ['langchain==1.4.7', 'langchain-openai==1.7.3', 'openai-agents==0.24.0', 'mypy==2.4.1'];
const MODULES = ['langchain', 'langchain_openai', 'agents', 'mypy'];
const run = promisify(execFile);

test('the Python adapters do what every adapter does', { timeout: 180_000 }, async (t) => {
  const found = await findPython(LIBRARIES, MODULES);
  if ('why' in found) return t.skip(found.why);
  const script = join(import.meta.dirname, 'conformance.py');
  // unittest reports on stderr, and exits with 1 when something failed.
  const { stderr } = await run(found.python, ['-W', 'ignore', script, process.execPath, ROOT]);
  assert.match(stderr, /^Ran 49 tests/m);
  assert.match(stderr, /^OK \(skipped=7\)$/m);
});

test('the Python client is typed throughout', { timeout: 120_000 }, async (t) => {
  const found = await findPython(LIBRARIES, MODULES);
  if ('why' in found) return t.skip(found.why);
  const { stdout } = await run(found.python, ['-m', 'mypy', '--cache-dir', '/dev/null', 'src'], {
    cwd: join(ROOT, 'clients', 'python'),
  });
  assert.match(stdout, /no issues found/);
});
