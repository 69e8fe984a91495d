// The OpenID AuthZEN Authorization API 1.0 (final, January 2026): a gateway asks whether a subject may do an action on a
// resource. The question is a step and is recorded as one; `decision` is true for the verdict `allow` alone.
import { describe, type FieldProblem, toJson } from '../step/json.ts';
import { parseProposal, reader } from '../step/parse.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { explanation } from './answer.ts';
import { type Decider, decisive, type Ruling } from './decide.ts';
import type { Settings } from './settings.ts';
import { sessionOf, whoOf } from './who.ts';

export const EVALUATION_PATH = '/access/v1/evaluation';
export const EVALUATIONS_PATH = '/access/v1/evaluations';
export const METADATA_PATH = '/.well-known/authzen-configuration';

/** Questions in one request. */
export const EVALUATIONS_MAX = 100;

const PARTS = ['subject', 'action', 'resource', 'context'] as const;
const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;

export interface Evaluation {
  readonly decision: boolean;
  readonly context?: object;
}

export type AuthzenAnswer =
  | { readonly status: 200; readonly body: Evaluation | { readonly evaluations: readonly Evaluation[] } }
  | {
      readonly status: 400 | 401 | 403 | 503;
      readonly problems: readonly FieldProblem[];
      readonly detail: string;
    };

export interface AuthzenCaller {
  /** What the gateway shows. */
  readonly key: string | null;
  readonly headers: ReadonlyMap<string, string>;
}

/** Section 9: what this decision point offers. `url` is its own, without a slash at the end. */
export function metadata(url: string) {
  return {
    policy_decision_point: url,
    access_evaluation_endpoint: url + EVALUATION_PATH,
    access_evaluations_endpoint: url + EVALUATIONS_PATH,
  };
}

export function createAuthzen(decider: Decider, settings: Settings) {
  /** Section 6. */
  async function evaluation(body: unknown, caller: AuthzenCaller): Promise<AuthzenAnswer> {
    const asked = question(body, caller);
    if ('problems' in asked) return { status: 400, problems: asked.problems, detail: first(asked.problems) };
    const ruling = await decider.decide(caller.key, asked.init, asked.proposal);
    if (ruling.t === 'failed') {
      const { code, message } = ruling.problem;
      // The transport has statuses for who is not known, or may not ask (section 10).
      const status = code === 'unauthorized' ? 401 : code === 'not-yours' ? 403 : 503;
      return { status, problems: [], detail: message };
    }
    return { status: 200, body: evaluationOf(ruling) };
  }

  /** Section 7: several questions, with defaults for what each leaves out; without any it is one question. */
  async function evaluations(body: unknown, caller: AuthzenCaller): Promise<AuthzenAnswer> {
    if (!isObject(body) || !Object.hasOwn(body, 'evaluations')) return evaluation(body, caller);
    const { evaluations: given, options, ...defaults } = body;
    if (!Array.isArray(given) || given.length > EVALUATIONS_MAX)
      return refused('/evaluations', `a list of at most ${EVALUATIONS_MAX}`, given);
    if (given.length === 0) return evaluation(defaults, caller);
    const semantic = isObject(options) ? (options.evaluations_semantic ?? 'execute_all') : 'execute_all';
    if (!(SEMANTICS as readonly unknown[]).includes(semantic))
      return refused('/options/evaluations_semantic', SEMANTICS.join(', '), semantic);

    const found: Evaluation[] = [];
    for (const one of given as unknown[]) {
      const answer = await oneOf(one, defaults, caller);
      found.push(answer);
      if (semantic === 'deny_on_first_deny' && !answer.decision) break;
      if (semantic === 'permit_on_first_permit' && answer.decision) break;
    }
    return { status: 200, body: { evaluations: found } };
  }

  /** Section 7.2.1: an error of one question denies that question, and the others are answered. */
  async function oneOf(one: unknown, defaults: object, caller: AuthzenCaller): Promise<Evaluation> {
    const body = isObject(one) ? { ...defaults, ...one } : one;
    const asked = question(body, caller);
    if ('problems' in asked)
      return { decision: false, context: { error: { status: 400, message: first(asked.problems) } } };
    const ruling = await decider.decide(caller.key, asked.init, asked.proposal);
    return evaluationOf(ruling);
  }

  function question(body: unknown, caller: AuthzenCaller) {
    const read = reader();
    const object = (value: unknown, at: string): JsonObject => {
      const parsed = toJson(value, at);
      if (!parsed.ok) read.problems.push(...parsed.problems);
      else if (isObject(parsed.value)) return parsed.value;
      else read.problems.push({ at, expected: 'an object', found: describe(value) });
      return {};
    };
    if (!isObject(body)) return { problems: [{ at: '', expected: 'an object', found: describe(body) }] };
    // Section 5: members that are not known are ignored.
    const [subject, action, resource] = PARTS.slice(0, 3).map((part) => object(body[part], `/${part}`)) as [
      JsonObject,
      JsonObject,
      JsonObject,
    ];
    const context = body.context === undefined ? {} : object(body.context, '/context');
    const principal = `${read.text(subject.type, '/subject/type')}:${read.text(subject.id, '/subject/id')}`;
    const name = read.text(action.name, '/action/name');
    for (const field of ['type', 'id'] as const) read.text(resource[field], `/resource/${field}`);
    const properties = action.properties === undefined ? {} : object(action.properties, '/action/properties');
    const own = (member: 'agent' | 'session') =>
      context[member] === undefined ? null : read.text(context[member], `/context/${member}`);
    const agent = own('agent');
    const session = own('session');
    if (read.problems.length > 0) return { problems: read.problems };

    const asked = whoOf({ headers: caller.headers, extensions: new Map(), peer: null }, settings);
    const fallback = 'init' in asked ? asked.init : null;
    const who = sessionOf({
      agent: agent ?? fallback?.agent.name ?? null,
      principal,
      tenant: fallback?.tenant ?? null,
      session,
    });
    if ('problem' in who) return { problems: [{ at: '', expected: 'who asks', found: who.problem.message }] };
    const args: Record<string, Json> = { subject, resource, context, properties };
    const proposal = parseProposal({ kind: 'tool.call', name, args });
    return proposal.ok ? { init: who.init, proposal: proposal.value } : { problems: proposal.problems };
  }

  return { evaluation, evaluations };
}

function evaluationOf(ruling: Ruling): Evaluation {
  switch (ruling.t) {
    case 'pass':
    case 'allow':
      return { decision: true };
    case 'deny':
      return {
        decision: false,
        context: { verdict: ruling.verdict, reason: ruling.because, ...explanation(ruling) },
      };
    case 'hold':
      return {
        decision: false,
        context: {
          verdict: 'hold',
          reason: decisive(ruling.decision)?.because ?? 'A person decides.',
          hold: ruling.hold,
          ...explanation(ruling),
        },
      };
    case 'wrong':
    case 'failed': {
      const status = ruling.t === 'wrong' ? 400 : 503;
      return { decision: false, context: { error: { status, message: ruling.problem.message } } };
    }
  }
}

function refused(at: string, expected: string, found: unknown): AuthzenAnswer {
  const problems = [{ at, expected, found: describe(found) }];
  return { status: 400, problems, detail: first(problems) };
}

function first([problem]: readonly FieldProblem[]): string {
  return `${problem!.at || '/'}: expected ${problem!.expected}, found ${problem!.found}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
