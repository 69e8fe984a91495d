// Section 5: what an interceptor returned, as a verdict, or as the deny that takes its place. Members that are null are
// absent; members that are not known make it invalid.
import { canonicalize } from '../step/canonical.ts';
import type { JsonObject } from '../step/types.ts';
import { parsePath } from './path.ts';
import { hostError, type Verdict, type Warning } from './types.ts';

/** Section 5.3: of the canonical form, in UTF-8. */
export const EVIDENCE_BYTES_MAX = 10_240;

const MEMBERS = [
  'decision',
  'reason',
  'message',
  'warnings',
  'approval',
  'transform',
  'evidence',
  'result_labels',
];

/** The verdict, or `deny` with `host_error:verdict_invalid` or what a path that is not the target's is answered with. */
export function parseVerdict(given: unknown): Verdict {
  const invalid = (what: string) => hostError('verdict_invalid', what);
  // Its own copy: what the interceptor keeps cannot change it later.
  let value: unknown;
  try {
    value = JSON.parse(canonicalize(given));
  } catch {
    return invalid('not JSON');
  }
  if (!isObject(value)) return invalid('not an object');
  if (Object.keys(value).some((key) => !MEMBERS.includes(key))) return invalid('an unknown member');
  const { decision, reason, message, warnings, approval, transform, evidence, result_labels } = value;
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'transform') return invalid('decision');
  if (!isText(reason) || isReserved(reason)) return invalid('reason');
  if (!isText(message)) return invalid('message');
  if (!isAbsent(warnings) && !(Array.isArray(warnings) && warnings.every(isWarning)))
    return invalid('warnings');
  if (!isAbsent(approval) && (!isObject(approval) || decision !== 'deny')) return invalid('approval');
  if (!isAbsent(evidence) && !isEvidence(evidence)) return invalid('evidence');
  if (!isAbsent(result_labels) && !isTexts(result_labels)) return invalid('result_labels');
  if (!isAbsent(transform)) {
    if (!isObject(transform) || typeof transform.path !== 'string') return invalid('transform');
    if (Object.keys(transform).some((key) => key !== 'path' && key !== 'value')) return invalid('transform');
    const path = parsePath(transform.path);
    if (!path.ok) return hostError(path.error);
  }
  if (isAbsent(transform) === (decision === 'transform')) return invalid('transform');
  return withoutNull(value) as unknown as Verdict;
}

function isWarning(value: unknown): value is Warning {
  return (
    isObject(value) &&
    Object.keys(value).every((key) => key === 'reason' || key === 'message') &&
    isText(value.reason) &&
    !isReserved(value.reason) &&
    isText(value.message)
  );
}

function isEvidence(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { artefact, verification_pointers: pointers, ...more } = value;
  if (Object.keys(more).length > 0 || !isText(artefact)) return false;
  if (pointers !== undefined && !(isObject(pointers) && isTexts(Object.values(pointers)))) return false;
  return Buffer.byteLength(canonicalize(value)) <= EVIDENCE_BYTES_MAX;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isText(value: unknown): value is string | null | undefined {
  return isAbsent(value) || typeof value === 'string';
}

function isReserved(reason: string | null | undefined): boolean {
  return reason?.startsWith('host_error:') === true;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function withoutNull(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
