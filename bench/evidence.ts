// What the log costs: entries taken in, the root, proofs out of a large log, notes signed and opened; and the same hashing by Go's
// sumdb/tlog where there is Go. In memory; nothing is written. Medians.
//   node bench/evidence.ts [--entries 10000000]
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  checkpointText,
  Frontier,
  type HashBytes,
  inclusionProof,
  leafHash,
  openCheckpoint,
  portableHash,
  type ReadHash,
  rootOf,
  signerOf,
  signNote,
  verifyInclusion,
} from '../src/evidence/index.ts';
import { machine, median, quantile } from './measure/measure.ts';

const { values } = parseArgs({ options: { entries: { type: 'string', default: '10000000' } } });
const size = Number(values.entries);
const PROOFS = 2_000;
const ROUNDS = 200;
/** About as long as the entry of a decision. */
const ENTRY = new Uint8Array(600).fill(0x61);

/** The server's: one call into OpenSSL. */
const native: HashBytes = (...parts) => {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return hash('sha256', whole, 'buffer');
};

function grow(
  count: number,
  hashes: HashBytes,
  levels: Uint8Array[] | null,
): { frontier: Frontier; us: number } {
  const frontier = new Frontier(hashes);
  const entry = ENTRY.slice();
  const view = new DataView(entry.buffer);
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    view.setUint32(0, i);
    for (const { level, index, hash: made } of frontier.append(leafHash(entry, hashes)))
      levels?.[level]?.set(made, index * 32);
  }
  return { frontier, us: ((performance.now() - begun) * 1_000) / count };
}

function timed(rounds: number, run: (round: number) => void): number[] {
  return Array.from({ length: rounds }, (_, round) => {
    const begun = performance.now();
    run(round);
    return performance.now() - begun;
  });
}

const levels: Uint8Array[] = [];
for (let width = size; width >= 1; width = Math.floor(width / 2)) levels.push(new Uint8Array(width * 32));
const read: ReadHash = (level, index) => levels[level]!.subarray(index * 32, index * 32 + 32);

console.log(`${machine()}, an entry of ${ENTRY.length} bytes`);
const portable = median(Array.from({ length: 5 }, () => grow(100_000, portableHash, null).us));
const fast = median(Array.from({ length: 5 }, () => grow(100_000, native, null).us));
console.log(
  `taking in an entry        ${portable.toFixed(2)} µs anywhere, ${fast.toFixed(2)} µs with Node's own SHA-256`,
);
const { frontier } = grow(size, native, levels);
const root = frontier.root();
const signer = signerOf('bench.example/log', new Uint8Array(32).fill(1));
const text = checkpointText({ origin: signer.name, size, root, extensions: [] });
const note = await signNote(text, [signer]);
const of = size.toLocaleString('en');
const proofs = timed(PROOFS, (i) =>
  inclusionProof(read, Math.floor((i * 7919 * 104_729) % size), size, native),
);
console.log(
  `inclusion proof of ${of}  p50 ${quantile(proofs, 0.5).toFixed(3)} ms, p99 ${quantile(proofs, 0.99).toFixed(3)} ms`,
);
const proof = inclusionProof(read, 4_321 % size, size, native);
const view = ENTRY.slice();
new DataView(view.buffer).setUint32(0, 4_321 % size);
const claim = { index: 4_321 % size, size, leaf: leafHash(view), proof, root };
if (!verifyInclusion(claim)) throw new Error('the proof does not pass');
const verified = timed(ROUNDS, () => void verifyInclusion(claim));
console.log(`  checked                 p50 ${quantile(verified, 0.5).toFixed(3)} ms`);
const roots = timed(ROUNDS, () => void rootOf(read, size, native));
console.log(
  `checkpoint of ${of}  root p50 ${quantile(roots, 0.5).toFixed(3)} ms from stored hashes, ${quantile(
    timed(ROUNDS, () => void frontier.root()),
    0.5,
  ).toFixed(3)} ms live`,
);
const signed: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  const begun = performance.now();
  await signNote(text, [signer]);
  signed.push(performance.now() - begun);
}
const opened = timed(ROUNDS, () => void openCheckpoint(note, [signer.verifier]));
console.log(
  `  signed                  p50 ${quantile(signed, 0.5).toFixed(2)} ms, opened ${quantile(opened, 0.5).toFixed(2)} ms (Ed25519, anywhere)`,
);

const go = spawnSync('go', ['run', '.', 'bench', '200000', String(ENTRY.length)], {
  cwd: join(import.meta.dirname, '../test/evidence/go'),
  encoding: 'utf8',
});
console.log(
  go.status === 0
    ? `Go's sumdb/tlog           ${go.stdout.trim()} to take in an entry`
    : `Go's sumdb/tlog: absent`,
);
