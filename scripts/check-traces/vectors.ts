// The published vectors of other people's logs: proofs of transparency-dev/merkle, most of them wrong on purpose, and the checkpoints,
// tiles and entries of Tessera's test log.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  consistencyProof,
  decodeEntries,
  Frontier,
  hashesInTiles,
  inclusionProof,
  leafHash,
  openCheckpoint,
  parseVkey,
  rootOf,
  sameHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/evidence/index.ts';

/** Published with the log. */
const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';

interface Vector {
  readonly leafIdx?: number;
  readonly treeSize?: number;
  readonly size1?: number;
  readonly size2?: number;
  readonly root?: string;
  readonly root1?: string;
  readonly root2?: string;
  readonly leafHash?: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

/** Whether all are as published; null where there are none. */
export function checkVectors(dir: string): boolean | null {
  if (!existsSync(dir)) return null;
  const wrong = [...merkle(join(dir, 'merkle')), ...tessera(join(dir, 'tessera'))];
  for (const line of wrong) console.log(`  ${line}`);
  return wrong.length === 0;
}

function* merkle(dir: string): Generator<string> {
  for (const kind of ['inclusion', 'consistency']) {
    const files = globSync(`${kind}/**/*.json`, { cwd: dir }).sort();
    let agreed = 0;
    for (const file of files) {
      const vector = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Vector;
      const passes = kind === 'inclusion' ? isIncluded(vector) : isConsistent(vector);
      if (passes === !vector.wantErr) agreed++;
      else yield `merkle/${file}: ${passes ? 'passes and must not' : 'must pass and does not'}`;
    }
    console.log(`merkle vectors, ${kind}: ${agreed} of ${files.length}`);
  }
}

function isIncluded({ leafIdx = 0, treeSize = 0, leafHash: leaf, root, proof }: Vector): boolean {
  return verifyInclusion({
    index: leafIdx,
    size: treeSize,
    leaf: bytes(leaf),
    root: bytes(root),
    proof: (proof ?? []).map(bytes),
  });
}

function isConsistent({ size1 = 0, size2 = 0, root1, root2, proof }: Vector): boolean {
  return verifyConsistency({
    from: size1,
    to: size2,
    fromRoot: bytes(root1),
    toRoot: bytes(root2),
    proof: (proof ?? []).map(bytes),
  });
}

function bytes(base64: string | null | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(base64 ?? '', 'base64'));
}

function* tessera(dir: string): Generator<string> {
  const key = parseVkey(TESSERA_KEY);
  const read = (path: string) => {
    const file = join(dir, path);
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : null;
  };
  const files = globSync('checkpoint.*', { cwd: dir }).sort();
  const checkpoints = files.map((file) => openCheckpoint(readFileSync(join(dir, file), 'utf8'), [key]));
  checkpoints.sort((a, b) => a.size - b.size);
  let proofs = 0;
  for (const { size, root } of checkpoints) {
    const hashes = hashesInTiles(size, read);
    if (!sameHash(rootOf(hashes, size), root)) yield `tessera: the tiles of ${size} have another root`;
    if (size === 0) continue;
    const entries = decodeEntries(read(`tile/entries/000.p/${size}`) ?? new Uint8Array(), size);
    const frontier = new Frontier();
    for (const entry of entries ?? []) frontier.append(leafHash(entry));
    if (!sameHash(frontier.root(), root)) yield `tessera: the entries of ${size} have another root`;
    for (const [index, entry] of (entries ?? []).entries()) {
      proofs++;
      const proof = inclusionProof(hashes, index, size);
      if (!verifyInclusion({ index, size, leaf: leafHash(entry), proof, root }))
        yield `tessera: entry ${index} of ${size}`;
    }
    for (const older of checkpoints.filter((one) => one.size > 0 && one.size <= size)) {
      proofs++;
      const proof = consistencyProof(hashes, older.size, size);
      if (!verifyConsistency({ from: older.size, to: size, proof, fromRoot: older.root, toRoot: root }))
        yield `tessera: ${older.size} to ${size}`;
    }
  }
  console.log(
    `tessera's log: ${checkpoints.length} checkpoints signed, tiles and entries of each, ${proofs} proofs`,
  );
}
