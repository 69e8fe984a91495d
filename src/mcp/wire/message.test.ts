import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INVALID_PARAMS, INVALID_REQUEST, idKey, PARSE_ERROR, readMessage } from './message.ts';

test('each kind of message is read', () => {
  const kinds = [
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', 'request'],
    ['{"jsonrpc":"2.0","method":"notifications/initialized"}', 'notification'],
    ['{"jsonrpc":"2.0","id":"a","result":{}}', 'result'],
    ['{"jsonrpc":"2.0","id":"a","error":{"code":-1,"message":"no"}}', 'error'],
    ['{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}}', 'error'],
  ] as const;
  for (const [text, kind] of kinds) {
    const read = readMessage(text);
    assert.ok(read.ok, text);
    assert.equal(read.message.t, kind);
  }
});

test('what two readers could read differently is refused', () => {
  const refused = [
    ['{"jsonrpc":"2.0","id":1,', PARSE_ERROR],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{}}', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":null,"method":"tools/call"}', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1e300,"method":"tools/call"}', INVALID_REQUEST],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', INVALID_PARAMS],
    ['"text"', INVALID_REQUEST],
  ] as const;
  for (const [text, code] of refused) {
    const read = readMessage(text);
    assert.equal(read.ok ? 'read' : read.unreadable.code, code, text);
  }
});

test('the id of a refused request is kept, to answer it', () => {
  const read = readMessage('{"jsonrpc":"2.0","id":7,"method":"tools/call","Params":{}}');
  assert.equal(read.ok ? null : read.unreadable.id, 7);
});

test('a number and a text are two ids', () => {
  assert.notEqual(idKey(1), idKey('1'));
});
