// Runs a page: every ```yaml block that begins with `# NAME.yaml` is that file, every ```console block is a command and
// what it prints. Answers the page with what the commands really print. Files are written to a directory of their own.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const PROMPT = '$ npx interlock ';

export interface Block {
  readonly language: string;
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
    blocks.push({ language: lines[at]!.slice(3), lines: lines.slice(at + 1, end), at });
    at = end;
  }
  return blocks;
}

export function fileName(block: Block): string | null {
  const first = block.lines[0] ?? '';
  return block.language === 'yaml' && first.startsWith('# ') && first.endsWith('.yaml')
    ? first.slice(2)
    : null;
}

/** The page with the output of each of its commands as it is now. */
export function runPage(page: string, directory: string): string {
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
    if (!command.startsWith(PROMPT))
      throw new Error(`line ${block.at + 2}: a command begins with \`${PROMPT}\``);
    const shown = [command, ...outputOf(command.slice(PROMPT.length).split(' '), directory)];
    out.splice(block.at + 1 + moved, block.lines.length, ...shown);
    moved += shown.length - block.lines.length;
  }
  return out.join('\n');
}

/** What a command prints, both streams in the order of writing; digests are left out. */
function outputOf(args: readonly string[], cwd: string): string[] {
  const path = join(cwd, '.output');
  const output = openSync(path, 'w');
  spawnSync(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', output, output] });
  closeSync(output);
  const text = readFileSync(path, 'utf8').replace(/sha256:[0-9a-f]{64}/g, 'sha256:…');
  rmSync(path);
  return text.trimEnd().split('\n');
}
