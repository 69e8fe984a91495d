// What a chat transcript becomes, and that nothing in it is lost, trusted or joined by mistake.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { importChat } from './chat.ts';
import type { ImportedSession } from './types.ts';

const WHERE = { file: 'log.jsonl', line: 3 };

function imported(record: unknown): ImportedSession {
  const result = importChat(typeof record === 'string' ? record : JSON.stringify(record), WHERE);
  assert.ok(result.session !== null, JSON.stringify(result.problems));
  return result;
}

const call = (id: string | undefined, name: string, args: unknown) => ({
  ...(id === undefined ? {} : { id }),
  type: 'function',
  function: { name, arguments: args },
});

describe('chat transcripts', () => {
  test('roles become kinds, in order, with start and end', () => {
    const session = imported({
      id: 'a/1',
      agent: 'demo',
      domain: 'shop',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Where is order 7?' },
        { role: 'assistant', content: 'Looking.', tool_calls: [call('c1', 'get_order', '{"id": 7}')] },
        { role: 'tool', tool_call_id: 'c1', content: 'status: sent\ntotal: 12.5\n' },
        { role: 'assistant', content: 'It is on its way.' },
      ],
      labels: { clean: true },
    });
    assert.deepEqual(
      session.steps.map(({ kind, name, content, args, result }) => [
        kind,
        name,
        content ?? args ?? null,
        result,
      ]),
      [
        ['session.start', '', null, undefined],
        ['input', 'system', 'Be kind.', undefined],
        ['input', 'system', 'Be brief.', undefined],
        ['input', 'user', 'Where is order 7?', undefined],
        ['output', '', 'Looking.', undefined],
        ['tool.call', 'get_order', { id: 7 }, undefined],
        ['tool.result', 'get_order', 'status: sent\ntotal: 12.5\n', { status: 'sent', total: 12.5 }],
        ['output', '', 'It is on its way.', undefined],
        ['session.end', '', null, undefined],
      ],
    );
    assert.deepEqual(session.messageIndex, [null, 0, 1, 2, 3, 3, 4, 5, null]);
    assert.deepEqual(session.extra, { domain: 'shop', labels: { clean: true } });
    assert.deepEqual(
      session.steps.map((step) => step.seq),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(session.steps[1]!.time - session.steps[0]!.time, 1000);
    assert.equal(session.steps[6]!.parent, session.steps[5]!.id);
    assert.deepEqual(session.steps[5]!.agent, { name: 'demo' });
    assert.deepEqual(session.problems, []);
  });

  test('a result goes to the nearest earlier unanswered call of its id', () => {
    const session = imported({
      id: 'x',
      agent: 'a',
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('c', 'first', '{}'), call('d', 'other', '{}')],
        },
        { role: 'tool', tool_call_id: 'd', content: 'for other' },
        { role: 'tool', tool_call_id: 'c', content: 'for first' },
        { role: 'assistant', content: null, tool_calls: [call('c', 'never', '{}')] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('c', 'second', '{}'), call('c', 'third', '{}')],
        },
        { role: 'tool', tool_call_id: 'c', content: 'for second' },
        { role: 'tool', tool_call_id: 'c', content: 'for third' },
      ],
    });
    const results = session.steps.filter((step) => step.kind === 'tool.result');
    assert.deepEqual(
      results.map(({ name, content }) => [name, content]),
      [
        ['other', 'for other'],
        ['first', 'for first'],
        ['second', 'for second'],
        ['third', 'for third'],
      ],
    );
    const calls = session.steps.filter((step) => step.kind === 'tool.call');
    assert.equal(
      new Set(calls.map((step) => step.callId)).size,
      calls.length,
      'call ids are unique in a session',
    );
    for (const result of results) {
      const answered = calls.find((step) => step.callId === result.callId);
      assert.equal(answered?.name, result.name);
    }
    assert.deepEqual(
      session.callIds.filter((id) => id !== null),
      ['c', 'd', 'd', 'c', 'c', 'c', 'c', 'c', 'c'],
    );
  });

  test('arguments that cannot be read in one way are kept as text and said to be malformed', () => {
    const texts = ['{"to": ', '["x"]', '"text"', '{"to": "a", "to": "b"}', 'null x'];
    for (const text of texts) {
      const session = imported({
        id: 'x',
        messages: [{ role: 'assistant', tool_calls: [call('c', 'pay', text)] }],
      });
      const step = session.steps[1]!;
      assert.deepEqual(
        [step.kind, step.args, step.content, step.error?.type],
        ['tool.call', {}, text, 'malformed-arguments'],
      );
    }
  });

  test('absent and empty arguments are no arguments; objects are taken as they are', () => {
    for (const args of [undefined, null, '', '{}', {}]) {
      const session = imported({
        id: 'x',
        messages: [{ role: 'assistant', tool_calls: [call('c', 'pay', args)] }],
      });
      assert.deepEqual(session.steps[1]!.args, {});
      assert.equal(session.steps[1]!.error, undefined);
    }
    const session = imported({
      id: 'x',
      messages: [{ role: 'assistant', tool_calls: [call('c', 'pay', { a: [1] })] }],
    });
    assert.deepEqual(session.steps[1]!.args, { a: [1] });
  });

  test('an error text is an error and no structure', () => {
    for (const content of ['ERROR: ValueError: no such file', 'Error: no seats']) {
      const session = imported({
        id: 'x',
        messages: [
          { role: 'assistant', tool_calls: [call('c', 'f', '{}')] },
          { role: 'tool', tool_call_id: 'c', content },
        ],
      });
      const result = session.steps[2]!;
      assert.equal(result.error?.type, 'tool-error');
      assert.equal(result.result, undefined);
      assert.equal(result.content, content);
    }
  });

  test('older and newer shapes: function_call, content parts, Responses items', () => {
    const session = imported({
      id: 'x',
      agent: { name: 'a', version: '2' },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: {} },
          ],
        },
        { role: 'assistant', content: null, function_call: { name: 'old', arguments: '{"a": 1}' } },
        { role: 'function', name: 'old', content: '1' },
        { type: 'function_call', call_id: 'r1', name: 'new', arguments: '{}' },
        { type: 'function_call_output', call_id: 'r1', output: '{"ok": true}' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] },
      ],
    });
    assert.deepEqual(
      session.steps.slice(1, -1).map(({ kind, name, content, result }) => [kind, name, content, result]),
      [
        ['input', 'user', 'look\n[image_url]', undefined],
        ['tool.call', 'old', undefined, undefined],
        ['tool.result', 'old', '1', 1],
        ['tool.call', 'new', undefined, undefined],
        ['tool.result', 'new', '{"ok": true}', { ok: true }],
        ['output', '', 'done', undefined],
      ],
    );
    assert.equal(session.agent.version, '2');
  });

  test('recorded times are kept and never go back', () => {
    const session = imported({
      id: 'x',
      messages: [
        { role: 'user', content: 'a', timestamp: '2026-03-01T10:00:00Z' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c', timestamp: '2026-03-01T09:59:00Z' },
        { role: 'user', content: 'd', timestamp: 1772360400 },
      ],
    });
    const start = Date.UTC(2026, 2, 1, 10);
    assert.deepEqual(
      session.steps.map((step) => step.time - start),
      [0, 0, 0, 0, 20 * 60_000, 20 * 60_000],
    );
  });

  test('what is wrong is said with its place, and the rest goes on', () => {
    const session = imported({
      messages: [
        'text',
        { role: 'narrator', content: 'Once' },
        { role: 'tool', tool_call_id: 'ghost', content: '7' },
        { role: 'assistant', tool_calls: [call('c', '', '{}'), 'nonsense'] },
        { role: 'user', content: 'half \ud83d' },
      ],
    });
    assert.equal(session.session, 'log:3');
    assert.equal(session.problems.length, 6);
    for (const problem of session.problems) {
      assert.deepEqual([problem.file, problem.line], ['log.jsonl', 3]);
      assert.notEqual(problem.mend, '');
    }
    const narrator = session.steps[1]!;
    assert.deepEqual(
      [narrator.kind, narrator.name],
      ['retrieval', 'other'],
      'an unknown role is not the user',
    );
    assert.equal(session.steps.at(-2)!.content, 'half \ufffd');
  });

  test('a line that is no record is a problem with its column', () => {
    for (const [line, expected] of [
      ['{"messages": [}', /column 15/],
      ['[]', /not a JSON object/],
      ['{"id": 1}', /no "messages" list/],
    ] as const) {
      const result = importChat(line, WHERE);
      assert.equal(result.session, null);
      assert.match(result.problems[0]!.what, expected);
      assert.equal(result.problems[0]!.line, 3);
    }
  });

  test('any messages at all give gapless steps with unique ids, and every call is there', () => {
    const text = fc.option(fc.oneof(fc.string(), fc.constantFrom('Error: x', 'a: 1\nb: 2')), { nil: null });
    const id = fc.constantFrom('c', 'd', '', null, 7);
    const message = fc.oneof(
      fc.record({
        role: fc.constantFrom('user', 'system', 'assistant', 'tool', 'robot'),
        content: text,
        tool_call_id: id,
      }),
      fc.record({
        role: fc.constant('assistant'),
        tool_calls: fc.array(
          fc.record({ id, function: fc.record({ name: fc.constantFrom('f', '', 'g'), arguments: text }) }),
          { maxLength: 3 },
        ),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const session = imported({ id: 'x', agent: 'a', messages });
        const { steps } = session;
        assert.deepEqual(
          steps.map((step) => step.seq),
          [...steps.keys()],
        );
        assert.equal(new Set(steps.map((step) => step.id)).size, steps.length);
        assert.equal(steps[0]!.kind, 'session.start');
        assert.equal(steps.at(-1)!.kind, 'session.end');
        assert.equal(session.messageIndex.length, steps.length);
        assert.equal(session.callIds.length, steps.length);
        const made = messages.flatMap((m) =>
          m !== null && typeof m === 'object' && 'tool_calls' in m && Array.isArray(m.tool_calls)
            ? m.tool_calls
            : [],
        );
        assert.equal(steps.filter((step) => step.kind === 'tool.call').length, made.length);
      }),
    );
  });
});
