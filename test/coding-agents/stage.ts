// A home folder with hooks in it as `interlock hook install` puts them, a scripted model, and the coding agents themselves.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentName } from '../../src/coding-agents/types.ts';
import { type ScriptedModel, startScriptedModel } from '../gateway/scripted-model.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const BIN = join(HERE, 'node_modules/.bin');
const run = promisify(execFile);

/** Null when the agents are there, else why they are not. */
export async function installAgents(): Promise<string | null> {
  const modified = (path: string) => statSync(join(HERE, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const installed = modified('node_modules/.package-lock.json');
  if (installed === 0 || modified('package-lock.json') > installed + 2_000) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', args, { cwd: HERE });
  }
  // Puts the program of this platform in its place; nothing is fetched.
  await run(process.execPath, ['install.cjs'], { cwd: join(HERE, 'node_modules/@anthropic-ai/claude-code') });
  return process.platform === 'linux' && process.arch === 'x64' ? null : 'tried on Linux, x64';
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

export interface Stage {
  readonly home: string;
  readonly project: string;
  readonly port: number;
  readonly model: ScriptedModel;
  /** The command line of Interlock, with this home. */
  interlock(...args: string[]): Promise<Ran>;
  /** The agent, asked once, working in the project. */
  agent(name: AgentName): Promise<Ran>;
  /** What was made in the project. */
  read(file: string): string | null;
  /** What the model was told last, as one text. */
  told(): string;
  /** JSON from the resident process. */
  get(path: string): Promise<unknown>;
  /** Waits for a step to be held, and answers it as a person does on the command line. */
  answerHold(verb: 'approve' | 'refuse'): Promise<void>;
  resident(): { pid: number };
  close(): Promise<void>;
}

export async function openStage(spec: string, ...options: string[]): Promise<Stage> {
  const base = mkdtempSync(join(tmpdir(), 'interlock-hooks-'));
  const home = join(base, 'home');
  const project = join(base, 'project');
  for (const folder of ['.claude', '.codex', '.gemini']) mkdirSync(join(home, folder), { recursive: true });
  mkdirSync(project);
  const port = await freePort();
  const model = await startScriptedModel({ script: [] });
  const { INTERLOCK_URL: _, INTERLOCK_KEY: __, ...inherited } = process.env;
  const env = {
    ...inherited,
    HOME: home,
    PATH: `${BIN}:${dirname(process.execPath)}:${process.env.PATH}`,
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'key',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    OPENAI_API_KEY: 'key',
    GEMINI_API_KEY: 'key-of-sixteen-characters',
    GOOGLE_GEMINI_BASE_URL: model.url,
    NO_COLOR: '1',
  };
  writeFileSync(
    join(home, '.codex/config.toml'),
    `model = "gpt-5.5"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[model_providers.scripted]
name = "scripted"
base_url = "${model.url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
`,
  );
  writeFileSync(
    join(home, '.gemini/settings.json'),
    `${JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }, null, 2)}\n`,
  );
  writeFileSync(join(home, '.gemini/trustedFolders.json'), JSON.stringify({ [project]: 'TRUST_FOLDER' }));

  function start(program: string, args: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => {
          out += text;
        });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, out }));
    });
  }

  const stage: Stage = {
    home,
    project,
    port,
    model,
    interlock: (...args) => start(process.execPath, [join(ROOT, 'bin/interlock.js'), ...args]),
    agent(name) {
      switch (name) {
        case 'claude-code':
          return start('claude', ['-p', 'Go.', '--output-format', 'json', '--allowedTools', 'Bash']);
        case 'codex':
          // The person's trust in the hooks, which only their terminal can give.
          return start('codex', ['exec', '--skip-git-repo-check', '--dangerously-bypass-hook-trust', 'Go.']);
        case 'gemini-cli':
          return start('gemini', ['--model', 'gemini-2.5-pro', '--yolo', '--prompt', 'Go.']);
      }
    },
    read: (file) => {
      const path = join(project, file);
      return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
    },
    told: () => JSON.stringify(model.requests.findLast(({ turn }) => turn > 0)?.body ?? ''),
    get: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).json(),
    async answerHold(verb) {
      for (let id: string | undefined; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
        const { holds } = (await stage.get('/v1/holds?state=pending').catch(() => ({ holds: [] }))) as {
          holds: { id: string }[];
        };
        id = holds[0]?.id;
        if (id === undefined) continue;
        const url = `http://127.0.0.1:${port}`;
        const { code, out } = await stage.interlock('holds', verb, id, '--role', 'developer', '--url', url);
        assert.equal(code, 0, out);
        return;
      }
    },
    resident: () => JSON.parse(readFileSync(join(home, '.interlock/hook/resident.json'), 'utf8')),
    async close() {
      await stage.interlock('hook', 'uninstall');
      await model.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
  const installed = await stage.interlock(
    'hook',
    'install',
    ...options,
    '--spec',
    spec,
    '--port',
    String(port),
  );
  assert.equal(installed.code, 0, installed.out);
  return stage;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
