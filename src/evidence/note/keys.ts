// Keys of signed notes (C2SP signed-note): who signs, who verifies, and how a key is named. Pure; a key that lives elsewhere (HSM,
// KMS) signs behind the same contract.
import { ed25519 } from '@noble/curves/ed25519.js';
import { type HashBytes, portableHash, sameHash } from '../merkle/hash.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** Signature types of the standard that are known here. */
export const ED25519 = 0x01;
/** An Ed25519 cosignature with its time (C2SP tlog-cosignature, cosignature/v1). */
export const COSIGNATURE_V1 = 0x04;
const PUBLIC_KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NAME_MAX = 255;

export interface Signer {
  readonly name: string;
  /** Four bytes that tell keys of one name apart. */
  readonly keyId: Uint8Array;
  /** What stands in the note after the key's id. */
  sign(text: string): Uint8Array | Promise<Uint8Array>;
}

export interface Verifier {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly type: typeof ED25519 | typeof COSIGNATURE_V1;
  readonly publicKey: Uint8Array;
  verify(text: string, signature: Uint8Array): boolean;
}

/** A key or a name that is none, and why. */
export class KeyInvalid extends Error {}

const UTF_8 = new TextEncoder();

/** Not empty, no blanks of any kind, no `+`. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.length <= NAME_MAX && name.isWellFormed() && !/[\s+\p{Cc}]/u.test(name);
}

export function keyIdOf(
  name: string,
  type: number,
  publicKey: Uint8Array,
  hash: HashBytes = portableHash,
): Uint8Array {
  return hash(UTF_8.encode(name), Uint8Array.of(0x0a, type), publicKey).subarray(0, KEY_ID_BYTES);
}

/** `NAME+KEYID+BASE64`, as logs and witnesses publish their keys. */
export function encodeVkey({ name, keyId, type, publicKey }: Omit<Verifier, 'verify'>): string {
  return `${name}+${hexOf(keyId)}+${encodeBase64(Uint8Array.of(type, ...publicKey))}`;
}

/** Throws `KeyInvalid`. */
export function parseVkey(vkey: string): Verifier {
  // Base64 may have a `+` too.
  const [name = '', id = '', ...rest] = vkey.split('+');
  const key = decodeBase64(rest.join('+'));
  if (!isKeyName(name)) throw new KeyInvalid('a key begins with its name, without blanks, and `+`');
  if (key === null || !/^[0-9a-f]{8}$/.test(id))
    throw new KeyInvalid(`${name}: a key is NAME+ID+BASE64, its id 8 hexadecimal digits`);
  const [type] = key;
  const publicKey = key.subarray(1);
  if (type !== ED25519 && type !== COSIGNATURE_V1)
    throw new KeyInvalid(
      `${name}: keys of type ${type} are not known here; Ed25519 is 1, its cosignatures are 4`,
    );
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new KeyInvalid(`${name}: a public key is 32 bytes, this is ${publicKey.length}`);
  const verifier = verifierOf(name, publicKey, type);
  if (hexOf(verifier.keyId) !== id)
    throw new KeyInvalid(`${name}: the id ${id} is not that of the key, ${hexOf(verifier.keyId)}`);
  return verifier;
}

export function verifierOf(name: string, publicKey: Uint8Array, type: Verifier['type'] = ED25519): Verifier {
  return {
    name,
    keyId: keyIdOf(name, type, publicKey),
    type,
    publicKey,
    verify(text, signature) {
      const message = type === ED25519 ? text : cosignedMessage(text, signature);
      const own = type === ED25519 ? signature : signature.subarray(TIME_BYTES);
      if (message === null || own.length !== SIGNATURE_BYTES) return false;
      // RFC 8032: no other encoding of the same signature passes.
      return ed25519.verify(own, UTF_8.encode(message), publicKey, { zip215: false });
    },
  };
}

const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;

/** Seconds since the epoch that a cosignature was made at; null when it has none. */
export function cosignedAt(signature: Uint8Array): number | null {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return null;
  const view = new DataView(signature.buffer, signature.byteOffset, TIME_BYTES);
  const time = Number(view.getBigUint64(0));
  return Number.isSafeInteger(time) ? time : null;
}

function cosignedMessage(text: string, signature: Uint8Array): string | null {
  const time = cosignedAt(signature);
  return time === null ? null : `cosignature/v1\ntime ${time}\n${text}`;
}

/** Of a secret key, 32 bytes. */
export function signerOf(name: string, secretKey: Uint8Array): Signer & { readonly verifier: Verifier } {
  if (!isKeyName(name)) throw new KeyInvalid('the name of a key has no blanks and no `+`, and is not empty');
  const verifier = verifierOf(name, ed25519.getPublicKey(secretKey));
  return {
    name,
    keyId: verifier.keyId,
    verifier,
    sign: (text) => ed25519.sign(UTF_8.encode(text), secretKey),
  };
}

/** As a witness signs: the time stands in the signature. `now` gives seconds since the epoch. */
export function cosignerOf(
  name: string,
  secretKey: Uint8Array,
  now: () => number,
): Signer & { readonly verifier: Verifier } {
  if (!isKeyName(name)) throw new KeyInvalid('the name of a key has no blanks and no `+`, and is not empty');
  const verifier = verifierOf(name, ed25519.getPublicKey(secretKey), COSIGNATURE_V1);
  return {
    name,
    keyId: verifier.keyId,
    verifier,
    sign(text) {
      const signature = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES);
      new DataView(signature.buffer).setBigUint64(0, BigInt(now()));
      signature.set(ed25519.sign(UTF_8.encode(cosignedMessage(text, signature)!), secretKey), TIME_BYTES);
      return signature;
    },
  };
}

export function sameKey(a: Pick<Signer, 'name' | 'keyId'>, b: Pick<Signer, 'name' | 'keyId'>): boolean {
  return a.name === b.name && sameHash(a.keyId, b.keyId);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
