// The single boundary for steps: an unknown JSON value becomes a valid proposal, or the list of what is wrong with it.
// Pure. Nothing behind this file checks a step's shape again.
import { describe, type FieldProblem, type Parsed, pointer, toJson } from './json.ts';
import { nearest } from './nearest.ts';
import {
  type Agent,
  type Json,
  type JsonObject,
  type Proposal,
  type SessionInit,
  STEP_KINDS,
  type StepKind,
  type Usage,
} from './types.ts';

/** Longest id, name, principal, tenant and label, in UTF-16 units. */
export const ID_LENGTH_MAX = 200;
export const LABELS_MAX = 64;

/** Kinds only Interlock itself records: a caller who could propose an approval or a check could
 * make its own proof. */
const OWN_KINDS: readonly StepKind[] = ['approval', 'check', 'session.start'];
const NAMELESS_KINDS: readonly StepKind[] = ['input', 'output', 'session.end'];

const PROPOSAL_KEYS = [
  'id',
  'kind',
  'name',
  'callId',
  'args',
  'content',
  'result',
  'error',
  'labels',
  'attributes',
  'usage',
  'parent',
  'agent',
] as const;
const USAGE_KEYS = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
] as const;

/** A step as somebody proposes it. Fields that are absent or `undefined` stay absent. */
export function parseProposal(value: unknown): Parsed<Proposal> {
  const read = reader();
  const fields = read.object(value, '', PROPOSAL_KEYS);
  if (fields === null) return { ok: false, problems: read.problems };
  const kind = read.kind(fields.kind);
  const named = kind !== null && !NAMELESS_KINDS.includes(kind);
  const proposal: Proposal = {
    kind: kind ?? 'input',
    name: named ? read.text(fields.name, '/name') : (read.optional(fields.name, '/name', read.name) ?? ''),
    ...present('id', read.optional(fields.id, '/id', read.text)),
    ...present('callId', read.optional(fields.callId, '/callId', read.text)),
    ...present(
      'args',
      kind === 'tool.call' ? read.args(fields.args ?? {}) : read.optional(fields.args, '/args', read.args),
    ),
    ...present('content', read.optional(fields.content, '/content', read.content)),
    ...present('result', read.optional(fields.result, '/result', read.json)),
    ...present('error', read.optional(fields.error, '/error', read.error)),
    ...present('labels', read.optional(fields.labels, '/labels', read.labels)),
    ...present('attributes', read.optional(fields.attributes, '/attributes', read.named)),
    ...present('usage', read.optional(fields.usage, '/usage', read.usage)),
    ...present('parent', read.optional(fields.parent, '/parent', read.text)),
    ...present('agent', read.optional(fields.agent, '/agent', read.agent)),
  };
  return read.problems.length === 0 ? { ok: true, value: proposal } : { ok: false, problems: read.problems };
}

/** A check to make: `subject` and `attestation` are null when absent. */
export function parseCheckRequest(
  value: unknown,
): Parsed<{ name: string; subject: Json; attestation: Json }> {
  const read = reader();
  const fields = read.object(value, '', ['name', 'subject', 'attestation']);
  if (fields === null) return { ok: false, problems: read.problems };
  const request = {
    name: read.text(fields.name, '/name'),
    subject: read.json(fields.subject ?? null, '/subject'),
    attestation: read.json(fields.attestation ?? null, '/attestation'),
  };
  return read.problems.length === 0 ? { ok: true, value: request } : { ok: false, problems: read.problems };
}

/** What a session starts with. */
export function parseSessionInit(value: unknown): Parsed<SessionInit> {
  const read = reader();
  const fields = read.object(value, '', ['id', 'agent', 'principal', 'tenant']);
  if (fields === null) return { ok: false, problems: read.problems };
  const init: SessionInit = {
    agent: read.agent(fields.agent, '/agent'),
    ...present('id', read.optional(fields.id, '/id', read.text)),
    ...present('principal', read.optional(fields.principal, '/principal', read.text)),
    ...present('tenant', read.optional(fields.tenant, '/tenant', read.text)),
  };
  return read.problems.length === 0 ? { ok: true, value: init } : { ok: false, problems: read.problems };
}

function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

