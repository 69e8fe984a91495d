// `interlock hook` and the program that agents start, without an agent: settings, the resident process, refusals.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { AGENTS } from '../../src/coding-agents/types.ts';

const ROOT = join(import.meta.dirname, '../..');
const base = mkdtempSync(join(tmpdir(), 'interlock-hook-'));
after(async () => {
  for (let i = 0; i < homes; i++) await interlock(join(base, `home-${i}`), ['hook', 'uninstall']);
  rmSync(base, { recursive: true, force: true });
});
let homes = 0;

function newHome(): string {
  const home = join(base, `home-${homes++}`);
  for (const folder of ['.claude', '.codex', '.gemini']) mkdirSync(join(home, folder), { recursive: true });
  return home;
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(home: string, program: string, args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: home,
      // No agent is on this path: what a version says is not known.
      env: { HOME: home, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, NO_COLOR: '1' },
    });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said.err += text;
    });
    child.stdin.on('error', () => {});
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
    child.stdin.end(input);
  });
}

function interlock(home: string, args: readonly string[]): Promise<Ran> {
  return start(home, process.execPath, [join(ROOT, 'bin/interlock.js'), ...args]);
}

const hookHome = (home: string) => join(home, '.interlock/hook');

/** As an agent starts it: by the line in its settings. */
function hook(home: string, agent: string, event: object): Promise<Ran> {
  const file = {
    'claude-code': '.claude/settings.json',
    codex: '.codex/hooks.json',
    'gemini-cli': '.gemini/settings.json',
  };
  const { hooks } = JSON.parse(readFileSync(join(home, file[agent as keyof typeof file]), 'utf8'));
  const { hook_event_name: name } = event as { hook_event_name: string };
  return start(home, 'bash', ['-c', hooks[name].at(-1).hooks[0].command], JSON.stringify(event));
}

function event(name: string, command: string, session = 's1') {
  return {
    session_id: session,
    cwd: '/work',
    hook_event_name: name,
    tool_name: name === 'BeforeTool' ? 'run_shell_command' : 'Bash',
    tool_input: { command },
    tool_use_id: `id-${command}`,
  };
}

const install = (home: string, ...args: string[]) =>
  interlock(home, ['hook', 'install', '--process', '--port', '0', ...args]);

test('install leaves all that stands in the settings, once, and uninstall leaves them as they were', async () => {
  const home = newHome();
  const file = join(home, '.claude/settings.json');
  const own = { hooks: [{ type: 'command', command: 'say done' }] };
  const before = `${JSON.stringify({ model: 'm', hooks: { Stop: [own], Other: [] }, permissions: { deny: ['Bash(rm *)'] } }, null, 4)}\n`;
  writeFileSync(file, before, { mode: 0o640 });
  const first = await install(home);
  assert.equal(first.code, 0, first.err);
  const once = readFileSync(file, 'utf8');
  assert.equal((await install(home)).code, 0);
  assert.equal(readFileSync(file, 'utf8'), once);
  const settings = JSON.parse(once);
  assert.deepEqual(settings.permissions, { deny: ['Bash(rm *)'] });
  assert.deepEqual(settings.hooks.Stop[0], own);
  assert.equal(settings.hooks.Stop.length, 2);
  assert.equal(settings.hooks.PreToolUse[0].hooks[0].onFailure, 'block');
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.equal(statSync(join(hookHome(home), 'config.json')).mode & 0o777, 0o600);
  assert.equal(statSync(hookHome(home)).mode & 0o777, 0o700);
  for (const agent of ['.codex/hooks.json', '.gemini/settings.json'])
    assert.match(readFileSync(join(home, agent), 'utf8'), /interlock-hook\.sh/);
  assert.equal((await interlock(home, ['hook', 'uninstall'])).code, 0);
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.equal(readFileSync(join(home, '.codex/hooks.json'), 'utf8'), '{}\n');
});

