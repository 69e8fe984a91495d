// The door with a real engine: what becomes of events, what is remembered, what is said when nothing can be decided. What the
// agents make of the answers is tried with the agents themselves (test/coding-agents).
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Engine, StepRow } from '../engine/types.ts';
import { openEngine } from '../sdk/open.ts';
import { loadSpecObject } from '../sdk/spec-files.ts';
import type { JsonObject } from '../step/types.ts';
import { createHookDoor, DIALECTS } from './door.ts';
import { givenOf, TEXT_MAX } from './fields.ts';
import { AGENTS, type AgentName, type Outcome } from './types.ts';

const SPEC = parse(`
interlock: 1
name: hooks
default: allow
tools: { Bash: { effect: execute }, run_shell_command: { effect: execute }, pick: { effect: read } }
rules:
  - { id: in-place, on: call Bash, require: 'path.within(attributes.cwd, attributes.workspace)' }
  - { id: planning, on: call Bash, deny: 'has(attributes.mode) && attributes.mode == "plan"', mode: warn, because: It is planning. }
  - { id: lean, on: call pick, transform: { drop: [args.secret] } }
  - id: checked
    after: call Bash
    when: args.command == "edit"
    then: call Bash
    where: then.args.command == "check"
    before: { event: end }
    because: Check it.
  - { id: over, on: input, deny: content == "halt", otherwise: halt }
`) as object;

async function open(t: TestContext) {
  const failures: unknown[] = [];
  const engine = await openEngine({
    dataDir: null,
    specs: [loadSpecObject(SPEC)],
    withoutSpec: 'deny',
    log: () => {},
  });
  t.after(() => engine.close());
  return { engine, failures, ...doorOn(engine, failures) };
}

function doorOn(engine: Engine, failures: unknown[]) {
  const door = createHookDoor({
    engine,
    admit: (key, init) => (key === 'wrong' ? { message: 'no such key' } : { ...init, principal: 'user:ann' }),
    holdWaitMs: 0,
    onFailure: (error) => failures.push(error),
  });
  async function post(agent: AgentName, body: object, key: string | null = null): Promise<JsonObject> {
    const { status, body: answer } = await door(`/hooks/${agent}`, body, key);
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  }
  return { door, post };
}

const at = (hook_event_name: string, more: object = {}) => ({
  session_id: 's',
  cwd: '/work/shop',
  hook_event_name,
  ...more,
});
const bash = (command: string, more: object = {}) =>
  at('PreToolUse', { tool_name: 'Bash', tool_input: { command }, tool_use_id: `id-${command}`, ...more });

async function stepsOf(engine: Engine, session = 's'): Promise<StepRow['step'][]> {
  return (await engine.steps(session, { from: 0, limit: 100 })).steps.map(({ step }) => step);
}

test('the workspace is the folder that a session began in, after a restart too', async (t) => {
  const { engine, failures, post } = await open(t);
  assert.deepEqual(await post('claude-code', at('SessionStart')), {});
  assert.deepEqual(await post('claude-code', bash('ls')), {});
  const elsewhere = { cwd: '/etc' };
  assert.match(JSON.stringify(await post('claude-code', bash('ls /', elsewhere))), /"deny".*in-place/);
  const again = doorOn(engine, failures);
  assert.match(JSON.stringify(await again.post('claude-code', bash('ls //', elsewhere))), /"deny".*in-place/);
  assert.deepEqual(await again.post('claude-code', bash('ls ./', { cwd: '/work/shop/web' })), {});
  const calls = (await stepsOf(engine)).filter(({ kind }) => kind === 'tool.call');
  assert.deepEqual(
    calls.map(({ attributes }) => attributes?.workspace),
    calls.map(() => '/work/shop'),
  );
  assert.deepEqual(failures, []);
});

test('a sub-agent acts in the session under its own name; what reports for it is no user', async (t) => {
  const { engine, post } = await open(t);
  await post('claude-code', bash('ls', { agent_id: 'a1', agent_type: 'Explore' }));
  await post(
    'claude-code',
    at('UserPromptSubmit', { prompt: '<task-notification>\n<result>do as I say</result>' }),
  );
  await post('claude-code', at('UserPromptSubmit', { prompt: 'go on' }));
  const [, call, told, asked] = await stepsOf(engine);
  assert.equal(call!.agent?.name, 'claude-code/Explore');
  assert.deepEqual([told!.kind, told!.name], ['tool.result', 'Agent']);
  assert.deepEqual([asked!.kind, asked!.name, asked!.content], ['input', 'user', 'go on']);
});

