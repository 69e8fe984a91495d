// What every benchmark measures with: quantiles over rounds, retained heap, and the machine it ran on. No benchmark here.
import { cpus } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The value at share `q` of the sorted values; 0 of none. */
export function quantile(values: Float64Array | readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Microseconds of each run, one at a time. The clock itself costs about 0.05 µs. */
export function timeEach(runs: number, run: (i: number) => void): Float64Array {
  const times = new Float64Array(runs);
  for (let i = 0; i < runs; i++) {
    const start = process.hrtime.bigint();
    run(i);
    times[i] = Number(process.hrtime.bigint() - start) / 1_000;
  }
  return times;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of JavaScript heap still in use after a full collection. */
export function retainedHeap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** One line: what the numbers below it were measured on. */
export function machine(): string {
  const { arch, platform, version } = process;
  return `machine: ${cpus().length} cores, ${platform} ${arch}, Node ${version.slice(1)}; other work on it is not excluded, hence medians over rounds`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
