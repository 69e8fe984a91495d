// The composition root: store, engine, API and page on one port, OTLP on another, one way to stop them all. Binds to
// loopback only, because there are no accounts yet.
import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApi, isApiPath } from '../api/api.ts';
import { refuseForeign } from '../api/origin.ts';
import { sendProblem } from '../api/reply.ts';
import type { CompiledSpecLike } from '../engine/options.ts';
import type { Engine } from '../engine/types.ts';
import { isGatewayPath } from '../gateway/gateway.ts';
import { createOtlpHandler } from '../ingest/otlp/http.ts';
import { isMcpPath, type McpDoor } from '../mcp/index.ts';
import type { DecisionPoint } from '../pdp/door.ts';
import { openEngine } from '../sdk/open.ts';
import { loadSpecFile } from '../sdk/spec-files.ts';
import { ENGINE_VERSION } from '../step/version.ts';
import { loadCallers } from './callers-file.ts';
import { type CodingAgentsSetup, codingAgents, isHooksPath } from './coding-agents.ts';
import { admitting, type DecisionPointSetup, openDecisionPoint } from './decision-point.ts';
import { loadGateway, startGateway } from './gateway.ts';
import { loadMcp, openMcp } from './mcp.ts';
import { type NotifyOptions, startNotifying } from './notify.ts';
import { followPeers } from './peers.ts';
import { listenOnSocket } from './socket.ts';
import { loadPage } from './static.ts';

export const HOST = '127.0.0.1';
const PAGE_DIR = fileURLToPath(new URL('../../web/dist', import.meta.url));

export interface ServerOptions {
  /** Port of page and API; 0 for a free one. */
  readonly port: number;
  /** Port of OTLP/HTTP; null for none. */
  readonly otlpPort: number | null;
  /** Created when it does not exist. */
  readonly dataDir: string;
  /** Tried in this order; the first that applies to a session's agent is the session's for its whole life. */
  readonly specFiles: readonly string[];
  /** What happens to steps that could be stopped in a session no spec applies to. */
  readonly withoutSpec?: 'deny' | 'allow';
  /** Keys that agents' programs must show; anybody who reaches the port may open sessions when absent. */
  readonly callersFile?: string;
  /** Where the commands of checks run; none run without it. */
  readonly workspace?: string;
  /** Where people are told that something waits for them. */
  readonly notify?: readonly Pick<NotifyOptions, 'url' | 'format' | 'secret'>[];
  /** Stops an agent when a tool of it ran without a decision. */
  readonly stopUnguarded?: boolean;
  /** Model providers that the gateway stands before; the built-in ones when absent. */
  readonly gatewayFile?: string;
  /** MCP servers to stand before, as clients write them down; none when absent. */
  readonly mcpFile?: string;
  /** Addresses of other nodes whose stops are in force here too. */
  readonly peers?: readonly string[];
  /** Where gateways ask whether a request may pass; nowhere when absent. */
  readonly decisionPoint?: DecisionPointSetup;
  /** Of the hooks of coding agents, which post to `/hooks/AGENT`. */
  readonly codingAgents?: CodingAgentsSetup;
  /** A Unix socket to answer on as well, as on the main port; its owner alone reaches it. */
  readonly socket?: string;
  readonly log?: (message: string) => void;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly otlpPort: number | null;
  readonly decisionPoint: DecisionPoint | null;
  readonly engine: Engine;
  readonly specs: readonly CompiledSpecLike[];
  readonly dataDir: string;
  /** Takes no new requests, lets the open ones end, makes everything durable. */
  close(): Promise<void>;
}

/** A port somebody else has. */
export class PortTaken extends Error {
  readonly port: number;
  constructor(port: number) {
    super(`port ${port} is in use`);
    this.port = port;
  }
}

