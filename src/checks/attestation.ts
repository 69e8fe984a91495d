// Verifies an attestation: a signed statement by one of the keys that the spec names, about the subject that the rule asks for. The
// spec vouches for the keys.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  AttestationInvalid,
  type AttestationKey,
  readEnvelope,
  type Statement,
  signedBy,
  statementIn,
} from '../evidence/index.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { NoEvidence } from './evidence.ts';

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
  const { signer, statement } = opened(attestation, keys);
  if (statement.predicateType !== type)
    throw new NoEvidence(
      `the attestation is of type ${JSON.stringify(statement.predicateType)}, not ${type}`,
    );
  if (subject !== null && !isAbout(statement, String(subject)))
    throw new NoEvidence(`the attestation is not about ${String(subject)}`);
  return { predicate: statement.predicate, key: signer };
}

/** The place of the first key that has signed it. */
function opened(attestation: Json, keys: readonly string[]): { signer: number; statement: Statement } {
  try {
    const envelope = readEnvelope(attestation);
    const signer = keys.findIndex((pem) => signedBy(envelope, [pemKey(pem)]).length > 0);
    if (signer < 0) throw new NoEvidence('no signature on the attestation is of a key that the spec names');
    return { signer, statement: statementIn(envelope) };
  } catch (error) {
    if (!(error instanceof AttestationInvalid)) throw error;
    throw new NoEvidence(`the attestation is no DSSE envelope of a statement: ${error.message}`);
  }
}

/** Keys of every kind that Node knows. */
function pemKey(pem: string): AttestationKey {
  const key = publicKey(pem);
  // Ed25519 hashes by itself; for the others DSSE implementations use SHA-256.
  const hash = key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? null : 'sha256';
  return {
    keyid: '',
    verify(message, signature) {
      try {
        return verify(hash, message, key, signature);
      } catch {
        return false;
      }
    },
  };
}

function publicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new NoEvidence('a key that the spec names is no public key in PEM');
  }
}

function isAbout({ subject }: Statement, wanted: string): boolean {
  return subject.some(({ digest }) =>
    Object.entries(digest).some(([algorithm, hex]) => hex === wanted || `${algorithm}:${hex}` === wanted),
  );
}