/** Reads fields and collects problems; on a problem a reader answers a harmless value, which is never used. */
export function reader() {
  const problems: FieldProblem[] = [];
  const refuse = (at: string, expected: string, found: unknown, mend?: string): void => {
    const problem = { at, expected, found: describe(found) };
    problems.push(mend === undefined ? problem : { ...problem, mend });
  };

  function object<K extends string>(
    value: unknown,
    at: string,
    keys: readonly K[],
  ): Partial<Record<K, unknown>> | null {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse(at, 'an object', value);
      return null;
    }
    for (const key of Object.keys(value)) {
      if ((keys as readonly string[]).includes(key)) continue;
      const near = nearest(key, keys);
      const mend = near === null ? `Known keys: ${keys.join(', ')}.` : `Did you mean "${near}"?`;
      problems.push({
        at: pointer(at, key),
        expected: 'a known key',
        found: JSON.stringify(key.slice(0, 60)),
        mend,
      });
    }
    return value as Partial<Record<K, unknown>>;
  }

  function optional<T>(value: unknown, at: string, parse: (value: unknown, at: string) => T): T | undefined {
    return value === undefined ? undefined : parse(value, at);
  }

  /** A short string that may be empty. */
  function name(value: unknown, at: string): string {
    if (typeof value !== 'string') refuse(at, 'a string', value);
    else if (value.length > ID_LENGTH_MAX) refuse(at, `at most ${ID_LENGTH_MAX} characters`, value);
    else if (!value.isWellFormed() || hasControl(value)) refuse(at, 'text without control characters', value);
    else return value;
    return '';
  }

  /** A short string that is not empty: an id, a name, a principal. */
  function text(value: unknown, at: string): string {
    if (value === '' || value === undefined) refuse(at, 'a string that is not empty', value);
    else return name(value, at);
    return '';
  }

  function content(value: unknown, at: string): string {
    if (typeof value !== 'string') refuse(at, 'a string', value, 'Structured data goes in "result".');
    else if (!value.isWellFormed())
      refuse(at, 'well-formed Unicode text', value, 'Send complete characters.');
    else return value;
    return '';
  }

  function boolean(value: unknown, at: string): boolean {
    if (typeof value !== 'boolean') refuse(at, 'true or false', value);
    return value === true;
  }

  function kind(value: unknown): StepKind | null {
    if (OWN_KINDS.includes(value as StepKind)) {
      refuse(
        '/kind',
        'a kind a caller may propose',
        value,
        value === 'check' ? 'Ask for the check to be made.' : 'Interlock records this kind itself.',
      );
    } else if (!STEP_KINDS.includes(value as StepKind)) {
      const near = typeof value === 'string' ? nearest(value, STEP_KINDS) : null;
      const known = STEP_KINDS.filter((known) => !OWN_KINDS.includes(known)).join(', ');
      refuse('/kind', 'a step kind', value, near === null ? `One of ${known}.` : `Did you mean "${near}"?`);
    } else return value as StepKind;
    return null;
  }

  function json(value: unknown, at: string): Json {
    const parsed = toJson(value, at);
    if (parsed.ok) return parsed.value;
    problems.push(...parsed.problems);
    return null;
  }

  function named(value: unknown, at: string, what = 'values'): JsonObject {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return json(value, at) as JsonObject;
    refuse(at, `an object of named ${what}`, value);
    return {};
  }

  function args(value: unknown, at = '/args'): JsonObject {
    return named(value, at, 'arguments');
  }

  function error(value: unknown, at: string): NonNullable<Proposal['error']> {
    const fields = object(value, at, ['message', 'type']);
    if (fields === null) return { message: '' };
    return {
      message: content(fields.message, pointer(at, 'message')),
      ...present('type', optional(fields.type, pointer(at, 'type'), text)),
    };
  }

  function labels(value: unknown, at: string): readonly string[] {
    if (!Array.isArray(value) || value.length > LABELS_MAX) {
      refuse(at, `a list of at most ${LABELS_MAX} labels`, value);
      return [];
    }
    return value.map((label, i) => text(label, pointer(at, i)));
  }

  function usage(value: unknown, at: string): Usage {
    const fields = object(value, at, USAGE_KEYS) ?? {};
    const tokens: Partial<Record<(typeof USAGE_KEYS)[number], number>> = {};
    for (const key of USAGE_KEYS) {
      const count = fields[key];
      if (count === undefined) continue;
      if (Number.isSafeInteger(count) && (count as number) >= 0) tokens[key] = count as number;
      else refuse(pointer(at, key), 'a whole number of tokens', count);
    }
    return tokens;
  }

  function agent(value: unknown, at: string): Agent {
    const fields = object(value, at, ['name', 'version']);
    if (fields === null) return { name: '' };
    return {
      name: text(fields.name, pointer(at, 'name')),
      ...present('version', optional(fields.version, pointer(at, 'version'), text)),
    };
  }

  return {
    problems,
    object,
    optional,
    name,
    text,
    content,
    boolean,
    kind,
    json,
    named,
    args,
    error,
    labels,
    usage,
    agent,
  };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