/** How long an open request may take to end when the server stops. */
const DRAIN_MS = 5_000;
const IDLE_CHECK_MS = 20;
const CONNECTIONS_MAX = 4_096;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { log = () => {} } = options;
  const dataDir = resolve(options.dataDir);
  const specs = await Promise.all(options.specFiles.map(loadSpecFile));
  const callers = options.callersFile === undefined ? undefined : await loadCallers(options.callersFile);
  const gatewayConfig = options.gatewayFile === undefined ? null : await loadGateway(options.gatewayFile);
  const mcpServers = options.mcpFile === undefined ? null : await loadMcp(options.mcpFile);
  const page = await loadPage(PAGE_DIR);
  await mkdir(dataDir, { recursive: true });
  const engine = await openEngine({
    dataDir,
    specs,
    withoutSpec: options.withoutSpec ?? 'deny',
    stopUnguarded: options.stopUnguarded,
    workspace: options.workspace,
    log,
  });
  const onFailure = (error: unknown) =>
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const spec = specs.map(({ name, digest }) => ({ name, digest }));
  const peers = followPeers(options.peers ?? [], engine, log);
  const health = () => ({
    ok: true as const,
    version: ENGINE_VERSION,
    spec,
    dataDir,
    ...(options.peers === undefined ? {} : { peers: peers.states() }),
  });
  const api = createApi({ engine, health, onFailure, ...(callers === undefined ? {} : { callers }) });
  const gateway = await startGateway({ engine, config: gatewayConfig, callers, dataDir, onFailure });
  const admit = callers === undefined ? null : admitting(callers, engine);
  const hooks = codingAgents(engine, admit, options.codingAgents ?? {}, onFailure);
  let mcp: McpDoor | null = null;
  const listening: Server[] = [];
  const notifying: (() => void)[] = [];
  let decisionPoint: DecisionPoint | null = null;

  async function close(): Promise<void> {
    peers.stop();
    api.close();
    for (const stop of notifying) stop();
    await Promise.all([...listening.map(drain), decisionPoint?.close(), gateway.close(), mcp?.close()]);
    await engine.close();
  }

  try {
    if (mcpServers !== null) mcp = openMcp({ engine, upstreams: mcpServers, callers, dataDir, log });
    const answer: RequestListener = (request, response) => {
      const path = request.url ?? '/';
      if (isApiPath(path)) api.handle(request, response);
      else if (isHooksPath(path)) guarded(hooks)(request, response);
      else if (isGatewayPath(path)) guarded(gateway.handle)(request, response);
      else if (mcp !== null && isMcpPath(path)) mcp.handle(request, response);
      else guarded(page)(request, response);
    };
    if (options.socket !== undefined) listening.push(await listenOnSocket(options.socket, answer));
    const main = await listen(options.port, answer);
    listening.push(main);
    let otlpPort: number | null = null;
    if (options.otlpPort !== null) {
      const otlp = await listen(options.otlpPort, guarded(createOtlpHandler({ sink: engine, onFailure })));
      listening.push(otlp);
      otlpPort = portOf(otlp);
    }
    if (options.decisionPoint !== undefined)
      decisionPoint = await openDecisionPoint(options.decisionPoint, HOST, engine, callers, specs, onFailure);
    const port = portOf(main);
    const url = `http://${HOST}:${port}`;
    for (const to of options.notify ?? []) notifying.push(startNotifying(engine, { ...to, page: url, log }));
    return { url, port, otlpPort, decisionPoint, engine, specs, dataDir, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Neither the page nor the telemetry door answers a foreign host or another web page. */
function guarded(listener: RequestListener): RequestListener {
  return (request, response) => {
    const foreign = refuseForeign(request);
    if (foreign === null) listener(request, response);
    else sendProblem(response, foreign, ['connection', 'close']);
  };
}

function listen(port: number, listener: RequestListener): Promise<Server> {
  const server = createServer(
    { requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    listener,
  );
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken(port) : error);
    });
    server.listen({ port, host: HOST, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    // A connection that was kept alive becomes idle only when its last answer is out.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    server.close(() => {
      clearTimeout(force);
      clearInterval(idle);
      resolve();
    });
  });
}