test('results are joined to their calls where an agent gives no ids, parallel ones too', async (t) => {
  const { engine, post } = await open(t);
  const call = (command: string) => ({ tool_name: 'run_shell_command', tool_input: { command } });
  for (const command of ['a', 'b', 'a']) await post('gemini-cli', at('BeforeTool', call(command)));
  for (const command of ['b', 'a', 'a'])
    await post(
      'gemini-cli',
      at('AfterTool', { ...call(command), tool_response: { llmContent: `of ${command}` } }),
    );
  const steps = await stepsOf(engine);
  const ids = (kind: string, command: string) =>
    steps
      .filter(
        (step) => step.kind === kind && (step.args?.command === command || step.content === `of ${command}`),
      )
      .map(({ callId }) => callId);
  for (const command of ['a', 'b']) assert.deepEqual(ids('tool.result', command), ids('tool.call', command));
  assert.equal(new Set(steps.flatMap(({ callId }) => callId ?? [])).size, 3);
});

test('an agent that owes is sent back as often as is sensible, and told what', async (t) => {
  const { engine, post } = await open(t);
  await post('codex', bash('edit'));
  const stop = at('Stop', { last_assistant_message: 'Done.', stop_hook_active: true });
  const because = 'You are not done. Before you stop:\nCheck it. (rule checked)';
  for (let i = 0; i < 8; i++) {
    const answer = await post('codex', stop);
    assert.equal(answer.decision, 'block');
    assert.equal(
      String(answer.reason).startsWith('You are not done. Before you stop:\nCheck it.'),
      true,
      because,
    );
  }
  assert.deepEqual(Object.keys(await post('codex', stop)), ['systemMessage']);
  // Its own words of a moment ago are not the user's.
  const { reason } = await post('codex', stop);
  await post('codex', at('UserPromptSubmit', { prompt: reason }));
  assert.equal((await stepsOf(engine)).at(-1)!.name, 'system');
  await post('codex', bash('check'));
  assert.deepEqual(await post('codex', stop), {});
});

test('a warning is told and nothing else; a halt ends every agent’s session in its words', async (t) => {
  const { post } = await open(t);
  const warned = await post('claude-code', bash('ls', { permission_mode: 'plan' }));
  assert.match(JSON.stringify(warned), /additionalContext":"Interlock warns: It is planning/);
  assert.doesNotMatch(JSON.stringify(warned), /permissionDecision/);
  const halted = await post('claude-code', at('UserPromptSubmit', { prompt: 'halt' }));
  assert.deepEqual([halted.continue, halted.decision], [false, 'block']);
  const after = await post('claude-code', bash('ls', { tool_use_id: 'later' }));
  assert.equal((after.hookSpecificOutput as JsonObject).permissionDecision, 'deny');
  assert.equal(after.continue, false);
});

test('a rewrite that takes an argument out is a refusal where the agent cannot make it', async (t) => {
  const { post } = await open(t);
  const pick = { tool_name: 'pick', tool_input: { id: 1, secret: 'x' } };
  const rewritten = await post('claude-code', at('PreToolUse', { ...pick, tool_use_id: 'p' }));
  assert.deepEqual(rewritten, {
    hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput: { id: 1 } },
  });
  const { decision } = await post('gemini-cli', { ...at('BeforeTool', pick), session_id: 'g' });
  assert.equal(decision, 'deny');
});

test('what cannot be read, opened or decided does not run', async (t) => {
  const { engine, failures, door, post } = await open(t);
  const denied = async (body: object, key: string | null = null) =>
    assert.match(JSON.stringify(await post('claude-code', body, key)), /"permissionDecision":"deny"/);
  await denied(at('PreToolUse', { tool_name: 'Bash' }));
  await denied({ ...bash('ls'), cwd: 'relative' });
  await denied({ ...bash('ls'), session_id: 7 });
  await denied(bash('ls'), 'wrong');
  await post('claude-code', bash('ls'));
  // The session is another agent's.
  assert.match(JSON.stringify(await post('codex', bash('ls'))), /"permissionDecision":"deny"/);
  assert.deepEqual((await door('/hooks/claude-code', [], null)).status, 400);
  assert.deepEqual((await door('/hooks/toString', {}, null)).status, 404);
  assert.deepEqual(failures, []);
  await engine.close();
  await denied(bash('ls'));
  assert.equal((await post('claude-code', at('PostToolUse', { tool_name: 'Bash' }))).continue, false);
  assert.deepEqual(Object.keys(await post('claude-code', at('Stop'))), ['systemMessage']);
});

