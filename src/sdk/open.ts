// Opens an engine in this process on the embedded store: what the SDK and the server both stand on.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evidenceGetter } from '../checks/evidence.ts';
import { type CompiledSpecLike, createEngine } from '../engine/index.ts';
import type { Engine } from '../engine/types.ts';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { unwaited } from '../store/unwaited.ts';
import { localTransport } from './local.ts';
import { loadSpecFile, loadSpecObject, recompile } from './spec-files.ts';
import type { Transport } from './transport.ts';

export interface OpenOptions {
  /** Path of a spec file, or the spec itself as an object. */
  readonly spec: string | object;
  /**
   * Directory of the record: a decision is given once it is durable there. Without one the record ends with the process, and
   * nothing waits for it to be written.
   */
  readonly data?: string;
  /** Where the commands of checks run; none run without it. */
  readonly workspace?: string;
}

export interface EngineSetup {
  /** Null keeps the record in a temporary directory, which is removed when the engine closes. */
  readonly dataDir: string | null;
  readonly specs: readonly CompiledSpecLike[];
  readonly withoutSpec: 'deny' | 'allow';
  readonly workspace?: string | undefined;
  readonly stopUnguarded?: boolean | undefined;
  readonly log?: (message: string) => void;
}

/** Closing the engine closes its store. Rejects with `StoreError` when the directory is in use or cannot be read. */
export async function openEngine({
  dataDir,
  specs,
  withoutSpec,
  workspace,
  stopUnguarded = false,
  log,
}: EngineSetup): Promise<Engine> {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'interlock-')));
  const kept = await openSqliteStore({ directory, waitedFor: dataDir !== null });
  const store = dataDir === null ? unwaited(kept) : kept;
  const release = async () => {
    await store.close();
    if (dataDir === null) await rm(directory, { recursive: true, force: true });
  };
  try {
    const engine = await createEngine({
      store,
      specs,
      noSpec: withoutSpec,
      recompile,
      stopUnguarded,
      getEvidence: evidenceGetter(workspace === undefined ? {} : { workspace }),
      ...(log === undefined ? {} : { log: ({ level, message }) => log(`${level}: ${message}`) }),
    });
    const close = async () => {
      await engine.close();
      await release();
    };
    return { ...engine, close };
  } catch (error) {
    await release();
    throw error;
  }
}

export async function openLocal(options: OpenOptions): Promise<Transport> {
  const { spec, data = null, workspace } = options;
  const compiled = typeof spec === 'string' ? await loadSpecFile(spec) : loadSpecObject(spec);
  return localTransport(
    await openEngine({ dataDir: data, specs: [compiled], withoutSpec: 'deny', workspace }),
  );
}
