import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';
import { parseProposal, parseSessionInit } from './parse.ts';

test('a full proposal comes through unchanged', () => {
  const proposal = {
    id: 's-1',
    kind: 'tool.call',
    name: 'refund',
    callId: 'c-1',
    args: { order: 'A1', amount: 40.5, tags: ['a', null, true] },
    labels: ['customer-data'],
    attributes: { cwd: '/work', region: null },
    usage: { inputTokens: 3, outputTokens: 0 },
    parent: 's-0',
    agent: { name: 'support', version: '2' },
  };
  const parsed = parseProposal(proposal);
  assert.deepEqual(parsed, { ok: true, value: proposal });
  assert.ok(parsed.ok && Object.isFrozen(parsed.value.args));
});

test('a call without arguments has an empty object of them', () => {
  assert.deepEqual(parseProposal({ kind: 'tool.call', name: 'list' }), {
    ok: true,
    value: { kind: 'tool.call', name: 'list', args: {} },
  });
});

test('input and output need no name', () => {
  assert.deepEqual(parseProposal({ kind: 'input', content: 'hi' }), {
    ok: true,
    value: { kind: 'input', name: '', content: 'hi' },
  });
});

const wrong: [name: string, value: unknown, at: string, expected: RegExp, mend: RegExp][] = [
  ['a list', [], '', /an object/, /^$/],
  ['null', null, '', /an object/, /^$/],
  ['no kind', { name: 'x' }, '/kind', /step kind/, /One of input/],
  ['a misspelt kind', { kind: 'tool.cal', name: 'x' }, '/kind', /step kind/, /"tool.call"/],
  ['a kind of our own', { kind: 'approval', name: 'x' }, '/kind', /may propose/, /records this kind itself/],
  ['session.start', { kind: 'session.start' }, '/kind', /may propose/, /./],
  ['no name', { kind: 'tool.call' }, '/name', /not empty/, /^$/],
  ['an empty name', { kind: 'tool.call', name: '' }, '/name', /not empty/, /^$/],
  ['a control character', { kind: 'tool.call', name: 'a\u0000b' }, '/name', /control/, /^$/],
  ['a long name', { kind: 'tool.call', name: 'x'.repeat(201) }, '/name', /at most 200/, /^$/],
  ['a list of args', { kind: 'tool.call', name: 'x', args: [1] }, '/args', /object of named/, /^$/],
  ['args as text', { kind: 'tool.call', name: 'x', args: '{}' }, '/args', /object of named/, /^$/],
  ['a misspelt key', { kind: 'tool.call', name: 'x', arg: {} }, '/arg', /known key/, /"args"/],
  ['an unknown key', { kind: 'input', zzzzzzzzzz: 1 }, '/zzzzzzzzzz', /known key/, /Known keys: id/],
  ['content in structure', { kind: 'input', content: { a: 1 } }, '/content', /a string/, /"result"/],
  ['an error in text', { kind: 'tool.result', name: 'x', error: 'no' }, '/error', /an object/, /^$/],
  [
    'an error without message',
    { kind: 'tool.result', name: 'x', error: {} },
    '/error/message',
    /string/,
    /./,
  ],
  ['attributes in a list', { kind: 'input', attributes: ['a'] }, '/attributes', /named values/, /^$/],
  ['labels in text', { kind: 'input', labels: 'a' }, '/labels', /a list/, /^$/],
  ['a label of the wrong type', { kind: 'input', labels: ['a', 1] }, '/labels/1', /a string/, /^$/],
  [
    'half a token',
    { kind: 'input', usage: { inputTokens: 0.5 } },
    '/usage/inputTokens',
    /whole number/,
    /^$/,
  ],
  [
    'a deep wrong value',
    { kind: 'tool.call', name: 'x', args: { a: [{ b: Number.POSITIVE_INFINITY }] } },
    '/args/a/0/b',
    /finite/,
    /^$/,
  ],
];
for (const [name, value, at, expected, mend] of wrong) {
  test(`a proposal with ${name} is refused at ${at || 'the top'}`, () => {
    const parsed = parseProposal(value);
    assert.ok(!parsed.ok);
    const problem = parsed.problems.find((problem) => problem.at === at);
    assert.ok(problem, JSON.stringify(parsed.problems));
    assert.match(problem.expected, expected);
    assert.match(problem.mend ?? '', mend);
  });
}

test('every mistake is reported, not only the first', () => {
  const parsed = parseProposal({ kind: 'nope', labels: 1, parent: '' });
  assert.ok(!parsed.ok);
  assert.deepEqual(
    parsed.problems.map((problem) => problem.at),
    ['/kind', '/labels', '/parent'],
  );
});

test('a session needs an agent with a name', () => {
  assert.deepEqual(parseSessionInit({ agent: { name: 'a' }, principal: 'user:1', id: 's' }), {
    ok: true,
    value: { agent: { name: 'a' }, principal: 'user:1', id: 's' },
  });
  for (const value of [{}, { agent: 'a' }, { agent: {} }, { agent: { name: '' } }]) {
    const parsed = parseSessionInit(value);
    assert.ok(!parsed.ok);
    assert.ok(parsed.problems[0]!.at.startsWith('/agent'));
  }
});

test('nearest finds a slip and leaves a stranger alone', () => {
  assert.equal(nearest('contnet', ['content', 'result']), 'content');
  assert.equal(nearest('callid', ['callId']), 'callId');
  assert.equal(nearest('banana', ['content', 'result']), null);
});
