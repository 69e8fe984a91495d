// Verifies an attestation: a DSSE envelope (secure-systems-lab/dsse, v1.0.2) around an in-toto Statement (v1), signed by
// one of the keys that the spec names, about the subject that the rule asks for. The spec vouches for the keys.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { toJson } from '../step/json.ts';
import { reader } from '../step/parse.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { NoEvidence } from './evidence.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const SIGNATURES_MAX = 20;
const SUBJECTS_MAX = 1_000;

export interface Wanted {
  readonly type: string;
  /** PEM. */
  readonly keys: readonly string[];
  /** A digest, bare or as `sha256:<hex>`; null: whatever it is about. */
  readonly subject: Json;
}

/** `{ predicate, signedBy }`; the envelope stays with the step, so that anybody can verify it again. */
export function verifyAttestation(attestation: Json, { type, keys, subject }: Wanted): JsonObject {
  if (attestation === null) throw new NoEvidence('an attestation must be handed in with the check');
  const { payload, signatures } = readEnvelope(attestation);
  const signer = keys.findIndex((pem) => {
    const key = publicKey(pem);
    return signatures.some((signature) => isSignedBy(key, payload, signature));
  });
  if (signer < 0) throw new NoEvidence('no signature on the attestation is of a key that the spec names');
  const statement = readStatement(payload);
  if (statement.predicateType !== type)
    throw new NoEvidence(
      `the attestation is of type ${JSON.stringify(statement.predicateType)}, not ${type}`,
    );
  if (subject !== null && !isAbout(statement.subject, String(subject)))
    throw new NoEvidence(`the attestation is not about ${String(subject)}`);
  return { predicate: statement.predicate, key: signer };
}

function publicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new NoEvidence('a key that the spec names is no public key in PEM');
  }
}

function isSignedBy(key: KeyObject, payload: Buffer, signature: Buffer): boolean {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  const signed = Buffer.concat([Buffer.from(head), payload]);
  // Ed25519 hashes by itself; for the others DSSE implementations use SHA-256.
  const hash = key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? null : 'sha256';
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false;
  }
}

function readEnvelope(value: Json): { payload: Buffer; signatures: Buffer[] } {
  const read = reader();
  const fields = read.object(value, '', ['payloadType', 'payload', 'signatures']);
  const { payloadType, payload, signatures } = fields ?? {};
  const list = Array.isArray(signatures) ? signatures.slice(0, SIGNATURES_MAX) : [];
  const texts = list.map((item: unknown, i) => {
    const signature = read.object(item, `/signatures/${i}`, ['keyid', 'sig']);
    return read.content(signature?.sig, `/signatures/${i}/sig`);
  });
  const body = read.content(payload, '/payload');
  const [problem] = read.problems;
  if (problem !== undefined || payloadType !== PAYLOAD_TYPE || texts.length === 0)
    throw new NoEvidence(
      problem === undefined
        ? `the attestation is no DSSE envelope of ${PAYLOAD_TYPE}`
        : `the attestation is no DSSE envelope: ${problem.at} should be ${problem.expected}`,
    );
  return {
    payload: Buffer.from(body, 'base64'),
    signatures: texts.map((text) => Buffer.from(text, 'base64')),
  };
}

interface Statement {
  readonly predicateType: Json;
  readonly predicate: Json;
  readonly subject: readonly Json[];
}

function readStatement(payload: Buffer): Statement {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    throw new NoEvidence('what was signed is not JSON');
  }
  const json = toJson(value);
  const fields = json.ok ? (json.value as JsonObject) : null;
  if (typeof fields !== 'object' || fields === null || fields._type !== STATEMENT_TYPE)
    throw new NoEvidence(`what was signed is no ${STATEMENT_TYPE}`);
  const { predicateType = null, predicate = null, subject } = fields;
  return {
    predicateType,
    predicate,
    subject: Array.isArray(subject) ? (subject as readonly Json[]).slice(0, SUBJECTS_MAX) : [],
  };
}

function isAbout(subjects: readonly Json[], wanted: string): boolean {
  return subjects.some((subject) => {
    const digests = (subject as { digest?: Json } | null)?.digest ?? {};
    return Object.entries(digests as object).some(
      ([algorithm, digest]) => digest === wanted || `${algorithm}:${String(digest)}` === wanted,
    );
  });
}