test('settings that are a link stay one; settings with comments are left alone and said', async () => {
  const home = newHome();
  const dotfiles = join(home, 'dotfiles.json');
  writeFileSync(dotfiles, '{}\n');
  symlinkSync(dotfiles, join(home, '.claude/settings.json'));
  assert.equal((await install(home, 'claude-code')).code, 0);
  assert.ok(lstatSync(join(home, '.claude/settings.json')).isSymbolicLink());
  assert.match(readFileSync(dotfiles, 'utf8'), /interlock-hook/);

  const commented = '{\n  // mine\n  "ui": {}\n}\n';
  writeFileSync(join(home, '.gemini/settings.json'), commented);
  const refused = await install(home, 'gemini-cli');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /settings\.json:2:3: .*--print/s);
  assert.equal(readFileSync(join(home, '.gemini/settings.json'), 'utf8'), commented);
});

test('a spec that does not check is not installed, and nothing is written', async () => {
  const home = newHome();
  writeFileSync(join(home, 'bad.yaml'), 'interlock: 1\nname: bad\nrules: [{ id: a }]\n');
  const refused = await install(home, '--spec', 'bad.yaml');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /bad\.yaml:3/);
  assert.throws(() => readFileSync(join(home, '.claude/settings.json')), /ENOENT/);
});

