// Errors as RFC 9457 problem details: what is wrong, where, and how to mend it. Data only; `reply.ts` sends them.
import { EngineError } from '../engine/problem.ts';
import type { EngineProblem } from '../engine/types.ts';
import type { FieldProblem } from '../step/json.ts';

/** A refusal before the engine was asked, beside the engine's own codes. */
export type ApiCode =
  | EngineProblem['code']
  | 'malformed-json'
  | 'invalid-body'
  | 'invalid-query'
  | 'invalid-path'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'not-found'
  | 'method-not-allowed'
  | 'unknown-spec'
  | 'host-not-allowed'
  | 'origin-not-allowed'
  | 'unauthorized'
  | 'not-yours'
  | 'internal';

/** The body of `application/problem+json`. `where` is a JSON pointer, a query key, or `line:column`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ApiCode;
  readonly detail: string;
  readonly where?: string;
  readonly mend?: string;
  /** Every wrong field, when there may be several. */
  readonly problems?: readonly { where: string; expected: string; found: string; mend?: string }[];
}

const KNOWN: Readonly<Record<ApiCode, readonly [status: number, title: string]>> = {
  'unknown-session': [404, 'No such session'],
  'session-ended': [409, 'The session takes no more steps'],
  'duplicate-id': [409, 'The id is taken by another step'],
  'unknown-hold': [404, 'No such hold'],
  'unknown-stop': [404, 'No such stop is in force'],
  'hold-closed': [409, 'The hold is no longer pending'],
  'not-allowed-to-answer': [403, 'This person may not answer this hold'],
  'limit-exceeded': [422, 'A limit is exceeded'],
  overloaded: [503, 'Too much is waiting'],
  'store-failed': [500, 'The decision could not be made durable'],
  invalid: [422, 'The request cannot be carried out'],
  'malformed-json': [400, 'The body is not JSON'],
  'invalid-body': [422, 'The body has the wrong shape'],
  'invalid-query': [400, 'The query has a wrong key or value'],
  'invalid-path': [400, 'The path cannot be read'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body is not application/json'],
  'not-found': [404, 'No such path'],
  'method-not-allowed': [405, 'The path has no such method'],
  'unknown-spec': [404, 'No such spec'],
  'host-not-allowed': [421, 'This server answers on loopback only'],
  'origin-not-allowed': [403, 'Another web page may not call this server'],
  unauthorized: [401, 'The key is missing or unknown'],
  'not-yours': [403, 'The key does not reach so far'],
  internal: [500, 'Interlock failed'],
};

export function problem(
  code: ApiCode,
  detail: string,
  more: Partial<Pick<Problem, 'where' | 'mend'>> & { problems?: NonNullable<Problem['problems']> } = {},
): Problem {
  const [status, title] = KNOWN[code];
  return { type: `urn:interlock:problem:${code}`, title, status, code, detail, ...more };
}

/** A body whose fields are wrong: the first of them is the headline. */
export function invalidBody(fields: readonly FieldProblem[]): Problem {
  const first = fields[0]!;
  return problem(
    'invalid-body',
    `${first.at || 'the body'}: expected ${first.expected}, found ${first.found}`,
    {
      where: first.at,
      ...(first.mend === undefined ? {} : { mend: first.mend }),
      problems: fields.map(({ at, ...rest }) => ({ where: at, ...rest })),
    },
  );
}

export function isProblem(value: object): value is Problem {
  return 'code' in value && 'title' in value && 'status' in value;
}

/** What the engine refuses keeps its code; anything else is a failure of ours, whose insides are nobody's business. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof EngineError)) {
    return problem('internal', 'The request failed inside Interlock; its log says why.');
  }
  const { code, message, mend } = error.problem;
  return problem(code, message, mend === undefined ? {} : { mend });
}
