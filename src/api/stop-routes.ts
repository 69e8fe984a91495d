// Stops: give the order, lift it, list what is in force.
import type { Engine, StopRequest } from '../engine/types.ts';
import type { Parsed } from '../step/json.ts';
import { reader } from '../step/parse.ts';
import { get, post, type Route } from './router.ts';

export function stopRoutes(engine: Engine): readonly Route[] {
  return [
    post('/v1/stops', parseStop, async (_call, request) => {
      return { status: 201, body: await engine.stop(request) };
    }),
    get(
      '/v1/stops',
      {
        which: { type: 'word', of: ['in-force', 'all'] },
        limit: { type: 'number', min: 1, max: 1000, absent: 200 },
      },
      async ({ query }) => {
        const stops = await engine.stops({ inForce: query.which !== 'all', limit: query.limit });
        return { status: 200, body: { stops } };
      },
    ),
    post('/v1/stops/{id}/lift', parseLift, async ({ params }, { by }) => {
      return { status: 200, body: await engine.liftStop(params.id!, by) };
    }),
  ];
}

function parseStop(value: unknown): Parsed<StopRequest> {
  const read = reader();
  const fields = read.object(value, '', ['agent', 'version', 'tool', 'tenant', 'reason', 'by']);
  if (fields === null) return { ok: false, problems: read.problems };
  const request: StopRequest = {
    agent: read.optional(fields.agent, '/agent', read.text) ?? null,
    version: read.optional(fields.version, '/version', read.text) ?? null,
    tool: read.optional(fields.tool, '/tool', read.text) ?? null,
    tenant: read.optional(fields.tenant, '/tenant', read.text) ?? null,
    reason: read.text(fields.reason, '/reason'),
    by: read.text(fields.by, '/by'),
  };
  return read.problems.length === 0 ? { ok: true, value: request } : { ok: false, problems: read.problems };
}

function parseLift(value: unknown): Parsed<{ by: string }> {
  const read = reader();
  const fields = read.object(value, '', ['by']);
  const by = read.text(fields?.by, '/by');
  return read.problems.length === 0 ? { ok: true, value: { by } } : { ok: false, problems: read.problems };
}