test('--print writes nothing; --project writes there', async () => {
  const home = newHome();
  const printed = await install(home, 'codex', '--print');
  assert.match(printed.out, /hooks\.json\n\{\n {2}"hooks"/);
  assert.throws(() => readFileSync(join(home, '.codex/hooks.json')), /ENOENT/);
  const project = join(home, 'project');
  mkdirSync(project);
  assert.equal((await install(home, 'codex', '--project', project)).code, 0);
  assert.match(readFileSync(join(project, '.codex/hooks.json'), 'utf8'), /interlock-hook/);
  assert.throws(() => readFileSync(join(home, '.codex/hooks.json')), /ENOENT/);
});

test('every agent is answered in its words, by one resident process that the first of many hooks starts', async () => {
  const home = newHome();
  assert.equal((await install(home)).code, 0);
  const all = await Promise.all(
    Array.from({ length: 6 }, (_, i) => hook(home, 'codex', event('PreToolUse', `ls ${i}`, `s${i}`))),
  );
  assert.deepEqual(
    all.map(({ code, out }) => [code, out]),
    all.map(() => [0, '{}']),
  );
  const log = readFileSync(join(hookHome(home), 'resident.log'), 'utf8');
  assert.equal(log.match(/answers on/g)?.length, 1, log);

  const because = 'Denied by Interlock: This would ruin the machine. (rule no-ruin)';
  const claude = await hook(home, 'claude-code', event('PreToolUse', 'rm -rf /', 'c'));
  const denied = {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason: because,
  };
  assert.deepEqual(JSON.parse(claude.out), { hookSpecificOutput: denied });
  const gemini = await hook(home, 'gemini-cli', event('BeforeTool', 'rm -rf /', 'g'));
  assert.deepEqual(JSON.parse(gemini.out), { decision: 'deny', reason: because });

  const tried = await interlock(home, ['hook', 'test', 'codex', 'rm -rf /']);
  assert.equal(tried.code, 1);
  assert.match(tried.out, /^may not run {2}rm -rf \/ .*ruin the machine/s);
  assert.equal((await interlock(home, ['hook', 'test', 'codex', 'ls'])).code, 0);
});

test('what cannot be decided is refused in each agent’s words, and keeps no agent from stopping', async () => {
  const home = newHome();
  assert.equal((await install(home)).code, 0);
  writeFileSync(join(hookHome(home), 'config.json'), 'not JSON');
  for (const agent of AGENTS) {
    const { code, out } = await hook(
      home,
      agent,
      event(agent === 'gemini-cli' ? 'BeforeTool' : 'PreToolUse', 'ls'),
    );
    assert.equal(code, 0);
    assert.match(out, /"(permissionDecision|decision)":"deny"/);
    assert.match(out, /could not decide/);
    const stop = await hook(home, agent, {
      ...event('Stop', ''),
      hook_event_name: agent === 'gemini-cli' ? 'AfterAgent' : 'Stop',
    });
    assert.deepEqual(Object.keys(JSON.parse(stop.out)), ['systemMessage']);
  }
  // Without its program the line of the settings itself refuses: exit code 2, and words that the agents want with it.
  renameSync(join(hookHome(home), 'interlock-hook.sh'), join(hookHome(home), 'gone'));
  for (const agent of AGENTS) {
    const name = agent === 'gemini-cli' ? 'BeforeTool' : 'PreToolUse';
    const { code, err } = await hook(home, agent, event(name, 'ls'));
    assert.equal(code, 2);
    assert.match(err, /nothing is allowed/);
  }
});

test('an answer that does not come, breaks off or is none is a refusal, and nothing is asked twice', async () => {
  const home = newHome();
  assert.equal((await install(home, 'codex')).code, 0);
  let asked = 0;
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end('{}'),
    (response) => response.destroy(),
    (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"hookSpec');
      setTimeout(() => response.destroy(), 50);
    },
  ];
  const server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => answers[asked - 1]!(response));
  });
  await new Promise<void>((resolve) => server.listen(join(hookHome(home), 'socket'), resolve));
  try {
    for (let i = 1; i <= answers.length; i++) {
      const { code, out } = await hook(home, 'codex', event('PreToolUse', 'ls'));
      assert.equal(code, 0);
      assert.equal(JSON.parse(out).hookSpecificOutput.permissionDecision, 'deny');
      assert.equal(asked, i);
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('what is told reaches the door byte for byte', async () => {
  const home = newHome();
  assert.equal((await install(home, 'codex')).code, 0);
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      seen.push(text);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(join(hookHome(home), 'socket'), resolve));
  try {
    for (const command of [
      'echo "$HOME" `id` \\n %s \'$(ls)\'',
      '-n @/etc/passwd',
      'ä€🙂\u0000\t',
      'x'.repeat(3_000_000),
    ]) {
      const { out } = await hook(home, 'codex', event('PreToolUse', command));
      assert.equal(out, '{}');
      assert.equal(JSON.parse(seen.at(-1)!).tool_input.command, command);
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a server elsewhere decides, with the key, and its absence is a refusal', async () => {
  const home = newHome();
  const installed = await interlock(home, ['hook', 'install', 'codex', '--server', 'http://127.0.0.1:9']);
  assert.equal(installed.code, 0, installed.err);
  const { out } = await hook(home, 'codex', event('PreToolUse', 'ls'));
  assert.match(out, /"permissionDecision":"deny".*ECONNREFUSED/);
});

test('status says what is missing', async () => {
  const home = newHome();
  const none = await interlock(home, ['hook', 'status', 'gemini-cli']);
  assert.equal(none.code, 1);
  assert.match(none.out, /NOT GUARDED.*not installed/s);
  await install(home, 'gemini-cli', 'claude-code');
  assert.equal((await interlock(home, ['hook', 'status', 'gemini-cli', 'claude-code'])).code, 0);
  const file = join(home, '.gemini/settings.json');
  const settings = JSON.parse(readFileSync(file, 'utf8'));
  delete settings.hooks.BeforeTool;
  writeFileSync(file, JSON.stringify({ ...settings, hooksConfig: { disabled: ['interlock'] } }));
  writeFileSync(join(home, '.claude/settings.local.json'), '{"disableAllHooks": true}');
  const { code, out } = await interlock(home, ['hook', 'status', 'gemini-cli', 'claude-code']);
  assert.equal(code, 1);
  assert.match(out, /no hook at BeforeTool/);
  assert.match(out, /switched off by hooksConfig\.disabled/);
  assert.match(out, /switched off by disableAllHooks in .*settings\.local\.json/);
});
