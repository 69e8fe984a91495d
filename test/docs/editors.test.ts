// The page on editors shows what the YAML language server answers, in a project where the package is installed.
// `node test/docs/editors.test.ts --write` puts what it answers now into the page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { LanguageClient } from './language-client.ts';
import { type Block, blocksOf, fileName } from './run-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/spec/editors.md');
const SCHEMA = 'schema/spec.schema.json';
const SHOWN_COMPLETIONS = 100;

/** The page with the server's answers as they are now: each ```text block says in its first line what is asked. */
async function answered(page: string): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), 'interlock-editors-'));
  const folder = join(project, 'node_modules/interlock/schema');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(ROOT, SCHEMA), join(folder, 'spec.schema.json'));
  const client = await LanguageClient.start();
  try {
    const out = page.split('\n');
    let moved = 0;
    const files = new Map<string, string>();
    for (const block of blocksOf(page)) {
      const name = fileName(block);
      if (name !== null) files.set(name, block.lines.join('\n'));
      if (block.language !== 'text') continue;
      const shown = [block.lines[0]!, ...(await ask(client, project, files, block))];
      out.splice(block.at + 1 + moved, block.lines.length, ...shown);
      moved += shown.length - block.lines.length;
    }
    return out.join('\n');
  } finally {
    await client.stop();
    rmSync(project, { recursive: true, force: true });
  }
}

async function ask(
  client: LanguageClient,
  project: string,
  files: ReadonlyMap<string, string>,
  block: Block,
): Promise<string[]> {
  const question = block.lines[0]!;
  const name = question.split(' ').at(-1)!;
  const text = files.get(name);
  if (text === undefined) throw new Error(`line ${block.at + 2}: there is no file ${name} above`);
  writeFileSync(join(project, name), text);
  const { uri, diagnostics } = await client.open(relative(ROOT, join(project, name)), text);
  const lines = text.split('\n');
  if (question.startsWith('# errors in '))
    return diagnostics.map(
      ({ message, range: { start } }) => `${start.line + 1}:${start.character + 1} ${message}`,
    );
  if (question.startsWith('# completion at the end of ')) {
    const position = { line: lines.length - 1, character: lines.at(-1)!.length };
    const found = (await client.request('textDocument/completion', {
      textDocument: { uri },
      position,
    })) as { items: { label: string }[] };
    return wrapped(found.items.slice(0, SHOWN_COMPLETIONS).map((item) => item.label));
  }
  const word = question.split(' ')[3]!;
  const line = lines.findIndex((candidate) => candidate.includes(`${word}:`));
  const hover = (await client.request('textDocument/hover', {
    textDocument: { uri },
    position: { line, character: lines[line]!.indexOf(word) + 1 },
  })) as { contents: { value: string } };
  return hover.contents.value
    .replaceAll('\\', '')
    .replaceAll('#### ', '')
    .split('\n')
    .filter((part) => part !== '' && !part.startsWith('```') && !part.startsWith('Source: '));
}

/** A list in lines of at most 100 characters. */
function wrapped(labels: readonly string[]): string[] {
  const lines = [''];
  for (const label of labels) {
    const longer = lines.at(-1) === '' ? label : `${lines.at(-1)}  ${label}`;
    if (longer.length <= 100) lines[lines.length - 1] = longer;
    else lines.push(label);
  }
  return lines;
}

const page = readFileSync(PAGE, 'utf8');
if (process.argv.includes('--write')) writeFileSync(PAGE, await answered(page));
else {
  test('the language server answers what the page shows', { timeout: 60_000 }, async () => {
    assert.equal(await answered(page), page);
  });

  test('`interlock spec schema` prints it', () => {
    const { stdout } = spawnSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'spec', 'schema']);
    assert.equal(stdout.toString(), readFileSync(join(ROOT, SCHEMA), 'utf8'));
  });

  test('the schema is in the package, at the path that the page names', () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
    assert.ok(files.includes('schema'));
    assert.ok(page.includes(`./node_modules/interlock/${SCHEMA}`));
  });
}
