#!/usr/bin/env node
// Starts the command line with a Node that can run it: this one when it is new enough, else the one that a clone has as
// a development dependency. In a clone the sources run as they are; a published package runs its build.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/cli/main.ts');
const main = existsSync(source) ? source : join(root, 'dist/src/cli/main.js');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  await import(pathToFileURL(main).href);
} else {
  const own = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(own)) process.exitCode = await runWith(own);
  else {
    console.error(`interlock needs Node 22.18 or newer; this is ${process.versions.node}.`);
    process.exitCode = 2;
  }
}

/** Signals pass to the child; its exit code comes back. */
function runWith(node) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
    process.on('SIGINT', () => {});
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
