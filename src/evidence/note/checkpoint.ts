// Checkpoints (C2SP tlog-checkpoint): the size and the root of a log, as the text of a signed note; and proofs of one entry that
// need nothing else (C2SP tlog-proof). Pure.
import { HASH_BYTES, leafHash } from '../merkle/hash.ts';
import { PROOF_MAX, verifyInclusion } from '../merkle/proof.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import type { Verifier } from './keys.ts';
import { NoteInvalid, openNote, parseNote } from './note.ts';

export interface Checkpoint {
  /** Which log it is; its key is called so too. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Further lines, of no meaning here. */
  readonly extensions: readonly string[];
}

export function checkpointText({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('');
}

/** The text of a note as a checkpoint. Throws `NoteInvalid`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n', 1_000);
  const hash = decodeBase64(root);
  const count = Number(size);
  if (!text.endsWith('\n') || origin === '')
    throw new NoteInvalid('a checkpoint begins with the name of its log');
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(count))
    throw new NoteInvalid('the second line of a checkpoint is its size, a decimal number');
  if (hash?.length !== HASH_BYTES)
    throw new NoteInvalid('the third line of a checkpoint is its root, 32 bytes of base64');
  if (extensions.includes('')) throw new NoteInvalid('a checkpoint has no empty line');
  return { origin, size: count, root: hash, extensions };
}

/** A signed checkpoint of the log whose key is among `verifiers`: the key is called as the log. Throws `NoteInvalid`. */
export function openCheckpoint(
  source: string,
  verifiers: readonly Verifier[],
): Checkpoint & { readonly by: readonly Verifier[] } {
  const { text, by } = openNote(source, verifiers);
  const checkpoint = parseCheckpoint(text);
  if (!by.some(({ name }) => name === checkpoint.origin))
    throw new NoteInvalid(`no known key of ${checkpoint.origin} has signed its checkpoint`);
  return { ...checkpoint, by };
}

/** An entry of a log, proven by itself. */
export interface LogProof {
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note, letter for letter. */
  readonly checkpoint: string;
  /** Not signed by anybody. */
  readonly extra: Uint8Array | null;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
export const LOG_PROOF_MAX = 1_100_000;

export function encodeLogProof({ index, proof, checkpoint, extra }: LogProof): string {
  const lines = [
    HEADER,
    ...(extra === null ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...proof.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Its form only. Throws `NoteInvalid`. */
export function parseLogProof(text: string): LogProof {
  if (text.length > LOG_PROOF_MAX) throw new NoteInvalid(`a proof is at most ${LOG_PROOF_MAX} characters`);
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(end, 0)).split('\n');
  if (end < 0 || lines.shift() !== HEADER) throw new NoteInvalid(`a proof begins with ${HEADER}`);
  let extra: Uint8Array | null = null;
  if (lines[0]?.startsWith('extra ')) {
    extra = decodeBase64(lines.shift()!.slice('extra '.length));
    if (extra === null) throw new NoteInvalid('what stands after `extra` is no base64');
  }
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index)))
    throw new NoteInvalid('a proof names its entry: `index N`');
  const proof = lines.map(decodeBase64);
  if (proof.length > PROOF_MAX || proof.some((hash) => hash?.length !== HASH_BYTES))
    throw new NoteInvalid(`a proof has at most ${PROOF_MAX} hashes, 32 bytes of base64 each`);
  const checkpoint = text.slice(end + 2);
  parseNote(checkpoint);
  return { index: Number(index), proof: proof as Uint8Array[], checkpoint, extra };
}

/** Whether `entry` is in the log, under a checkpoint that its key has signed. Throws `NoteInvalid` when it is not, and says why. */
export function verifyLogProof(
  { index, proof, checkpoint }: LogProof,
  entry: Uint8Array,
  verifiers: readonly Verifier[],
): Checkpoint & { readonly by: readonly Verifier[] } {
  const opened = openCheckpoint(checkpoint, verifiers);
  const { size, root } = opened;
  if (!verifyInclusion({ index, size, leaf: leafHash(entry), proof, root }))
    throw new NoteInvalid(`entry ${index} is not in the log of ${size} entries as the proof says`);
  return opened;
}
