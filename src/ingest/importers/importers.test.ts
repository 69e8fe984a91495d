// The coding-agent logs and our own export; and how a format is told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { detectFormat } from './detect.ts';
import { type ImportedSession, importRecord } from './index.ts';
import { formatRecording, type Recording, readRecording } from './interlock.ts';

const lines = (...events: unknown[]) =>
  events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))).join('\n');
const event = (type: string, content: unknown, more: object = {}, message: object = {}) => ({
  type,
  sessionId: 's1',
  version: '2.0.0',
  timestamp: '2026-01-01T10:00:00.000Z',
  message: { role: type, content, ...message },
  ...more,
});

describe('Claude Code logs', () => {
  test('blocks become steps; what the person did not write is not the user', () => {
    const log = lines(
      { type: 'summary', summary: 'A summary', leafUuid: 'x' },
      event('user', 'Fix the test'),
      event(
        'assistant',
        [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'I will look.' },
        ],
        {},
        { id: 'm1', model: 'big', usage: { input_tokens: 5, output_tokens: 2 } },
      ),
      event(
        'assistant',
        [{ type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'npm test' } }],
        {},
        { id: 'm1', usage: { input_tokens: 5, output_tokens: 2 } },
      ),
      event('user', [
        { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'boom' }], is_error: true },
      ]),
      event('user', 'The rules are below.', { isMeta: true }),
      event('user', '<local-command-stdout>secret</local-command-stdout>'),
      event('user', 'Look into a.ts', { isSidechain: true }),
      event('assistant', [{ type: 'tool_use', id: 't2', name: 'Read', input: { file: 'a.ts' } }], {
        isSidechain: true,
      }),
      event('user', [{ type: 'tool_result', tool_use_id: 't2', content: 'text' }], {
        isSidechain: true,
        toolUseResult: { lines: 3 },
      }),
    );
    const [session, ...others] = importRecord('claude-code', log, {
      file: 'log.jsonl',
      line: 1,
    }) as ImportedSession[];
    assert.deepEqual(others, []);
    assert.deepEqual(
      session!.steps.map(({ kind, name, agent }) => [kind, name, agent?.name]),
      [
        ['session.start', '', 'claude-code'],
        ['input', 'user', 'claude-code'],
        ['model.response', 'big', 'claude-code'],
        ['output', '', 'claude-code'],
        ['tool.call', 'Bash', 'claude-code'],
        ['tool.result', 'Bash', 'claude-code'],
        ['retrieval', 'harness', 'claude-code'],
        ['retrieval', 'harness', 'claude-code'],
        ['retrieval', 'agent', 'claude-code/sidechain'],
        ['tool.call', 'Read', 'claude-code/sidechain'],
        ['tool.result', 'Read', 'claude-code/sidechain'],
        ['session.end', '', 'claude-code'],
      ],
    );
    assert.deepEqual(session!.steps[5]!.error, { message: 'boom', type: 'tool-error' });
    assert.deepEqual(session!.steps[10]!.result, { lines: 3 });
    assert.deepEqual(
      session!.steps.map((step) => step.usage).filter((usage) => usage !== undefined),
      [{ inputTokens: 5, outputTokens: 2 }],
      'a message over two lines is counted once',
    );
    assert.equal(session!.steps[1]!.time, Date.UTC(2026, 0, 1, 10));
  });

  test('broken lines are problems with their line; sessions of one file are told apart', () => {
    const log = lines(
      event('user', 'a'),
      '{broken',
      '42',
      { silly: 1 },
      event('user', undefined),
      event('user', 'b', { sessionId: 's2' }),
      event('user', ['x']),
    );
    const imports = importRecord('claude-code', log, { file: 'log.jsonl', line: 1 });
    assert.deepEqual(
      imports.map((item) => item.session),
      ['s1', 's2', null],
    );
    assert.deepEqual(
      imports.flatMap((item) => item.problems.map((problem) => problem.line)).sort(),
      [2, 3, 4, 5, 7],
    );
  });
});

