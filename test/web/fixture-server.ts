// A small stand-in for Interlock's server: the contract of docs/http-api.md over generated sessions, and the built page
// under the strictest Content-Security-Policy it has to live with. Tests change its sessions and watch the page follow.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Answer, EngineEvent, Hold, StepRow, Stop, StopRequest } from '../../src/engine/types.ts';
import type { Verdict } from '../../src/monitor/types.ts';
import { type FixtureSession, SPEC_DIGEST, SPEC_TEXT } from './fixture-sessions.ts';

const CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface FixtureServer {
  readonly url: string;
  /** Answers posted to holds, in order. */
  readonly answers: readonly Answer[];
  /** Stops posted, lifted ones too. */
  readonly stops: readonly Stop[];
  /** Adds a session as the newest and says so on the event stream. */
  addSession(session: FixtureSession): void;
  appendStep(session: string, row: StepRow): void;
  /** While away, every API request's connection is dropped, as when the process is gone. */
  setAway(away: boolean): void;
  close(): Promise<void>;
}

export async function startFixtureServer(
  files: ReadonlyMap<string, Buffer>,
  initial: readonly FixtureSession[],
): Promise<FixtureServer> {
  const sessions = [...initial];
  const answers: Answer[] = [];
  const stops: Stop[] = [];
  const streams = new Set<ServerResponse>();
  let away = false;

  const emit = (event: EngineEvent): void => {
    for (const stream of streams) stream.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  const find = (id: string): FixtureSession => {
    const found = sessions.find((each) => each.summary.id === id);
    if (!found) throw new Problem(404, 'unknown-session', `There is no session ${id}.`);
    return found;
  };

  const change = (id: string | undefined, given: Partial<StopRequest> & Pick<StopRequest, 'by'>): Stop => {
    const at = stops.findIndex((stop) => stop.id === id);
    const stop: Stop =
      at < 0
        ? {
            agent: given.agent ?? null,
            version: given.version ?? null,
            tool: given.tool ?? null,
            tenant: given.tenant ?? null,
            reason: given.reason ?? '',
            by: given.by,
            id: `stop-${stops.length}`,
            at: 1_760_000_000_000,
            lifted: null,
          }
        : { ...stops[at]!, lifted: { by: given.by, at: 1_760_000_100_000 } };
    if (at < 0) stops.push(stop);
    else stops[at] = stop;
    emit({ type: 'stop', stop: stop.id });
    return stop;
  };

  const api = async (request: IncomingMessage, url: URL): Promise<unknown> => {
    const [, , resource, id, part] = url.pathname.split('/').map(decodeURIComponent);
    if (resource === 'sessions' && id === undefined) return list(sessions, url.searchParams);
    if (resource === 'sessions' && part === undefined) return find(id!).summary;
    if (resource === 'sessions') return range(find(id!), url.searchParams);
    if (resource === 'findings') return { findings: [] };
    if (resource === 'stops' && request.method === 'POST') return change(id, JSON.parse(await body(request)));
    if (resource === 'stops') return { stops: stops.filter((stop) => stop.lifted === null) };
    if (resource === 'holds' && id === undefined) {
      const rows = find(url.searchParams.get('session')!).rows ?? [];
      return { holds: rows.flatMap((row) => (row.hold?.state === 'pending' ? [row.hold] : [])) };
    }
    if (resource === 'specs' && id === SPEC_DIGEST) {
      return { digest: SPEC_DIGEST, name: 'support-refunds', canonical: SPEC_TEXT };
    }
    if (resource === 'holds' && part === 'answer')
      return answer(id!, JSON.parse(await body(request)) as Answer);
    throw new Problem(404, 'unknown', `There is no ${url.pathname}.`);
  };

  const answer = (id: string, given: Answer): Hold => {
    for (const session of sessions) {
      const at = session.rows?.findIndex((row) => row.hold?.id === id) ?? -1;
      const row = session.rows?.[at];
      if (!row?.hold) continue;
      if (!row.hold.by.includes(given.role)) {
        throw new Problem(403, 'not-allowed-to-answer', `The role ${given.role} may not answer this hold.`);
      }
      answers.push(given);
      const said = { by: given.by, role: given.role, approve: given.approve, reason: given.reason ?? null };
      const hold: Hold = {
        ...row.hold,
        state: given.approve ? 'approved' : 'refused',
        answers: [{ ...said, at: row.hold.createdAt + 60_000 }],
      };
      session.rows![at] = { ...row, hold };
      session.summary = { ...session.summary, state: 'open' };
      emit({ type: 'hold', session: session.summary.id, hold: id, state: hold.state });
      return hold;
    }
    throw new Problem(404, 'unknown-hold', `There is no hold ${id}.`);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture');
    if (!url.pathname.startsWith('/v1/')) return serveFile(files, url.pathname, response);
    if (away) return void request.socket.destroy();
    if (url.pathname === '/v1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': open\n\n');
      streams.add(response);
      request.on('close', () => streams.delete(response));
      return;
    }
    api(request, url).then(
      (value) => send(response, 200, 'application/json', value),
      (error: unknown) => {
        const problem = error instanceof Problem ? error : new Problem(500, 'invalid', String(error));
        const { status, code, message } = problem;
        send(response, status, 'application/problem+json', {
          type: 'about:blank',
          status,
          code,
          detail: message,
        });
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The fixture server has no port.');

  return {
    url: `http://127.0.0.1:${address.port}`,
    answers,
    stops,
    addSession(session) {
      sessions.unshift(session);
      emit({ type: 'session', session: session.summary.id });
    },
    appendStep(id, row) {
      const session = find(id);
      session.rows!.push(row);
      session.summary = { ...session.summary, steps: session.rows!.length, lastAt: row.step.time };
      emit({ type: 'step', session: id, seq: row.step.seq });
    },
    setAway(value) {
      away = value;
      if (!away) return;
      for (const stream of streams) stream.destroy();
      server.closeIdleConnections();
    },
    close() {
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

class Problem extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function list(sessions: readonly FixtureSession[], query: URLSearchParams): unknown {
  const text = query.get('text')?.toLowerCase();
  const verdict = query.get('verdict') as Verdict | null;
  const agent = query.get('agent');
  const from = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  const found = sessions
    .map((session) => session.summary)
    .filter((s) => !text || `${s.title} ${s.id} ${s.agent.name}`.toLowerCase().includes(text))
    .filter((s) => !verdict || s.verdicts[verdict] > 0)
    .filter((s) => !agent || s.agent.name === agent);
  const next = from + limit < found.length ? String(from + limit) : null;
  return { sessions: found.slice(from, from + limit), next };
}

function range(session: FixtureSession, query: URLSearchParams): unknown {
  const from = Number(query.get('from') ?? 0);
  const total = session.summary.steps;
  const count = Math.max(0, Math.min(Number(query.get('limit') ?? 200), total - from));
  return {
    steps: Array.from({ length: count }, (_, i) => session.rows?.[from + i] ?? session.row(from + i)),
    total,
  };
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, status: number, type: string, value: unknown): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

/** A file of the build, or the page itself for every address that is not a file: the page has its own router. */
function serveFile(files: ReadonlyMap<string, Buffer>, path: string, response: ServerResponse): void {
  const type = TYPES[extname(path)];
  const content = files.get(type ? path : '/index.html');
  if (content === undefined) return void response.writeHead(404).end();
  response.writeHead(200, {
    'content-type': type ?? TYPES['.html']!,
    'content-security-policy': CSP,
    'x-content-type-options': 'nosniff',
  });
  response.end(content);
}