test('no answer to a call but a refusal takes the agent’s own question to its user away', () => {
  const outcomes: Outcome[] = [
    { t: 'pass' },
    { t: 'tell', text: 'x' },
    { t: 'rewrite', args: {}, dropped: false },
    { t: 'let-go', because: 'x' },
  ];
  for (const outcome of outcomes) {
    const said = JSON.stringify(DIALECTS['claude-code'].write(outcome, 'PreToolUse'));
    assert.doesNotMatch(said, /permissionDecision|"decision"|continue/);
    // Codex has one form for a rewrite, and leaves its sandbox and its rules in force under it.
    if (outcome.t !== 'rewrite')
      assert.doesNotMatch(
        JSON.stringify(DIALECTS.codex.write(outcome, 'PreToolUse')),
        /permissionDecision|continue/,
      );
    assert.doesNotMatch(
      JSON.stringify(DIALECTS['gemini-cli'].write(outcome, 'BeforeTool')),
      /"decision"|continue/,
    );
  }
});

/** Every field that Codex takes before a tool; one more and it runs the tool whatever the answer says. */
const CODEX_FIELDS = ['decision', 'reason', 'systemMessage', 'hookSpecificOutput'];
const CODEX_OWN = [
  'hookEventName',
  'permissionDecision',
  'permissionDecisionReason',
  'updatedInput',
  'additionalContext',
];

test('Codex is never told in words that it does not take', () => {
  for (const t of ['pass', 'tell', 'deny', 'rewrite', 'halt', 'withhold', 'go-on', 'let-go'] as const) {
    const outcome = { t, because: 'b', text: 'b', args: {}, dropped: true } as Outcome;
    const answer = DIALECTS.codex.write(outcome, 'PreToolUse');
    assert.deepEqual(
      Object.keys(answer).filter((key) => !CODEX_FIELDS.includes(key)),
      [],
    );
    const own = (answer.hookSpecificOutput ?? {}) as JsonObject;
    assert.deepEqual(
      Object.keys(own).filter((key) => !CODEX_OWN.includes(key)),
      [],
    );
    if (own.permissionDecision === 'allow') assert.ok(own.updatedInput);
  }
});

test('whatever a tool gave becomes a step, cut where it is long', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const given = givenOf(value as JsonObject);
      assert.ok(
        JSON.stringify(given).length <= JSON.stringify({ content: value, result: value }).length + 200,
      );
    }),
  );
  const { content } = givenOf('x'.repeat(TEXT_MAX + 5));
  assert.ok(content!.endsWith(`[cut: ${TEXT_MAX + 5} characters]`) && content!.length < TEXT_MAX + 50);
  const wide = givenOf(Array.from({ length: 1_000_000 }, () => 1));
  assert.ok((wide.result as unknown[]).length < 500_000);
  let deep: JsonObject = {};
  for (let i = 0; i < 10_000; i++) deep = { deep };
  assert.ok(JSON.stringify(givenOf(deep)).includes('too deep'));
});

test('random events are answered, and never let a call through that was not read', async (t) => {
  const { post } = await open(t);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...AGENTS),
      fc.record(
        {
          session_id: fc.oneof(fc.constant('r'), fc.jsonValue()),
          cwd: fc.oneof(fc.constant('/w'), fc.jsonValue()),
          tool_name: fc.oneof(fc.constant('Bash'), fc.jsonValue()),
          tool_input: fc.jsonValue(),
          tool_use_id: fc.jsonValue(),
          tool_response: fc.jsonValue(),
          prompt: fc.jsonValue(),
          permission_mode: fc.jsonValue(),
          agent_type: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
      fc.constantFrom(
        'PreToolUse',
        'BeforeTool',
        'PostToolUse',
        'AfterTool',
        'Stop',
        'UserPromptSubmit',
        'Other',
      ),
      async (agent, fields, hook_event_name) => {
        const answer = JSON.stringify(await post(agent, { ...fields, hook_event_name }));
        const call = hook_event_name === (agent === 'gemini-cli' ? 'BeforeTool' : 'PreToolUse');
        const whole =
          typeof fields.tool_input === 'object' &&
          fields.tool_input !== null &&
          !Array.isArray(fields.tool_input);
        if (call && !whole) assert.match(answer, /"deny"/);
      },
    ),
    { numRuns: 300 },
  );
});
