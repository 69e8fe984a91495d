// For tests: an engine on a store in a temporary directory, with a clock that the test moves.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { JsonObject, Proposal } from '../../step/types.ts';
import { openSqliteStore } from '../../store/sqlite/store.ts';
import type { Store } from '../../store/store.ts';
import { createEngine } from '../engine.ts';
import type { EngineOptions } from '../options.ts';
import { EngineError } from '../problem.ts';
import type { Engine, EngineEvent } from '../types.ts';
import { counterSpec } from './counter-spec.ts';

export interface TestEngine {
  readonly engine: Engine;
  readonly store: Store;
  readonly directory: string;
  readonly events: EngineEvent[];
  readonly time: { now: number };
  /** Closes the engine and opens another one on the same directory. */
  reopen(options?: Partial<EngineOptions>): Promise<TestEngine>;
}

export function temporaryDirectory(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function withEngine(
  t: Pick<TestContext, 'after'>,
  options: Partial<EngineOptions> = {},
): Promise<TestEngine> {
  return openAt(t, temporaryDirectory(t), options, { now: 1_700_000_000_000 });
}

/** A full set of step fields is rarely what a test is about. */
export function input(content: string): Proposal {
  return { kind: 'input', name: '', content };
}

async function openAt(
  t: Pick<TestContext, 'after'>,
  directory: string,
  options: Partial<EngineOptions>,
  time: { now: number },
): Promise<TestEngine> {
  const store = options.store ?? (await openSqliteStore({ directory, busyTimeoutMs: 50 }));
  const engine = await createEngine({
    specs: [counterSpec()],
    noSpec: 'deny',
    clock: () => time.now,
    ...options,
    store,
  });
  t.after(() => engine.close());
  const events: EngineEvent[] = [];
  engine.subscribe((event) => events.push(event));
  return {
    engine,
    store,
    directory,
    events,
    time,
    async reopen(more = {}) {
      await engine.close();
      const { store: _, ...rest } = options;
      return openAt(t, directory, { ...rest, ...more }, time);
    },
  };
}

export function call(name: string, args: JsonObject = {}, callId?: string): Proposal {
  return { kind: 'tool.call', name, args, ...(callId === undefined ? {} : { callId }) };
}

/** For `assert.rejects`. */
export function problemCode(code: string): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof EngineError && error.problem.code === code) return true;
    throw error;
  };
}
