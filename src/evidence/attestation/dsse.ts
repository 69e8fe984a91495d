// Signed attestations: DSSE envelopes (secure-systems-lab/dsse v1.0.2) around in-toto Statements (in-toto/attestation v1). What is
// verified are the bytes that are parsed. Pure.
import { ed25519 } from '@noble/curves/ed25519.js';
import { parseJsonText, toJson } from '../../step/json.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { decodeBase64, encodeBase64 } from '../note/base64.ts';

export const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
export const ENVELOPE_MAX = 16 * 1024 * 1024;
const SIGNATURES_MAX = 64;
const SUBJECTS_MAX = 10_000;
const UTF_8 = new TextEncoder();

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** `keyid` is a hint that nobody has signed. */
  readonly signatures: readonly { readonly keyid: string; readonly sig: Uint8Array }[];
}

/** The text is no envelope or no statement, or no known key has signed it, and why. */
export class AttestationInvalid extends Error {}

/** What is signed: type and body, each after its length in bytes. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = UTF_8.encode(payloadType);
  const head = UTF_8.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const whole = new Uint8Array(head.length + payload.length);
  whole.set(head);
  whole.set(payload, head.length);
  return whole;
}

export interface AttestationSigner {
  readonly keyid: string;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface AttestationKey {
  readonly keyid: string;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** An Ed25519 public key, 32 bytes. */
export function ed25519Key(keyid: string, publicKey: Uint8Array): AttestationKey {
  return {
    keyid,
    verify: (message, signature) =>
      signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false }),
  };
}

/** An Ed25519 secret key, 32 bytes. */
export function ed25519Signer(
  keyid: string,
  secretKey: Uint8Array,
): AttestationSigner & { readonly key: AttestationKey } {
  const key = ed25519Key(keyid, ed25519.getPublicKey(secretKey));
  return { keyid, key, sign: (message) => ed25519.sign(message, secretKey) };
}

export async function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly AttestationSigner[],
): Promise<string> {
  const message = preAuthEncoding(payloadType, payload);
  const signatures = await Promise.all(
    signers.map(async (signer) => ({ keyid: signer.keyid, sig: encodeBase64(await signer.sign(message)) })),
  );
  return JSON.stringify({ payload: encodeBase64(payload), payloadType, signatures });
}

/** Its form only. Throws `AttestationInvalid`. */
export function parseEnvelope(text: string): Envelope {
  if (text.length > ENVELOPE_MAX)
    throw new AttestationInvalid(`an envelope is at most ${ENVELOPE_MAX} characters`);
  return readEnvelope(objectIn(text, 'an envelope'));
}

/** As `parseEnvelope`, of JSON that was read already. */
export function readEnvelope(value: Json): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AttestationInvalid('an envelope is a JSON object');
  const { payload, payloadType, signatures } = value as JsonObject;
  const body = typeof payload === 'string' ? anyBase64(payload) : null;
  if (body === null) throw new AttestationInvalid('/payload is base64');
  if (typeof payloadType !== 'string' || payloadType === '')
    throw new AttestationInvalid('/payloadType is a text');
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > SIGNATURES_MAX)
    throw new AttestationInvalid(`/signatures are 1 to ${SIGNATURES_MAX}`);
  return {
    payloadType,
    payload: body,
    signatures: signatures.map((one, i) => {
      const { keyid = '', sig } = (one ?? {}) as JsonObject;
      const bytes = typeof sig === 'string' ? anyBase64(sig) : null;
      if (bytes === null || typeof keyid !== 'string')
        throw new AttestationInvalid(`/signatures/${i} has a sig in base64, and a keyid that is a text`);
      return { keyid, sig: bytes };
    }),
  };
}

/** Standard or URL-safe, as the standard wants read. */
function anyBase64(text: string): Uint8Array | null {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  return decodeBase64(standard + '='.repeat((4 - (standard.length % 4)) % 4));
}

/** The keys among `keys` that have signed the envelope, each counted once, whatever keyid it is said to be of. */
export function signedBy(envelope: Envelope, keys: readonly AttestationKey[]): AttestationKey[] {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  return keys.filter((key) => envelope.signatures.some(({ sig }) => key.verify(message, sig)));
}

export interface Subject {
  readonly name?: string;
  /** By algorithm, in hexadecimal; at least one. Subjects are the same when a digest is. */
  readonly digest: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: JsonObject;
}

export function statementText({ subject, predicateType, predicate }: Statement): string {
  return JSON.stringify({ _type: STATEMENT, subject, predicateType, predicate });
}

/** Opens an envelope that at least `threshold` of the keys have signed, with a statement in it. Throws `AttestationInvalid`. */
export function openStatement(
  text: string,
  keys: readonly AttestationKey[],
  threshold = 1,
): Statement & { readonly by: readonly AttestationKey[] } {
  const envelope = parseEnvelope(text);
  const by = signedBy(envelope, keys);
  if (by.length < threshold)
    throw new AttestationInvalid(`${by.length} known keys have signed this; ${threshold} are needed`);
  return { ...statementIn(envelope), by };
}

/** What was signed, as a statement; who signed it is not asked. Throws `AttestationInvalid`. */
export function statementIn({ payloadType, payload }: Envelope): Statement {
  if (payloadType !== IN_TOTO) throw new AttestationInvalid(`the payload is ${payloadType}, not ${IN_TOTO}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    throw new AttestationInvalid('the payload is not UTF-8');
  }
  return parseStatement(text);
}

/** Throws `AttestationInvalid`. */
export function parseStatement(text: string): Statement {
  const { _type, subject, predicateType, predicate } = objectIn(text, 'a statement');
  if (_type !== STATEMENT) throw new AttestationInvalid(`/_type is ${STATEMENT}`);
  if (typeof predicateType !== 'string' || predicateType === '')
    throw new AttestationInvalid('/predicateType is a URI');
  if (
    predicate !== undefined &&
    (typeof predicate !== 'object' || predicate === null || Array.isArray(predicate))
  )
    throw new AttestationInvalid('/predicate is an object');
  if (!Array.isArray(subject) || subject.length === 0 || subject.length > SUBJECTS_MAX)
    throw new AttestationInvalid(`/subject has 1 to ${SUBJECTS_MAX}`);
  for (const [i, one] of subject.entries())
    if (!isSubject(one)) throw new AttestationInvalid(`/subject/${i}/digest has a digest`);
  return {
    subject: subject as unknown as Subject[],
    predicateType,
    predicate: (predicate ?? {}) as JsonObject,
  };
}

function isSubject(value: unknown): boolean {
  const { digest } = (value ?? {}) as { digest?: unknown };
  if (typeof digest !== 'object' || digest === null || Array.isArray(digest)) return false;
  const digests = Object.values(digest);
  return digests.length > 0 && digests.every((one) => typeof one === 'string' && one !== '');
}

function objectIn(text: string, what: string): JsonObject {
  const parsed = parseJsonText(text);
  const json = parsed.ok ? toJson(parsed.value) : null;
  if (
    json === null ||
    !json.ok ||
    typeof json.value !== 'object' ||
    json.value === null ||
    Array.isArray(json.value)
  )
    throw new AttestationInvalid(`${what} is a JSON object`);
  return json.value as JsonObject;
}
