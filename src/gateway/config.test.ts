// The gateway file: the page's own example is one, and what is wrong is said with its place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { parseGateway, targetsOf } from './config.ts';

function problemsOf(text: string): string[] {
  const parsed = parseGateway(parse(text), {});
  return parsed.ok ? [] : parsed.problems.map(({ at, expected, found }) => `${at}: ${expected}, ${found}`);
}

describe('the gateway file', () => {
  it('is read as the page shows it', () => {
    const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
    const [, block] = /```yaml\n(gateway: 1\n[\s\S]*?)```/.exec(page)!;
    const parsed = parseGateway(parse(block!), { OPENAI_API_KEY: 'sk-ours' });
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const { upstreams, agent, holdMs, timeoutMs } = parsed.value;
    assert.deepEqual([agent, holdMs, timeoutMs], ['support-agent', 20_000, 600_000]);
    assert.equal(upstreams.get('openai')!.key, 'sk-ours');
    assert.equal(upstreams.get('anthropic')!.url, 'https://api.anthropic.com');
    const { targets } = targetsOf(parsed.value, upstreams.get('house')!, 'gpt-5');
    assert.deepEqual(
      targets.map(({ upstream, model }) => [upstream.name, model]),
      [
        ['openai', null],
        ['spare', 'gpt-like'],
      ],
    );
    assert.equal(
      targetsOf(parsed.value, upstreams.get('house')!, 'llama').targets[0]!.upstream.name,
      'house',
    );
  });

  it('says what is wrong, and where', () => {
    assert.deepEqual(problemsOf('gateway: 2'), ['/gateway: 1, the version of this form, the number 2']);
    assert.deepEqual(problemsOf('gateway: 1\nupstreams: { as: { protocol: openai, url: "http://x" } }'), [
      '/upstreams/as: a name of lower-case letters, digits, ., _ and -, "as"',
    ]);
    assert.deepEqual(problemsOf('gateway: 1\nupstreams: { openai: { key: { env: NOT_SET } } }'), [
      '/upstreams/openai/key/env: the variable NOT_SET with the key, nothing',
    ]);
    assert.deepEqual(problemsOf('gateway: 1\nupstreams: { openai: { key: sk-in-the-file } }'), [
      '/upstreams/openai/key: { env: NAME }, something else',
    ]);
    assert.deepEqual(
      problemsOf('gateway: 1\nupstreams: { x: { protocol: soap, url: "ftp://x" } }').length,
      2,
    );
    assert.deepEqual(problemsOf('gateway: 1\nroutes: [{ model: "a*", to: [openai, nowhere] }]'), [
      '/routes/0/to/1: one of openai, anthropic, gemini, "nowhere"',
      '/routes/0/to: upstreams of one protocol, several',
    ]);
    assert.deepEqual(
      problemsOf('gateway: 1\nroutes: [{ model: "a*", to: openai, on: [200, often] }]').length,
      2,
    );
    assert.deepEqual(problemsOf('gateway: 1\nhold: soon').length, 1);
    assert.deepEqual(problemsOf('gateway: 1\nupstream: {}').length, 1);
  });
});
