// Our log read by Go's own code for transparency logs (golang.org/x/mod/sumdb), and Go's log read by ours: checkpoints, tiles,
// proofs, both ways. Skipped, and said so, where there is no Go or its modules cannot be had.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  checkpointText,
  consistencyProof,
  decodeEntries,
  encodeEntries,
  encodeTile,
  encodeVkey,
  Frontier,
  hashesInTiles,
  inclusionProof,
  leafHash,
  newTiles,
  openCheckpoint,
  parseVkey,
  rootOf,
  sameHash,
  signerOf,
  signNote,
  tilePath,
  verifyConsistency,
  verifyInclusion,
} from '../../src/evidence/index.ts';
import { succeeds } from '../python.ts';

const CLIENT = fileURLToPath(new URL('go', import.meta.url));
const SIZES = [0, 1, 2, 255, 256, 257, 300, 700];
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

async function go(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['run', '.', ...args], {
    cwd: CLIENT,
    timeout: 120_000,
  });
  return stdout;
}

let why: string | false = false;
before(async () => {
  if (!(await succeeds('go', ['mod', 'download'], CLIENT)))
    why = 'there is no Go, or its modules cannot be had';
});

describe('with Go', () => {
  test('its code verifies our checkpoints, tiles and proofs, and refuses a tile that was changed', async (t) => {
    if (why) return t.skip(why);
    const dir = mkdtempSync(join(tmpdir(), 'interlock-evidence-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const save = (path: string, data: Uint8Array | string) => {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), data);
    };
    const signer = signerOf('interlock.example/log', new Uint8Array(32).fill(7));
    const frontier = new Frontier();
    const hashes = new Map<string, Uint8Array>();
    const entries: Uint8Array[] = [];
    for (const size of SIZES) {
      const from = frontier.size;
      for (let i = from; i < size; i++) {
        const entry = new TextEncoder().encode(`entry ${i}`);
        entries.push(entry);
        for (const { level, index, hash } of frontier.append(leafHash(entry)))
          hashes.set(`${level}/${index}`, hash);
      }
      for (const tile of newTiles(from, size)) {
        const { level, index, width } = tile;
        const first = index * 256;
        save(
          tilePath(tile),
          level === null
            ? encodeEntries(entries.slice(first, first + width))
            : encodeTile({ level, index, width }, (l, i) => hashes.get(`${l}/${i}`)!),
        );
      }
      const text = checkpointText({ origin: signer.name, size, root: frontier.root(), extensions: [] });
      save(`checkpoint.${size}`, await signNote(text, [signer]));
    }
    const read = (level: number, index: number) => hashes.get(`${level}/${index}`)!;
    const grown = SIZES.filter((size) => size > 0);
    const inclusion = grown.flatMap((size) =>
      Array.from({ length: Math.min(size, 40) }, (_, i) => {
        const index = Math.floor((i * size) / Math.min(size, 40));
        const proof = inclusionProof(read, index, size).map(base64);
        return { Index: index, Size: size, Leaf: base64(read(0, index)), Proof: proof };
      }),
    );
    const consistency = grown.flatMap((to) =>
      grown
        .filter((from) => from <= to)
        .map((from) => ({ From: from, To: to, Proof: consistencyProof(read, from, to).map(base64) })),
    );
    save('proofs.json', JSON.stringify({ Inclusion: inclusion, Consistency: consistency }));
    const vkey = encodeVkey(signer.verifier);
    assert.equal(
      (await go('verify', dir, vkey)).trim(),
      `${SIZES.length} checkpoints, ${inclusion.length} inclusion proofs, ${consistency.length} consistency proofs`,
    );
    const tile = readFileSync(join(dir, 'tile/0/001.p/44'));
    tile[100]! ^= 1;
    save('tile/0/001.p/44', tile);
    await assert.rejects(go('verify', dir, vkey));
  });

  test('our code verifies its checkpoint, tiles and proofs', async (t) => {
    if (why) return t.skip(why);
    const dir = mkdtempSync(join(tmpdir(), 'interlock-evidence-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const key = parseVkey((await go('write', dir)).trim());
    const { size, root } = openCheckpoint(readFileSync(join(dir, 'checkpoint'), 'utf8'), [key]);
    assert.equal(size, 300);
    const file = (path: string) => new Uint8Array(readFileSync(join(dir, path)));
    const hashes = hashesInTiles(size, file);
    assert.ok(sameHash(rootOf(hashes, size), root));
    const entries = [
      ...decodeEntries(file('tile/entries/000'), 256)!,
      ...decodeEntries(file('tile/entries/001.p/44'), 44)!,
    ];
    assert.equal(new TextDecoder().decode(entries[299]), 'go entry 299');
    const made = JSON.parse(readFileSync(join(dir, 'proofs.json'), 'utf8')) as {
      Inclusion: { Index: number; Leaf: string; Proof: string[] }[];
      Consistency: { From: number; To: number; Proof: string[] }[];
    };
    assert.ok(made.Inclusion.length > 40 && made.Consistency.length > 20);
    for (const { Index: index, Leaf, Proof } of made.Inclusion) {
      const proof = Proof.map(fromBase64);
      assert.ok(verifyInclusion({ index, size, leaf: fromBase64(Leaf), proof, root }));
      assert.deepEqual(inclusionProof(hashes, index, size).map(base64), Proof);
    }
    for (const { From: from, To: to, Proof } of made.Consistency) {
      const fromRoot = rootOf(hashes, from);
      assert.ok(verifyConsistency({ from, to, proof: Proof.map(fromBase64), fromRoot, toRoot: root }));
      assert.deepEqual(consistencyProof(hashes, from, to).map(base64), Proof);
    }
  });
});
