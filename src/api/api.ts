// The HTTP door: requests become engine calls, verdicts and problems become answers. No policy here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Engine } from '../engine/types.ts';
import { type Caller, createCallers } from './callers.ts';
import { EVENT_LIMITS, type EventLimits, eventRoute } from './events.ts';
import { holdRoutes } from './hold-routes.ts';
import { refuseForeign } from './origin.ts';
import { isProblem, problemOf } from './problem.ts';
import { type Health, recordRoutes } from './record-routes.ts';
import { sendJson, sendProblem } from './reply.ts';
import { createRouter, type Route } from './router.ts';
import { sessionRoutes } from './session-routes.ts';
import { stopRoutes } from './stop-routes.ts';

export interface ApiOptions {
  readonly engine: Engine;
  readonly health: () => Health;
  readonly events?: EventLimits;
  /** Agents' programs must show the key of one of these to open sessions and take steps; anybody may when absent. */
  readonly callers?: readonly Caller[];
  /** Told of failures that are ours; refusals of the engine are the caller's business and are not logged. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Api {
  readonly routes: readonly Route[];
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Ends every event stream and every wait. */
  close(): void;
}

export function createApi(options: ApiOptions): Api {
  const { engine, health, onFailure = () => {} } = options;
  const events = eventRoute(engine, options.events ?? EVENT_LIMITS);
  const holds = holdRoutes(engine);
  const callers = options.callers === undefined ? null : createCallers(options.callers, engine);
  const routes = [
    ...sessionRoutes(engine, callers),
    ...holds.routes,
    ...stopRoutes(engine),
    ...recordRoutes(engine, health),
    events.route,
  ];
  const find = createRouter(routes);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = refuseForeign(request);
    if (foreign !== null) return sendProblem(response, foreign, ['connection', 'close']);
    const found = find(request.method ?? '', request.url ?? '/');
    if (!found.ok) {
      return sendProblem(response, found.problem, found.allow === undefined ? [] : ['allow', found.allow]);
    }
    const answer = await found.route.answer(request, response, found.match);
    if (answer === 'streaming') return;
    if (!isProblem(answer)) return sendJson(response, answer.status, answer.body);
    sendProblem(response, answer);
  }

  return {
    routes,
    handle(request, response) {
      handle(request, response).catch((error: unknown) => {
        if (request.errored !== null || response.destroyed) return;
        const problem = problemOf(error);
        if (problem.status === 500) onFailure(error);
        sendProblem(response, problem);
      });
    },
    close() {
      holds.close();
      events.close();
    },
  };
}

/** Paths that belong to the API; everything else on the port is the page. */
export function isApiPath(url: string): boolean {
  return (
    url.startsWith('/v1/') || url === '/v1' || url === '/openapi.json' || url.startsWith('/openapi.json?')
  );
}
