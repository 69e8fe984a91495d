// Gets the outside evidence that a spec's check asks for. What it means is the spec's; here is only how it is got, within
// bounds of time and size.
import type { EvidenceRequest } from '../engine/options.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { verifyAttestation } from './attestation.ts';
import { runCommand } from './command.ts';
import { getAddress } from './probe.ts';

/** Why there is no evidence, in words for the record. */
export class NoEvidence extends Error {}

export interface EvidenceOptions {
  /** Where commands run; without it none does. */
  readonly workspace?: string;
}

/** Rejects with `NoEvidence`. */
export type GetEvidence = (request: EvidenceRequest) => Promise<JsonObject>;

export function evidenceGetter({ workspace }: EvidenceOptions = {}): GetEvidence {
  return async ({ means, subject, attestation, timeoutMs }) => {
    switch (means.t) {
      case 'command': {
        if (workspace === undefined)
          throw new NoEvidence('this Interlock runs no commands; it was started without a workspace');
        return runCommand(means.argv, { subject, workspace, timeoutMs });
      }
      case 'probe':
        return getAddress(means.url, { subject, timeoutMs });
      case 'attestation':
        return verifyAttestation(attestation, { type: means.type, keys: means.keys, subject });
    }
  };
}

/** The subject as text in a command or an address. */
export function subjectText(subject: Json): string {
  return typeof subject === 'string' ? subject : JSON.stringify(subject);
}
