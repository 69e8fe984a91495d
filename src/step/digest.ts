// Digests of canonical text, always written `sha256:<hex>`, and the chain that binds a session's states together. Pure:
// the hash is a parameter, so that a server may pass its native one; the default runs everywhere.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalize } from './canonical.ts';
import type { Step } from './types.ts';

/** SHA-256 (FIPS 180-4) of the UTF-8 bytes of well-formed text, as 64 lower-case hexadecimal digits. */
export type Sha256 = (text: string) => string;

export const portableSha256: Sha256 = (text) => bytesToHex(sha256(utf8ToBytes(text)));

/** `sha256:<hex>` of the text's UTF-8 bytes. */
export function digestText(text: string, hash: Sha256 = portableSha256): string {
  return `sha256:${hash(text)}`;
}

/** Digest of the canonical (RFC 8785) form of a JSON value. */
export function digestJson(value: unknown, hash: Sha256 = portableSha256): string {
  return digestText(canonicalize(value), hash);
}

/** Digest of a step as it was decided: over all its fields, `seq` and `time` too. */
export function stepDigest(step: Step, hash: Sha256 = portableSha256): string {
  return digestJson(step, hash);
}

/** Where a session's chain of state digests starts: the digest of its spec, or zeros when no spec applies. */
export function stateStart(spec: string | null): string {
  return spec ?? NO_SPEC_START;
}
const NO_SPEC_START = `sha256:${'0'.repeat(64)}`;

/**
 * The state digest after a step, from the one before it and what the monitor says changed. Equal digests mean equal
 * histories of changes, so a replay that ends in the same digest went through the same states.
 */
export function chainState(previous: string, changes: string, hash: Sha256 = portableSha256): string {
  return digestText(`${previous}\n${changes}`, hash);
}
