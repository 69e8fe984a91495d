// Set-up and tasks for a clone: `node scripts/run.mjs start|test|check|build|bench|check:traces [args]`.
// Plain JavaScript without dependencies, for any Node >= 20: it installs, builds the page, and runs the task with the
// Node that is a development dependency.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MIN = [22, 18];
/** Rooms whose types the page shares. */
const PAGE_ROOMS = ['src/step', 'src/monitor', 'src/engine'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const TASKS = {
  start: async (args) => {
    await buildPage();
    return run(node(), ['src/cli/main.ts', 'serve', ...args]);
  },
  test: async (args) => {
    await buildPage();
    const checks = await check();
    const files = args.length > 0 ? args : testGlobs();
    const tests = await run(node(), ['--test', '--test-reporter=spec', ...files]);
    return checks === 0 ? tests : checks;
  },
  check: () => check(),
  build: async () => {
    await buildPage();
    return buildPackage();
  },
  bench: (args) => bench(args),
  'check:traces': (args) => run(node(), ['scripts/check-traces.ts', ...args]),
};

const [taskName = '', ...taskArgs] = process.argv.slice(2);
if (!Object.hasOwn(TASKS, taskName)) {
  console.error(`run.mjs: unknown task "${taskName}". Tasks: ${Object.keys(TASKS).join(', ')}.`);
  process.exitCode = 2;
} else {
  process.chdir(root);
  try {
    await install();
    process.exitCode = await TASKS[taskName](taskArgs);
  } catch (error) {
    console.error(`run.mjs: ${error.message}`);
    process.exitCode = 2;
  }
}

/** Installs exactly the lock file when nothing is installed, or when the lock file is newer than what is. */
async function install() {
  const installed = modifiedMs('node_modules/.package-lock.json');
  // npm writes the two files of one installation a few milliseconds apart.
  if (installed > 0 && modifiedMs('package-lock.json') <= installed + 2_000) return;
  console.log('Installing dependencies (npm ci) ...');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = npm
    ? await run(process.execPath, [npm, ...args])
    : await run('npm', args, { shell: process.platform === 'win32' });
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}. Its output above says why.`);
}

/** Builds the page when there is none, or when one of its sources is newer. */
async function buildPage() {
  const built = modifiedMs('web/dist/index.html');
  const sources = Math.max(
    newestMs('web', ['dist', 'node_modules']),
    ...PAGE_ROOMS.map((room) => newestMs(room)),
  );
  if (built > sources) return;
  console.log('Building the page (vite build) ...');
  const code = await run(node(), ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', 'web']);
  if (code !== 0) throw new Error('the page does not build. The output above says why.');
}

/** The published form: the sources as JavaScript with declarations, and what they read at run time beside them. */
async function buildPackage() {
  rmSync('dist', { recursive: true, force: true });
  const code = await run(node(), ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
  if (code !== 0) return code;
  for (const path of ['web/dist', 'examples/support-agent/spec.yaml', 'packs'])
    cpSync(path, join('dist', path), { recursive: true });
  return 0;
}

/** `bench NAME [args]` runs one benchmark, `bench` all of them, one after the other. */
async function bench([name, ...args]) {
  const all = readdirSync('bench')
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3));
  if (name !== undefined && !all.includes(name)) {
    console.error(`run.mjs: there is no benchmark "${name}". Benchmarks: ${all.join(', ')}.`);
    return 2;
  }
  let worst = 0;
  for (const each of name === undefined ? all : [name]) {
    worst = Math.max(worst, await run(node(), [`bench/${each}.ts`, ...args]));
  }
  return worst;
}

/** Format, lint, types, import directions. All of them run, so that one round shows every mistake. */
async function check() {
  const steps = [
    ['format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
    ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
    ['types of the page', ['node_modules/typescript/bin/tsc', '-p', 'web']],
    ['import directions', ['scripts/check-imports.ts']],
  ];
  let worst = 0;
  for (const [name, args] of steps) {
    const code = await run(node(), args);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}`);
    if (code !== 0) worst = 1;
  }
  return worst;
}

/** Not below `test/*`: what is installed in there for a test brings tests of its own. */
function testGlobs() {
  return ['src/**', 'test', 'test/*', 'packs/**', 'examples/**', 'web/src/**']
    .filter((path) => existsSync(path.split('/')[0]))
    .map((path) => `${path}/*.test.ts`);
}

/** The Node to run with: the installed one, else this one when it is new enough to run TypeScript. */
function node() {
  const own = process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/node/bin/node';
  if (existsSync(own)) return join(root, own);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return process.execPath;
  throw new Error(
    `Node ${process.versions.node} cannot run this, and the npm package "node" is not installed. ` +
      `Use Node ${NODE_MIN.join('.')} or newer, or let npm run install scripts and run "npm ci".`,
  );
}

/** Runs a program to its end with this terminal; signals reach it, and its exit code comes back. */
function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', cwd: root, ...options });
    // A terminal sends SIGINT to the whole group: the child handles it, this process only waits.
    const forward = (signal) => signal !== 'SIGINT' && child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, forward);
    const done = () => {
      for (const signal of SIGNALS) process.off(signal, forward);
    };
    child.once('error', (error) => {
      done();
      reject(new Error(`${program} could not be started: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function modifiedMs(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestMs(dir, except = []) {
  let newest = 0;
  for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
    if (except.includes(entry.name)) continue;
    const path = join(dir, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : modifiedMs(path));
  }
  return newest;
}
