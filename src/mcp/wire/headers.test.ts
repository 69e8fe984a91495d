import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeValue, encodeValue, mirrorArguments, mismatch, toClient, toServer } from './headers.ts';
import { readMessage } from './message.ts';

function call(name: string, version = '2026-07-28') {
  const _meta = { 'io.modelcontextprotocol/protocolVersion': version };
  const read = readMessage(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta } }),
  );
  assert.ok(read.ok);
  return read.message;
}

test('a header that names another tool than the body is a mismatch', () => {
  const version = { 'mcp-protocol-version': '2026-07-28' };
  assert.equal(mismatch({ ...version, 'mcp-method': 'tools/call', 'mcp-name': 'pay' }, call('pay')), null);
  assert.match(mismatch({ ...version, 'mcp-name': 'look' }, call('pay')) ?? '', /Mcp-Name/);
  assert.match(mismatch({ ...version, 'mcp-method': 'ping' }, call('pay')) ?? '', /Mcp-Method/);
  assert.match(mismatch({ 'mcp-protocol-version': '2025-11-25' }, call('pay')) ?? '', /Version/);
  assert.equal(mismatch({ ...version, 'mcp-name': encodeValue('größe') }, call('größe')), null);
});

test('a value survives its header', () => {
  assert.equal(encodeValue('us-west1'), 'us-west1');
  assert.equal(encodeValue('Hello, 世界'), '=?base64?SGVsbG8sIOS4lueVjA==?=');
  assert.equal(encodeValue('=?base64?literal?='), '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const value = text.toWellFormed();
      const header = encodeValue(value);
      assert.match(header, /^[\t\x20-\x7e]*$/);
      assert.equal(decodeValue(header), value);
    }),
  );
});

test('rewritten arguments are mirrored as the schema says, and old mirrors are gone', () => {
  const inputSchema = {
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { properties: { n: { type: 'integer', 'x-mcp-header': 'N' } } },
      gone: { type: 'string', 'x-mcp-header': 'Gone' },
    },
  };
  const headers: OutgoingHttpHeaders = { 'mcp-param-region': 'us', 'mcp-param-gone': 'x', accept: '*/*' };
  mirrorArguments(headers, inputSchema, { region: 'eu', deep: { n: 3 } });
  assert.deepEqual(headers, { 'mcp-param-region': 'eu', 'mcp-param-n': '3', accept: '*/*' });
});

test('nothing that leads past the proxy reaches the client, and its own headers do not reach the server', () => {
  assert.deepEqual(toClient({ location: 'http://elsewhere', 'mcp-session-id': 's', connection: 'close' }), {
    'mcp-session-id': 's',
  });
  const sent = toServer(
    { host: 'proxy', authorization: 'Bearer client', 'x-interlock-session': 's', 'accept-encoding': 'gzip' },
    { Authorization: 'Bearer held' },
  );
  assert.deepEqual(sent, { authorization: 'Bearer held', 'accept-encoding': 'identity' });
});
