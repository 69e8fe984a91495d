// The API's own description, OpenAPI 3.1, served at /openapi.json. A test holds it to the router and to real answers.
import { ENGINE_VERSION } from '../step/version.ts';
import { list, nullable, record, ref, SCHEMAS, type Schema } from './openapi-schemas.ts';

function content(schema: Schema, type = 'application/json'): Schema {
  return { content: { [type]: { schema } } };
}

const refused = {
  description: 'A problem (RFC 9457).',
  ...content(ref('Problem'), 'application/problem+json'),
};

function operation(
  operationId: string,
  summary: string,
  rest: Schema,
  status: string,
  answer: Schema,
): Schema {
  return {
    operationId,
    summary,
    ...rest,
    responses: { [status]: { description: 'As asked.', ...answer }, default: refused },
  };
}

function inPath(name: string): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string' } };
}

function inQuery(name: string, schema: Schema, description = ''): Schema {
  return { name, in: 'query', schema, ...(description === '' ? {} : { description }) };
}

function body(schema: Schema): Schema {
  return { required: true, ...content(schema) };
}

function upTo(maximum: number, fallback: number): Schema {
  return { type: 'integer', minimum: 1, maximum, default: fallback };
}

const id = inPath('id');
const text: Schema = { type: 'string' };
const SessionList = record({ sessions: list(ref('SessionSummary')), next: nullable(text) });
const StepPage = record({ steps: list(ref('StepRow')), total: { type: 'integer' } });

export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Interlock',
    version: ENGINE_VERSION,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description:
      'A verdict on every step of an agent before it takes effect. An answer with a verdict is durable. ' +
      'A policy denial is an answer with status 200; only a decision that could not be made is an error, and then the step must not run.',
  },
  paths: {
    '/v1/sessions': {
      post: operation(
        'openSession',
        'Open a session, or resume the open one with this id.',
        { requestBody: body(ref('SessionInit')) },
        '201',
        content(ref('SessionSummary')),
      ),
      get: operation(
        'listSessions',
        'Sessions, newest first.',
        {
          parameters: [
            inQuery('limit', upTo(200, 50)),
            inQuery('cursor', text, '`next` of the page before.'),
            inQuery('text', text),
            inQuery('verdict', ref('Verdict')),
            inQuery('agent', text),
          ],
        },
        '200',
        content(SessionList),
      ),
    },
    '/v1/sessions/{id}': {
      get: operation(
        'getSession',
        'One session.',
        { parameters: [id] },
        '200',
        content(ref('SessionSummary')),
      ),
    },
    '/v1/sessions/{id}/steps': {
      post: operation(
        'decide',
        'Propose a step and get its verdict, before it takes effect.',
        { parameters: [id], requestBody: body(ref('Proposal')) },
        '200',
        content(ref('Recorded')),
      ),
      get: operation(
        'listSteps',
        'The timeline of a session, in order.',
        {
          parameters: [
            id,
            inQuery('from', { type: 'integer', minimum: 0, default: 0 }, 'First `seq`.'),
            inQuery('limit', upTo(1000, 200)),
          ],
        },
        '200',
        content(StepPage),
      ),
    },
    '/v1/sessions/{id}/checks': {
      post: operation(
        'check',
        'Have a check of the spec made. Whether it passed is in the recorded step: `step.result.passed`.',
        { parameters: [id], requestBody: body(ref('CheckRequest')) },
        '200',
        content(ref('Recorded')),
      ),
    },
    '/v1/sessions/{id}/end': {
      post: operation('endSession', 'End a session.', { parameters: [id] }, '200', content(ref('Recorded'))),
    },
    '/v1/coverage': {
      get: operation(
        'coverage',
        'By agent, whether the tools that ran had a decision; the worst first.',
        {
          parameters: [
            inQuery('since', { type: 'integer', minimum: 0, default: 0 }, 'Milliseconds since the epoch.'),
          ],
        },
        '200',
        content(record({ agents: list(ref('AgentCoverage')) })),
      ),
    },
    '/v1/stops': {
      post: operation(
        'stop',
        'Deny every step of whom it names, from now on; each field left out stands for all.',
        { requestBody: body(ref('StopRequest')) },
        '201',
        content(ref('Stop')),
      ),
      get: operation(
        'listStops',
        'Stops, newest first.',
        {
          parameters: [
            inQuery('which', { enum: ['in-force', 'all'], default: 'in-force' }),
            inQuery('limit', upTo(1000, 200)),
          ],
        },
        '200',
        content(record({ stops: list(ref('Stop')) })),
      ),
    },
    '/v1/stops/{id}/lift': {
      post: operation(
        'liftStop',
        'Let it go on.',
        { parameters: [id], requestBody: body(record({ by: { type: 'string' } })) },
        '200',
        content(ref('Stop')),
      ),
    },
    '/v1/holds': {
      get: operation(
        'listHolds',
        'Held steps.',
        {
          parameters: [
            inQuery('state', { enum: ['pending', 'approved', 'refused', 'expired', 'used'] }),
            inQuery('session', text),
            inQuery('limit', upTo(1000, 200)),
          ],
        },
        '200',
        content(record({ holds: list(ref('Hold')) })),
      ),
    },
    '/v1/holds/{id}': {
      get: operation(
        'getHold',
        'One hold; with `wait`, once it is no longer pending or the seconds are over.',
        { parameters: [id, inQuery('wait', { type: 'integer', minimum: 0, maximum: 60, default: 0 })] },
        '200',
        content(ref('Hold')),
      ),
    },
    '/v1/holds/{id}/answer': {
      post: operation(
        'answerHold',
        'Approve or refuse exactly the held arguments.',
        { parameters: [id], requestBody: body(ref('Answer')) },
        '200',
        content(ref('Hold')),
      ),
    },
    '/v1/findings': {
      get: operation(
        'listFindings',
        'What telemetry showed that no decision covers.',
        { parameters: [inQuery('session', text), inQuery('limit', upTo(1000, 200))] },
        '200',
        content(record({ findings: list(ref('Finding')) })),
      ),
    },
    '/v1/specs/{digest}': {
      get: operation(
        'getSpec',
        'A spec by its digest, as canonical JSON text.',
        { parameters: [inPath('digest')] },
        '200',
        content(record({ digest: text, name: text, canonical: text })),
      ),
    },
    '/v1/events': {
      get: operation(
        'events',
        'Server-sent events; each `data:` is an EngineEvent.',
        {},
        '200',
        content({ type: 'string' }, 'text/event-stream'),
      ),
    },
    '/v1/health': {
      get: operation('health', 'What is running, under which specs.', {}, '200', content(ref('Health'))),
    },
    '/openapi.json': {
      get: operation('openapi', 'This document.', {}, '200', content({ type: 'object' })),
    },
  },
  components: { schemas: SCHEMAS },
} as const;
