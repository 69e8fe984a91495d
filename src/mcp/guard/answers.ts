// What the client, and through it the model, reads when a step may not go on. A policy's denial is a tool result that
// says what would be allowed; a failure of ours or of the server is a JSON-RPC error. The two are never mixed up.
import type { DeniedResult } from '../../sdk/errors.ts';
import type { JsonObject } from '../../step/types.ts';
import {
  DENIED,
  errorText,
  type Fields,
  HELD,
  type Id,
  INVALID_PARAMS,
  resultText,
  UNAVAILABLE,
} from '../wire/message.ts';
import { completed } from '../wire/revision.ts';
import type { Ruling } from './session.ts';

export type Refusal = Exclude<Ruling, { t: 'allowed' } | { t: 'cancelled' }>;

/** Whether the tool ran and only its result is kept back. */
export interface CallFacts {
  readonly id: Id;
  readonly stateless: boolean;
  readonly ran: boolean;
}

/** The answer to a `tools/call`. */
export function refusedCall({ id, stateless, ran }: CallFacts, refusal: Refusal): string {
  switch (refusal.t) {
    case 'denied': {
      const kept = ran ? 'The tool ran, but its result is withheld. ' : '';
      return toolError(id, stateless, kept + deniedWords(refusal), { 'interlock/denied': refusal.denied });
    }
    case 'held': {
      const text =
        `Held: ${refusal.because} A person has to approve this call (hold ${refusal.hold}). ` +
        'Once it is approved, make the same call again with the same arguments.';
      return toolError(id, stateless, text, { 'interlock/held': { hold: refusal.hold } });
    }
    default:
      return refusedRequest(id, refusal, ran);
  }
}

/** The answer to any other request. */
export function refusedRequest(id: Id, refusal: Refusal, ran = false): string {
  switch (refusal.t) {
    case 'denied':
      return errorText(id, DENIED, deniedWords(refusal), { interlock: refusal.denied as unknown as Fields });
    case 'held':
      return errorText(
        id,
        HELD,
        `Held: ${refusal.because} Ask again once hold ${refusal.hold} is approved.`,
        {
          interlock: { hold: refusal.hold },
        },
      );
    case 'invalid':
      return errorText(id, INVALID_PARAMS, refusal.message);
    case 'failed': {
      const what = ran ? 'It ran, but its result cannot be given. ' : 'Not done. ';
      return errorText(id, UNAVAILABLE, `${what}${refusal.message}`, { interlock: { error: refusal.code } });
    }
  }
}

function deniedWords({ denied, halted }: { denied: DeniedResult; halted: boolean }): string {
  const { rules, because, repair } = denied;
  const by = rules.length === 0 ? '' : ` (${rules.join(', ')})`;
  const stopped = halted ? ' The session is stopped: no further step will be allowed.' : '';
  const mend = repair === undefined ? '' : ` What to do instead: ${repair}`;
  return `Denied by policy${by}: ${because}${mend}${stopped}`;
}

/** Errors of tools are results, so that the model reads them (MCP, "Error Handling" of tools). */
function toolError(id: Id, stateless: boolean, text: string, meta: Fields): string {
  return resultText(id, {
    ...completed(stateless),
    content: [{ type: 'text', text }],
    isError: true,
    _meta: meta as JsonObject,
  });
}