describe('SWE-agent trajectories', () => {
  test('actions are calls of their first word, observations their results', () => {
    const trajectory = [
      { thought: 'List.', action: 'ls -la\n', observation: 'a.ts\n' },
      { thought: '', action: '', observation: 'Your command was empty.' },
      { response: 'Edit.', action: 'edit 1:1\nx\nend_of_edit', observation: '' },
      'nonsense',
    ];
    const history = [
      { role: 'system', content: 'You are a programmer.' },
      { role: 'user', content: 'A demonstration', is_demo: true },
      { role: 'user', content: 'Fix issue 7' },
      { role: 'assistant', content: 'List.' },
      { role: 'user', content: 'a.ts' },
    ];
    const [session] = importRecord(
      'swe-agent',
      JSON.stringify({ environment: 'e', trajectory, history, info: { exit_status: 'done' } }),
      { file: '/x/fix-7.traj', line: 1 },
    ) as ImportedSession[];
    assert.equal(session!.session, 'fix-7');
    assert.deepEqual(
      session!.steps.slice(1, -1).map(({ kind, name, args, content }) => [kind, name, args ?? content]),
      [
        ['input', 'system', 'You are a programmer.'],
        ['input', 'system', 'A demonstration'],
        ['input', 'user', 'Fix issue 7'],
        ['model.response', 'swe-agent', 'List.'],
        ['tool.call', 'ls', { command: 'ls -la\n' }],
        ['tool.result', 'ls', 'a.ts\n'],
        ['retrieval', 'harness', 'Your command was empty.'],
        ['model.response', 'swe-agent', 'Edit.'],
        ['tool.call', 'edit', { command: 'edit 1:1\nx\nend_of_edit' }],
        ['tool.result', 'edit', ''],
      ],
    );
    assert.deepEqual(session!.extra, { environment: 'e', info: { exit_status: 'done' } });
    assert.equal(session!.problems.length, 1);
  });
});

describe('our own export', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const recording: Recording = {
    session: 's',
    agent: { name: 'a' },
    spec: { digest, name: 'demo', canonical: '{}' },
    noSpec: null,
    steps: [
      { id: 's0', session: 's', seq: 0, time: 5, kind: 'session.start', name: '', agent: { name: 'a' } },
      {
        id: 's1',
        session: 's',
        seq: 1,
        time: 6,
        kind: 'tool.call',
        name: 'f',
        callId: 'c',
        args: { x: [1, null] },
        labels: ['l'],
      },
    ],
    decisions: [0, 1].map((seq) => ({
      session: 's',
      seq,
      step: `s${seq}`,
      verdict: 'allow',
      wouldBe: 'allow',
      mode: 'enforce',
      rules: [],
      witness: [],
      spec: digest,
      engine: '0',
    })),
    stepDigests: [digest, digest],
    stateDigests: [digest, digest],
  };
  const where = { file: 'x.jsonl', line: 1 };

  test('what is written is read back whole', () => {
    const read = readRecording(formatRecording(recording), where);
    assert.ok(read.ok);
    assert.deepEqual(read.recording, recording);
    const [imported] = importRecord('interlock', formatRecording(recording), where) as ImportedSession[];
    assert.deepEqual(imported!.steps, recording.steps);
    assert.deepEqual(imported!.callIds, [null, 'c']);
  });

  test('a part that is not what it should be refuses the whole, and says which', () => {
    const damaged: [object, RegExp][] = [
      [{ interlock: 2 }, /"interlock" is 2/],
      [{ steps: [] }, /no "steps"/],
      [{ steps: [recording.steps[1], recording.steps[0]] }, /step 0: "seq" is 1/],
      [{ steps: [{ ...recording.steps[0], kind: 'dance' }, recording.steps[1]] }, /step 0: the kind "dance"/],
      [{ steps: [{ ...recording.steps[0], session: 't' }, recording.steps[1]] }, /another session/],
      [{ steps: [{ ...recording.steps[0], colour: 'red' }, recording.steps[1]] }, /step 0: \/colour/],
      [{ decisions: [] }, /"decisions"/],
      [{ stateDigests: [digest, 'sha256:no'] }, /"stateDigests"/],
      [{ spec: null }, /"noSpec"/],
    ];
    for (const [change, expected] of damaged) {
      const read = readRecording(JSON.stringify({ interlock: 1, ...recording, ...change }), where);
      assert.ok(!read.ok);
      assert.match(read.problem.what, expected);
    }
  });
});

test('a format is told by the first line and the name', () => {
  const told: [string, string, string | null][] = [
    ['{"id": "x", "messages": []}', 'a.jsonl', 'chat'],
    ['{"interlock": 1, "session": "x"}', 'a.jsonl', 'interlock'],
    ['{"type": "summary"}', 'a.jsonl', 'claude-code'],
    ['{', 'a.traj', 'swe-agent'],
    ['{"trajectory": []}', 'a.json', 'swe-agent'],
    ['{"other": 1}', 'a.jsonl', null],
    ['not json', 'a.jsonl', null],
    ['null', 'a.jsonl', null],
  ];
  for (const [line, name, format] of told) assert.equal(detectFormat(line, name), format, line);
});
