import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from './settings.ts';

test('a mistake says where it is and what was expected', () => {
  const wrong: [at: string, value: unknown][] = [
    ['/agnt', { agnt: [] }],
    ['/agent', { agent: 'peer' }],
    ['/agent/0', { agent: ['cookie:x'] }],
    ['/agent/0', { agent: ['header:a b'] }],
    ['/agent/0', { agent: ['value:'] }],
    ['/agent/0', { agent: ['peer:x'] }],
    ['/headers/0', { headers: [':path'] }],
    ['/routes/0/path', { routes: [{ path: 'mcp', protocol: 'mcp' }] }],
    ['/routes/0/path', { routes: [{ path: '/a/**/b', pass: true }] }],
    ['/routes/0/path', { routes: [{ path: '/{a}/{a}', pass: true }] }],
    ['/routes/0', { routes: [{ path: '/mcp' }] }],
    ['/routes/0', { routes: [{ path: '/mcp', protocol: 'mcp', tool: 'x' }] }],
    ['/routes/0', { routes: [{ path: '/mcp', protocol: 'soap' }] }],
    ['/routes/0', { routes: [{ path: '/mcp', pass: false }] }],
    ['/routes/0/agent', { routes: [{ path: '/mcp', protocol: 'mcp', agent: 'x' }] }],
    ['/routes/0/agent', { routes: [{ path: '/a', protocol: 'a2a' }] }],
  ];
  for (const [at, value] of wrong) {
    const parsed = parseSettings(value);
    assert.ok(!parsed.ok, JSON.stringify(value));
    assert.equal(parsed.problems[0]?.at, at, JSON.stringify(value));
  }
});

test('names of headers are taken without regard to case', () => {
  const parsed = parseSettings({ agent: ['header:X-Agent'], headers: ['X-A'], remove: ['X-B'] });
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value.agent, [{ from: 'header', name: 'x-agent' }]);
  assert.deepEqual([parsed.value.headers, parsed.value.remove], [['x-a'], ['x-b']]);
});
