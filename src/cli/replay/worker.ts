// A replay worker: compiles the spec once, then answers batches. Started by the pool only.
import { parentPort, workerData } from 'node:worker_threads';
import { replaySpec } from '../../replay/replay.ts';
import { compileSpec } from '../../spec/index.ts';
import { type Batch, replayBatch } from './batch.ts';

export interface WorkerInit {
  readonly name: string;
  /** The spec's canonical text: it compiles to the same digest, with schema files already in it. */
  readonly canonical: string;
  readonly wantDecisions: boolean;
}

const { name, canonical, wantDecisions } = workerData as WorkerInit;
const compiled = compileSpec(canonical, { file: name });
if (!compiled.ok) throw new Error(`the canonical form of ${name} does not compile`);
const spec = replaySpec(compiled.spec);

parentPort?.on('message', (batch: Batch) => {
  parentPort?.postMessage(replayBatch(spec, batch, wantDecisions));
});
