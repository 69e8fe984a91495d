// The example of docs/decision-point.md, run as it stands but for the port; and its settings, parsed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { parseSettings } from '../../src/pdp/settings.ts';
import { withPoint } from './spec.ts';

const PAGE = readFileSync(new URL('../../docs/decision-point.md', import.meta.url), 'utf8');

function block(language: string): string {
  const found = PAGE.match(new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``));
  assert.ok(found);
  return found[1]!;
}

test('the curl command is answered as the page says', async (t) => {
  const { point } = await withPoint(t);
  const command = block('sh').replace('localhost:9192', `127.0.0.1:${point.httpPort}`);
  const { stdout } = await promisify(execFile)('bash', ['-c', command]);
  const expected = JSON.parse(block('json'));
  const answer = JSON.parse(stdout);
  assert.equal(answer.decision, expected.decision);
  assert.equal(answer.context.verdict, expected.context.verdict);
  assert.equal(answer.context.reason, expected.context.reason);
});

test('the settings on the page are settings', () => {
  const parsed = parseSettings(parse(block('yaml')));
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.routes.map(({ as }) => as),
    ['mcp', 'a2a', 'tool', 'pass'],
  );
});
