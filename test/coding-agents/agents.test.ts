// Claude Code, Codex and Gemini CLI themselves, with a scripted model, under hooks that `interlock hook install` put there.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AGENTS, type AgentName } from '../../src/coding-agents/types.ts';
import { call, calls, says } from '../gateway/scripted-model.ts';
import { installAgents, openStage, type Stage } from './stage.ts';

const SPEC = join(import.meta.dirname, 'spec.yaml');
const TIMEOUT = { timeout: 120_000 };
const why = await installAgents();

/** A shell command, as the model of the agent would call for it. */
function shell(agent: AgentName, command: string) {
  switch (agent) {
    case 'claude-code':
      return calls(call('Bash', { command, description: 'as told' }));
    case 'codex':
      return calls(call('exec_command', { cmd: command }));
    case 'gemini-cli':
      return calls(call('run_shell_command', { command }));
  }
}

for (const agent of AGENTS) {
  describe(agent, { skip: why ?? false }, () => {
    let stage: Stage;
    before(async () => {
      stage = await openStage(SPEC, agent, '--hold-wait', '4');
    });
    after(() => stage.close());
    const sh = (command: string) => shell(agent, command);

    test('what is allowed runs, and stands in the record with what it gave', TIMEOUT, async () => {
      stage.model.play([sh('echo hi > made.txt; echo printed'), says('Made it.')]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('made.txt'), 'hi', out);
      const { sessions } = (await stage.get('/v1/sessions')) as {
        sessions: { id: string; agent: { name: string }; principal: string }[];
      };
      assert.equal(sessions[0]!.agent.name, agent);
      assert.match(sessions[0]!.principal, /^user:/);
      const { steps } = (await stage.get(`/v1/sessions/${sessions[0]!.id}/steps`)) as {
        steps: { step: { kind: string; content?: string; callId?: string; attributes?: object } }[];
      };
      assert.deepEqual(
        steps.map(({ step }) => step.kind),
        ['session.start', 'input', 'tool.call', 'tool.result', 'output'],
      );
      const [, input, made, result, output] = steps.map(({ step }) => step);
      assert.equal(input!.content, 'Go.');
      assert.match(result!.content ?? '', /printed/);
      assert.equal(result!.callId, made!.callId);
      assert.match(output!.content ?? '', /Made it/);
      const { cwd, workspace } = made!.attributes as { cwd: string; workspace: string };
      assert.deepEqual([cwd, workspace], [stage.project, stage.project]);
    });

    test('what is denied does not run, and the model reads why and what to do', TIMEOUT, async () => {
      stage.model.play([sh('touch empty.txt')]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('empty.txt'), null, out);
      assert.match(stage.told(), /Empty files are not made\. Write something with echo\./);
    });

    test('what is rewritten runs as it was rewritten', TIMEOUT, async () => {
      stage.model.play([sh('loud > made.txt')]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('made.txt'), 'quiet', out);
    });

    test('what is held waits for a person, and an approval is good for one call', TIMEOUT, async () => {
      const asked = sh('echo asked >> asked.txt');
      stage.model.play([asked, asked]);
      const running = stage.agent(agent);
      await stage.answerHold('approve');
      await stage.answerHold('refuse');
      const { out } = await running;
      assert.equal(stage.read('asked.txt'), 'asked', out);
      assert.match(stage.told(), /\(developer\) refused/);
    });

    test(
      'what nobody answers in time does not run, and the model is told to come back',
      TIMEOUT,
      async () => {
        stage.model.play([sh('echo asked > late.txt')]);
        const { out } = await stage.agent(agent);
        assert.equal(stage.read('late.txt'), null, out);
        assert.match(stage.told(), /A person must approve it/);
      },
    );

    test('it does not stop while something is owed, and hears what', TIMEOUT, async () => {
      stage.model.play([
        sh('echo edit > made.txt'),
        says('Done.'),
        sh('echo verify > verified.txt'),
        says('Now.'),
      ]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('verified.txt'), 'verify', out);
      assert.match(stage.told(), /You are not done\. Before you stop:\\nWhat was edited is verified\./);
    });

    test('an agent that will not do what it owes is let go in the end', TIMEOUT, async () => {
      stage.model.play([sh('echo edit > made.txt')]);
      const before = stage.model.requests.length;
      await stage.agent(agent);
      const asked = stage.model.requests.length - before;
      assert.ok(asked >= 4 && asked < 20, `${asked} requests`);
    });

    test('what came out and may not be seen is not seen, and the session is over', TIMEOUT, async () => {
      stage.model.play([sh('printf SECRET-%s 4711'), sh('echo hi > after.txt')]);
      const { out } = await stage.agent(agent);
      const seen = stage.model.requests.map(({ outputs }) => JSON.stringify(outputs)).join();
      assert.doesNotMatch(seen, /SECRET-4711/, out);
      assert.equal(stage.read('after.txt'), null, out);
    });

    test('a resident process that was killed is started again', TIMEOUT, async () => {
      rmSync(join(stage.project, 'made.txt'), { force: true });
      process.kill(stage.resident().pid, 'SIGKILL');
      stage.model.play([sh('echo hi > made.txt'), sh('touch empty.txt')]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('made.txt'), 'hi', out);
      assert.equal(stage.read('empty.txt'), null, out);
    });

    test('where nobody can answer nothing runs', TIMEOUT, async () => {
      rmSync(join(stage.project, 'made.txt'), { force: true });
      process.kill(stage.resident().pid, 'SIGKILL');
      writeFileSync(join(stage.home, '.interlock/hook/config.json'), '{');
      stage.model.play([sh('echo hi > made.txt')]);
      const { out } = await stage.agent(agent);
      assert.equal(stage.read('made.txt'), null, out);
      rmSync(join(stage.home, '.interlock/hook/interlock-hook.sh'));
      await stage.agent(agent);
      assert.equal(stage.read('made.txt'), null);
    });
  });
}
