// What of the protocol's revisions a proxy has to know. Through 2025-11-25 a session begins with `initialize`; since
// 2026-07-28 every request names its revision in `_meta`, and results say whether they are complete.
import { type Fields, field } from './message.ts';

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const FIRST_STATELESS = '2026-07-28';

/** Whether the request is of a revision without sessions. Revisions are dates and compare as text. */
export function isStateless(params: Fields): boolean {
  const version = versionOf(params);
  return version !== null && version >= FIRST_STATELESS;
}

export function versionOf(params: Fields): string | null {
  const version = field(params._meta, VERSION_KEY);
  return typeof version === 'string' ? version : null;
}

/** The part of a result that says it is the last word, where the revision asks for it. */
export function completed(stateless: boolean): Fields {
  return stateless ? { resultType: 'complete' } : {};
}

/** Interim answer of the multi-round-trip pattern: the server asks, and the client calls again with the answers. */
export function isInputRequired(result: Fields): boolean {
  return result.resultType === 'input_required';
}

/** Which header mirrors which field of the parameters (Streamable HTTP, "Standard Request Headers"). */
export const NAME_FIELDS: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};
