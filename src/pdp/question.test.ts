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

test('no method but those that do nothing goes past what a body asks for', () => {
  const body = Buffer.from(harmless);
  for (const method of ['PUT', 'PATCH', 'post', 'QUERY'])
    for (const target of ['/mcp', '/a2a'])
      assert.notEqual(
        questionOf({ ...call, method, target, body }, settings).t,
        'pass',
        `${method} ${target}`,
      );
  for (const method of ['GET', 'DELETE', 'OPTIONS'])
    assert.equal(questionOf({ ...call, method, target: '/mcp' }, settings).t, 'pass', method);
});

test('a key that a server which ignores case takes for a known one is no question', () => {
  for (const message of [
    { params: { name: 'look', Arguments: { force: true } } },
    { params: { name: 'look', arguments: {} }, Params: { name: 'wipe' } },
    { Params: { name: 'wipe' }, params: { name: 'look' } },
  ]) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', ...message }));
    const question = questionOf({ ...call, target: '/mcp', body }, settings);
    assert.equal(question.t, 'wrong', JSON.stringify(message));
  }
  const renamed = { jsonrpc: '2.0', id: 1, Method: 'tools/call', result: {}, params: { name: 'wipe' } };
  const body = Buffer.from(JSON.stringify(renamed));
  assert.equal(questionOf({ ...call, target: '/mcp', body }, settings).t, 'wrong');
});

test('a host is the same with its port and with the dot of its root', () => {
  const given = parseSettings({
    routes: [
      { path: '/**', host: 'mcp.example', protocol: 'mcp' },
      { path: '/**', host: 'own.example:8443', tool: 'own' },
      { path: '/**', pass: true },
    ],
  });
  assert.ok(given.ok);
  const body = Buffer.from(harmless);
  const name = (host: string) => {
    const question = questionOf({ ...call, host, body }, given.value);
    return question.t === 'act' ? question.proposal.name : question.t;
  };
  for (const host of ['mcp.example', 'mcp.example:80', 'MCP.example.', 'mcp.example.:443'])
    assert.equal(name(host), 'look', host);
  assert.deepEqual(
    [name('own.example:8443'), name('own.example:1'), name('[::1]:80')],
    ['own', 'pass', 'pass'],
  );
});
