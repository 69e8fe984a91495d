import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSpecFile, readBeside } from './spec-files.ts';

test('a spec imports files beside it and packs by name, and the whole is one spec', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'interlock-specs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'app'));
  writeFileSync(
    join(dir, 'base.yaml'),
    'interlock: 1\nname: base\ntools: { ping: { effect: read } }\nrules: [{ id: once, on: call ping, limit: { count: 1 } }]\n',
  );
  const file = join(dir, 'app', 'spec.yaml');
  writeFileSync(file, 'interlock: 1\nname: app\nimports: [../base.yaml, "pack:banking"]\n');
  const spec = await loadSpecFile(file);
  assert.match(spec.canonical, /"once"/);
  assert.match(spec.canonical, /"as":"banking"/);
});

test('a pack is a name, not a path', () => {
  assert.equal(readBeside('spec.yaml', 'pack:../package'), null);
  assert.equal(readBeside('spec.yaml', 'pack:nowhere'), null);
});
