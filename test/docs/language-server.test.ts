// The schema in the real YAML language server, as VS Code runs it: errors, completion, hover.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FOLDER } from './cookbook-page.ts';
import { LanguageClient } from './language-client.ts';

/** As the tutorial explains it, with the path from docs/spec to the schema. */
const HEAD = '# yaml-language-server: $schema=../../schema/spec.schema.json\n';

describe('yaml-language-server', { timeout: 60_000 }, () => {
  let client: LanguageClient;
  before(async () => {
    client = await LanguageClient.start();
  });
  after(() => client.stop());

  async function complete(path: string, text: string): Promise<string[]> {
    const { uri } = await client.open(path, text);
    const lines = text.split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1)!.length };
    const found = (await client.request('textDocument/completion', {
      textDocument: { uri },
      position,
    })) as { items: { label: string }[] };
    return found.items.map((item) => item.label);
  }

  test('finds nothing wrong with the recipes', async () => {
    for (const name of ['refund-four-eyes', 'checkout-order', 'ledger-entry-follows']) {
      const text = readFileSync(join(FOLDER, `${name}.yaml`), 'utf8');
      const { diagnostics } = await client.open(`docs/spec/copy-of-${name}.yaml`, HEAD + text);
      assert.deepEqual(diagnostics, []);
    }
  });

  test('underlines a misspelt key of a rule', async () => {
    const text = `${HEAD}interlock: 1\nname: x\nrules:\n  - id: a\n    on: call refund\n    deny: true\n    becuase: no\n`;
    const { diagnostics } = await client.open('docs/spec/misspelt.yaml', text);
    assert.deepEqual(
      diagnostics.map(({ message, range }) => [message, range.start]),
      [['Property becuase is not allowed.', { line: 7, character: 4 }]],
    );
  });

  test('underlines a word that is none of its set', async () => {
    const { diagnostics } = await client.open(
      'docs/spec/word.yaml',
      `${HEAD}interlock: 1\nname: x\nmode: strict\n`,
    );
    assert.equal(diagnostics.length, 1);
    assert.equal(diagnostics[0]!.range.start.line, 3);
  });

  test('completes the keys of a rule', async () => {
    const labels = await complete(
      'docs/spec/keys.yaml',
      `${HEAD}interlock: 1\nname: x\nrules:\n  - id: a\n    on: call refund\n    `,
    );
    for (const key of ['require', 'deny', 'hold', 'limit', 'because', 'otherwise', 'when'])
      assert.ok(labels.includes(key), `${key} in ${labels.join(', ')}`);
    assert.ok(!labels.includes('tools'), 'a key of the spec is no key of a rule');
  });

  test('completes the words of a key', async () => {
    const labels = await complete('docs/spec/words.yaml', `${HEAD}interlock: 1\nname: x\nmode: `);
    for (const word of ['shadow', 'warn', 'enforce']) assert.ok(labels.includes(word), labels.join(', '));
  });

  test('explains a key on hover', async () => {
    const { uri } = await client.open(
      'docs/spec/hover.yaml',
      `${HEAD}interlock: 1\nname: x\ndefault: deny\n`,
    );
    const hover = await client.request('textDocument/hover', {
      textDocument: { uri },
      position: { line: 3, character: 2 },
    });
    assert.match(JSON.stringify(hover), /no contract and no rule covers/);
  });
});
