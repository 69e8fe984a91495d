// Mounts the MCP door on the server's engine, with the server's callers: MCP servers over HTTP behind `/mcp/NAME`.

import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type Caller, createCallers } from '../api/callers.ts';
import { isProblem } from '../api/problem.ts';
import type { Engine } from '../engine/types.ts';
import {
  ConfigInvalid,
  createCatalogue,
  createMcpDoor,
  guardedSession,
  type Identity,
  type McpDoor,
  openPins,
  parseUpstreams,
  specViews,
  type UpstreamConfig,
} from '../mcp/index.ts';
import { localTransport } from '../sdk/local.ts';
import { parseSessionInit } from '../step/parse.ts';

/** How long a held call waits before the client hears of it: less than clients wait for an answer. */
const HOLD_WAIT_MS = 50_000;
const NOBODY = 'mcp';

/** Rejects with `ConfigInvalid`. */
export async function loadMcp(file: string): Promise<readonly UpstreamConfig[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigInvalid(`${file}: cannot be read (${error.code})`);
  });
  return parseUpstreams(text, file, process.env);
}

export function openMcp(setup: {
  readonly engine: Engine;
  readonly upstreams: readonly UpstreamConfig[];
  readonly callers: readonly Caller[] | undefined;
  readonly dataDir: string;
  readonly log: (line: string) => void;
}): McpDoor {
  const { engine, upstreams, callers, dataDir } = setup;
  const log = (line: string) => setup.log(`mcp: ${line}`);
  const pins = openPins(join(dataDir, 'mcp-pins'));
  const transport = localTransport(engine, 'mcp');
  const known = callers === undefined ? null : createCallers(callers, engine);
  return createMcpDoor({
    upstreams: upstreams.map((upstream) => ({
      ...upstream,
      catalogue: createCatalogue({
        server: upstream.name,
        pins,
        refuse: new Set(),
        onFinding: ({ kind, server, tool, detail }) => log(`${kind}: ${server}: ${tool} ${detail}`),
        now: () => new Date(),
      }),
    })),
    identify: (request) => identify(request, known),
    open: (init, own) => guardedSession({ transport, init, holdWaitMs: HOLD_WAIT_MS, own }),
    spec: specViews(async (digest) => (await engine.spec(digest))?.canonical ?? null),
    log,
  });
}

/** What the headers say, held to the key where the server asks for keys. `Authorization` is the MCP server's. */
function identify(request: IncomingMessage, known: ReturnType<typeof createCallers> | null): Identity {
  const said = (name: string) => {
    const value = request.headers[`x-interlock-${name}`];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const parsed = parseSessionInit({
    agent: { name: said('agent') ?? NOBODY, version: said('agent-version') },
    principal: said('principal'),
    tenant: said('tenant'),
  });
  if (!parsed.ok) {
    const { at, expected, found } = parsed.problems[0]!;
    return {
      ok: false,
      status: 400,
      message: `Who calls cannot be told: ${at}: expected ${expected}, found ${found}.`,
    };
  }
  const { id: _, ...who } = parsed.value;
  if (known === null) return { ok: true, who };
  const key = said('key');
  const caller = known.of({ headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
  if (isProblem(caller))
    return {
      ok: false,
      status: 401,
      message: `${caller.detail}. Send the key of this server as x-interlock-key.`,
    };
  const admitted = known.admit(caller, who);
  if (!isProblem(admitted)) {
    const { id: _, ...init } = admitted;
    return { ok: true, who: init };
  }
  const { detail, mend } = admitted;
  return { ok: false, status: 403, message: mend === undefined ? detail : `${detail}. ${mend}` };
}
