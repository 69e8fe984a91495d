// Signed notes (C2SP signed-note): a text of lines, a blank line, signatures. Keys that nobody knows are passed over; a known key
// whose signature fails makes the note worthless. Pure.
import { decodeBase64, encodeBase64 } from './base64.ts';
import { isKeyName, type Signer, sameKey, type Verifier } from './keys.ts';

export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  /** What follows the key's id. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends with a line break. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** The text is no note, or no known key has signed it, and why. */
export class NoteInvalid extends Error {}

export const NOTE_MAX = 1_000_000;
export const SIGNATURES_MAX = 100;
const KEY_ID_BYTES = 4;
const DASH = '— ';

/** Its form only; nothing is verified. Throws `NoteInvalid`. */
export function parseNote(source: string): Note {
  if (source.length > NOTE_MAX) throw new NoteInvalid(`a note is at most ${NOTE_MAX} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the standard forbids exactly these.
  if (!source.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(source))
    throw new NoteInvalid('a note has no control characters');
  const end = source.lastIndexOf('\n\n');
  if (end < 0 || !source.endsWith('\n'))
    throw new NoteInvalid('a note has a blank line, and ends with a line break');
  const lines = source.slice(end + 2, -1).split('\n', SIGNATURES_MAX + 1);
  if (lines.length > SIGNATURES_MAX) throw new NoteInvalid(`a note has at most ${SIGNATURES_MAX} signatures`);
  return { text: source.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const space = line.indexOf(' ', DASH.length);
  const name = line.slice(DASH.length, space);
  const bytes = decodeBase64(line.slice(space + 1));
  if (
    !line.startsWith(DASH) ||
    space < 0 ||
    !isKeyName(name) ||
    bytes === null ||
    bytes.length <= KEY_ID_BYTES
  )
    throw new NoteInvalid('a signature is a line `— NAME BASE64`');
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

export interface Verified extends Note {
  /** Those of `verifiers` that have signed it. */
  readonly by: readonly Verifier[];
}

/** Throws `NoteInvalid` unless at least one of the keys has signed it, and none of them fails. */
export function openNote(source: string, verifiers: readonly Verifier[]): Verified {
  const note = parseNote(source);
  const by: Verifier[] = [];
  for (const signature of note.signatures) {
    const verifier = verifiers.find((one) => sameKey(one, signature));
    if (verifier === undefined || by.includes(verifier)) continue;
    if (!verifier.verify(note.text, signature.signature))
      throw new NoteInvalid(`the signature of ${verifier.name} is not of this text`);
    by.push(verifier);
  }
  if (by.length === 0) throw new NoteInvalid('no known key has signed this');
  return { ...note, by };
}

/** `text` ends with a line break. Signatures that are there already stand first. */
export async function signNote(
  text: string,
  signers: readonly Signer[],
  there: readonly NoteSignature[] = [],
): Promise<string> {
  if (!text.endsWith('\n')) throw new NoteInvalid('the text of a note ends with a line break');
  const made = await Promise.all(
    signers.map(async (signer) => ({
      name: signer.name,
      keyId: signer.keyId,
      signature: await signer.sign(text),
    })),
  );
  const lines = [...there, ...made].map(signatureLine);
  const source = `${text}\n${lines.join('')}`;
  // What is written can be read.
  if (parseNote(source).text !== text)
    throw new NoteInvalid('the text of a note cannot be told from its signatures');
  return source;
}

function signatureLine({ name, keyId, signature }: NoteSignature): string {
  return `${DASH}${name} ${encodeBase64(Uint8Array.of(...keyId, ...signature))}\n`;
}
