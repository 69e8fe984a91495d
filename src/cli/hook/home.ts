// Where hooks keep what is theirs: how to reach who decides, a copy of the program that agents start, the socket, the record.
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJsonText } from '../../step/json.ts';
import { reader } from '../../step/parse.ts';
import type { Json } from '../../step/types.ts';

/** What agents start, and what that starts where nobody answers it. */
export const HOOK_PROGRAM = 'interlock-hook.sh';
const HOOK_PROGRAMS = [HOOK_PROGRAM, 'interlock-hook.cjs'];
const BIN = (name: string) => fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
/** Built, the sources stand one folder deeper. */
const BUILT_BIN = (name: string) => fileURLToPath(new URL(`../../../../bin/${name}`, import.meta.url));

/** What `config.json` says; the program that agents start reads it too. */
export interface HookConfig {
  /** Null where a server elsewhere decides. */
  readonly socket: string | null;
  /** The server elsewhere; null for the resident process of this machine. */
  readonly url: string | null;
  readonly key: string | null;
  /** The resident's port: its page, and agents that speak HTTP to hooks. */
  readonly port: number;
  /** Paths, or `pack:NAME`; tried in this order. */
  readonly specs: readonly string[];
  readonly holdWaitSeconds: number;
  /** How the resident is started; null where there is none. */
  readonly start: readonly string[] | null;
}

/** The configuration cannot be read, and why. */
export class HookConfigInvalid extends Error {}

/** `INTERLOCK_HOME`, or `~/.interlock`; hooks live in `hook` below it. */
export function hookHome(): string {
  return join(resolve(process.env.INTERLOCK_HOME ?? join(homedir(), '.interlock')), 'hook');
}

/** Where the resident process answers; the programs beside it know the name. */
export function socketOf(home: string): string {
  return join(home, 'socket');
}

export function configFile(home: string): string {
  return join(home, 'config.json');
}

/** Null when there is none. */
export async function readHookConfig(home: string): Promise<HookConfig | null> {
  const file = configFile(home);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new HookConfigInvalid(`${file}: ${error.message}`);
  });
  if (text === null) return null;
  const parsed = parseJsonText(text);
  const read = reader();
  const fields = parsed.ok
    ? read.object(parsed.value, '', ['socket', 'url', 'key', 'port', 'specs', 'holdWaitSeconds', 'start'])
    : null;
  if (fields === null) throw new HookConfigInvalid(`${file}: not a JSON object; run: interlock hook install`);
  const orNull = <T>(value: Json, parse: (value: unknown, at: string) => T, at: string) =>
    value === null ? null : parse(value, at);
  const config: HookConfig = {
    socket: orNull(fields.socket as Json, read.content, '/socket'),
    url: orNull(fields.url as Json, read.content, '/url'),
    key: orNull(fields.key as Json, read.content, '/key'),
    port: wholeNumber(fields.port, 65_535),
    specs: texts(fields.specs),
    holdWaitSeconds: wholeNumber(fields.holdWaitSeconds, HOLD_WAIT_SECONDS_MAX),
    start: fields.start === null ? null : texts(fields.start),
  };
  const [problem] = read.problems;
  if (problem === undefined) return config;
  throw new HookConfigInvalid(`${file}: ${problem.at} must be ${problem.expected}, found ${problem.found}`);

  function wholeNumber(value: unknown, most: number): number {
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most)
      return value as number;
    throw new HookConfigInvalid(`${file}: a whole number from 0 to ${most} is missing`);
  }
  function texts(value: unknown): readonly string[] {
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw new HookConfigInvalid(`${file}: "specs" and "start" are lists of texts`);
  }
}

/** Below the time that the hook's program waits for an answer. */
export const HOLD_WAIT_SECONDS_MAX = 90;

/** Writes the configuration, and the programs beside it. */
export async function writeHookHome(home: string, config: HookConfig): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await replaceFile(configFile(home), `${JSON.stringify(config, null, 2)}\n`, 0o600);
  for (const name of HOOK_PROGRAMS) {
    const program = join(home, name);
    await copyFile(await packageFile(name), `${program}.new`);
    await rename(`${program}.new`, program);
  }
}

/** How the resident of this installation is started. */
export async function residentCommand(): Promise<readonly string[]> {
  return [process.execPath, await packageFile('interlock.js'), 'hook', 'serve'];
}

async function packageFile(name: string): Promise<string> {
  const own = BIN(name);
  return (await readFile(own).catch(() => null)) === null ? BUILT_BIN(name) : own;
}

/** Whole or not at all: a reader sees the old file or the new one. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  await writeFile(`${file}.new`, text, { mode });
  await rename(`${file}.new`, file);
}
