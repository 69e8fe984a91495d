import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HttpCall } from './call.ts';
import { matchPath, parsePattern, segmentsOf } from './path.ts';
import { questionOf } from './question.ts';
import { parseSettings } from './settings.ts';

const parsed = parseSettings({
  routes: [
    { path: '/mcp', protocol: 'mcp' },
    { path: '/a2a', protocol: 'a2a', agent: 'billing' },
    { path: '/orders/{id}/refund', tool: 'refund' },
    { path: '/files/**', host: 'files.example', pass: true },
  ],
});
assert.ok(parsed.ok);
const settings = parsed.value;

const call: HttpCall = {
  method: 'POST',
  scheme: 'https',
  host: 'api.example',
  target: '/',
  headers: new Map([['content-type', 'application/json']]),
  body: new Uint8Array(),
  isBodyCut: false,
  extensions: new Map(),
  peer: null,
};
const harmless = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'look' } });

test('whatever comes is an act, a part of the protocol, or refused; nothing throws', () => {
  const path = fc.constantFrom('/mcp', '/a2a', '/orders/7/refund', '/files/a', '/other');
  const body = fc.oneof(fc.json(), fc.constant(harmless), fc.string(), fc.constant('{"a":1,"a":2}'));
  const given = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'post', ''),
    target: fc.oneof(path, fc.webPath(), fc.string()),
    host: fc.string(),
    body: fc.oneof(
      body.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }),
    ),
    isBodyCut: fc.boolean(),
    type: fc.constantFrom('application/json', 'text/plain', 'application/x+json', ''),
  });
  fc.assert(
    fc.property(given, ({ type, ...more }) => {
      const headers = new Map([['content-type', type]]);
      const question = questionOf({ ...call, ...more, headers }, settings);
      assert.ok(['act', 'pass', 'wrong'].includes(question.t));
    }),
    { numRuns: 2_000 },
  );
});

test('a body that looks like a harmless call is decided as what its path does', () => {
  const body = Buffer.from(harmless);
  const elsewhere = questionOf({ ...call, target: '/admin/wipe', body }, settings);
  assert.equal(elsewhere.t === 'act' && elsewhere.proposal.name, 'http');
  const there = questionOf({ ...call, target: '/mcp', body }, settings);
  assert.equal(there.t === 'act' && there.proposal.name, 'look');
});

test('a route for one host does not match another', () => {
  const at = (host: string) => questionOf({ ...call, method: 'GET', target: '/files/a', host }, settings).t;
  assert.deepEqual([at('files.example'), at('FILES.example'), at('api.example')], ['pass', 'pass', 'act']);
});

test('a path that is taken is read by a server as it is read here', () => {
  const piece = fc.constantFrom('a', '..', '.', '%2e', '%2f', '%41', '', '/', '//', 'b%20c', ';v', '\\', 'é');
  const path = fc.oneof(
    fc.webPath(),
    fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('')}`),
  );
  fc.assert(
    fc.property(path, (text) => {
      const segments = segmentsOf(text);
      if (segments === null) return;
      // WHATWG URL removes dot segments and turns backslashes: neither may change what was taken.
      const { pathname } = new URL(text, 'http://host');
      if (text.startsWith('//')) assert.fail(text);
      assert.deepEqual(pathname.slice(1).split('/').map(decodeURIComponent), segments);
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern matches its segments, names its parameters, and nothing besides', () => {
  const cases: [pattern: string, path: string, found: object | null][] = [
    ['/a/{id}', '/a/7', { id: '7' }],
    ['/a/{id}', '/a/', null],
    ['/a/{id}', '/a/7/b', null],
    ['/a/{id}', '/a/b%20c', { id: 'b c' }],
    ['/a/**', '/a', {}],
    ['/a/**', '/a/b/c', {}],
    ['/a/**', '/ab', null],
    ['/a', '/A', null],
    ['/', '/', {}],
  ];
  for (const [pattern, path, found] of cases)
    assert.deepEqual(matchPath(parsePattern(pattern)!, segmentsOf(path)!), found, `${pattern} ${path}`);
});
