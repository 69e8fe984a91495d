// A table of routes and the way from a request to one of them. No policy and no engine here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Parsed } from '../step/json.ts';
import { readJsonBody } from './body.ts';
import { invalidBody, type Problem, problem } from './problem.ts';
import { type Key, parseQuery, type Query } from './query.ts';

/** A request that has found its route. */
export interface Call<Q> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** `streaming` says that the handler writes the response itself. */
export type Answer = { readonly status: number; readonly body: unknown } | Problem | 'streaming';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `{name}` stands for one segment: `/v1/sessions/{id}/steps`. */
  readonly path: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse, match: Match) => Promise<Answer>;
}

interface Match {
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
}

export function get<S extends Record<string, Key>>(
  path: string,
  keys: S,
  handle: (call: Call<Query<S>>) => Promise<Answer>,
): Route {
  return {
    method: 'GET',
    path,
    async answer(request, response, match) {
      const query = parseQuery(match.query, keys);
      if (!query.ok) return query.problem;
      return handle({ params: match.params, query: query.value, request, response });
    },
  };
}

export function post<T>(
  path: string,
  parse: (value: unknown) => Parsed<T>,
  handle: (call: Call<Record<string, never>>, body: T) => Promise<Answer>,
): Route {
  return {
    method: 'POST',
    path,
    async answer(request, response, match) {
      const query = parseQuery(match.query, {});
      if (!query.ok) return query.problem;
      const body = await readJsonBody(request);
      if (!body.ok) return body.problem;
      const parsed = parse(body.value);
      if (!parsed.ok) return invalidBody(parsed.problems);
      return handle({ params: match.params, query: {}, request, response }, parsed.value);
    },
  };
}

export type Found =
  | { readonly ok: true; readonly route: Route; readonly match: Match }
  | { readonly ok: false; readonly problem: Problem; readonly allow?: string };

interface Pattern {
  readonly segments: readonly string[];
  readonly routes: Route[];
}

export function createRouter(routes: readonly Route[]): (method: string, url: string) => Found {
  const patterns = new Map<string, Pattern>();
  for (const route of routes) {
    const pattern = patterns.get(route.path) ?? { segments: route.path.split('/'), routes: [] };
    pattern.routes.push(route);
    patterns.set(route.path, pattern);
  }
  return (method, url) => {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const segments = path.split('/', 16);
    for (const pattern of patterns.values()) {
      const params = matchSegments(pattern.segments, segments);
      if (params === null) continue;
      if (params === 'undecodable')
        return { ok: false, problem: problem('invalid-path', 'a % escape is broken') };
      const wanted = method === 'HEAD' ? 'GET' : method;
      const route = pattern.routes.find((route) => route.method === wanted);
      const query = mark < 0 ? '' : url.slice(mark + 1);
      if (route !== undefined) return { ok: true, route, match: { params, query } };
      return methodNotAllowed(method, pattern.routes);
    }
    const mend = 'The routes are listed in /openapi.json.';
    return { ok: false, problem: problem('not-found', `nothing is at ${path.slice(0, 200)}`, { mend }) };
  };
}

function methodNotAllowed(method: string, routes: readonly Route[]): Found {
  const methods = routes.flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  const allow = methods.join(', ');
  return { ok: false, allow, problem: problem('method-not-allowed', `${method} is not one of ${allow}`) };
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | 'undecodable' | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i]!;
    const found = segments[i]!;
    if (!wanted.startsWith('{')) {
      if (wanted !== found) return null;
      continue;
    }
    if (found === '') return null;
    try {
      params[wanted.slice(1, -1)] = found.includes('%') ? decodeURIComponent(found) : found;
    } catch {
      return 'undecodable';
    }
  }
  return params;
}
