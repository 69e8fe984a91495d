// Node's own SHA-256: some ten times as fast as the portable one, and the same digests.
import { hash } from 'node:crypto';
import type { Sha256 } from '../step/digest.ts';

export const nativeSha256: Sha256 = (text) => hash('sha256', text, 'hex');
