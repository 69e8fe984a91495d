// Runs a page: every ```yaml block that begins with `# NAME.yaml` is that file, and so is a block with a name behind its
// language (```js agent.js); every ```console block is a command and what it prints. Answers the page with what the
// commands really print. Files are written to a directory of their own, in which `interlock` is installed.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
const TIMEOUT_MS = 60_000;
/** What a command of the page is here. */
const COMMANDS: readonly (readonly [prompt: string, run: readonly string[]])[] = [
  ['$ npx interlock ', [join(ROOT, 'src/cli/main.ts')]],
  ['$ node ', []],
];

export interface Block {
  readonly language: string;
  /** A file name behind the language. */
  readonly name?: string;
  /** Lines between the fences. */
  readonly lines: readonly string[];
  /** Index of the opening fence among the page's lines. */
  readonly at: number;
}

export function blocksOf(page: string): Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]!.startsWith('```')) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: a block is not closed`);
    const [language = '', name] = lines[at]!.slice(3).split(' ');
    blocks.push({ language, lines: lines.slice(at + 1, end), at, ...(name === undefined ? {} : { name }) });
    at = end;
  }
  return blocks;
}

export function fileName(block: Block): string | null {
  if (block.name !== undefined) return block.name;
  const first = block.lines[0] ?? '';
  return block.language === 'yaml' && first.startsWith('# ') && first.endsWith('.yaml')
    ? first.slice(2)
    : null;
}

/** The page with the output of each of its commands as it is now. */
export function runPage(page: string, directory: string): string {
  install(directory);
  const out = page.split('\n');
  let moved = 0;
  for (const block of blocksOf(page)) {
    const name = fileName(block);
    if (name !== null) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${block.lines.join('\n')}\n`);
    }
    if (block.language !== 'console') continue;
    const command = block.lines[0] ?? '';
    const shown = [command, ...outputOf(argumentsOf(command, block), directory)];
    out.splice(block.at + 1 + moved, block.lines.length, ...shown);
    moved += shown.length - block.lines.length;
  }
  return out.join('\n');
}

/** The package by its name, so that programs import it as their readers do. */
function install(directory: string): void {
  const folder = join(directory, 'node_modules/interlock');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  const sdk = pathToFileURL(join(ROOT, 'src/sdk/index.ts')).href;
  writeFileSync(join(folder, 'index.js'), `export * from '${sdk}';\n`);
}

function argumentsOf(command: string, block: Block): string[] {
  for (const [prompt, run] of COMMANDS)
    if (command.startsWith(prompt)) return [...run, ...command.slice(prompt.length).split(' ')];
  const known = COMMANDS.map(([prompt]) => `\`${prompt}\``).join(' or ');
  throw new Error(`line ${block.at + 2}: a command begins with ${known}`);
}

/** What a command prints, both streams in the order of writing; digests and timings are left out. */
function outputOf(args: readonly string[], cwd: string): string[] {
  const path = join(cwd, '.output');
  const output = openSync(path, 'w');
  spawnSync(process.execPath, args, { cwd, stdio: ['ignore', output, output], timeout: TIMEOUT_MS });
  closeSync(output);
  const text = readFileSync(path, 'utf8')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .replace(/in \d+\.\d+ s \(\d+ steps\/s\)/, 'in … s (… steps/s)');
  rmSync(path);
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()
    .split('\n');
}
