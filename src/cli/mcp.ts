// `interlock mcp`: a guarded MCP server over stdio, or a guarding proxy in front of servers over HTTP; and the pins of
// their tools. In stdio mode standard output belongs to the protocol: everything said goes to standard error.

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import type { SessionInit } from '../engine/types.ts';
import {
  acceptSeen,
  ConfigInvalid,
  createCatalogue,
  createMcpDoor,
  FINDING_KINDS,
  type FindingKind,
  guardedSession,
  openPins,
  type PinStore,
  PinsUnreadable,
  parseUpstream,
  parseUpstreams,
  runStdio,
  type SpecText,
  specViews,
  type UpstreamConfig,
} from '../mcp/index.ts';
import { SpecInvalid } from '../sdk/errors.ts';
import { localTransport } from '../sdk/local.ts';
import { openEngine } from '../sdk/open.ts';
import { remoteTransport } from '../sdk/remote.ts';
import { loadSpecFile } from '../sdk/spec-files.ts';
import type { Transport } from '../sdk/transport.ts';
import { parseOptions, parsePort, UsageError } from './args.ts';
import { printable } from './output.ts';

const HELP = `interlock mcp [options] -- COMMAND ARGS...            guard a server that is a command: put it in its place
interlock mcp [options] --listen PORT --upstream NAME=URL...   guard servers over HTTP, at /mcp/NAME
interlock mcp pins [SERVER]                          what the tools of servers looked like when they were first seen
interlock mcp accept SERVER [TOOL...]                take their tools as they are now

who decides:
  --server URL          a running \`interlock serve\`; INTERLOCK_URL says the same, INTERLOCK_KEY is the key
  --spec FILE...        or here, under these specs; holds need a server, where people answer them
  --without-spec WHAT   deny (default) or allow the steps of agents that no spec applies to
  --data DIR            where the record lives; without it, it ends with the process

for whom:
  --agent NAME          the agent that uses the servers (default mcp)
  --principal NAME      on whose behalf
  --tenant NAME
  --session ID          one session for several servers; over HTTP, the header X-Interlock-Session
  --hold-wait SECONDS   how long a held call waits for a person before the client hears of it (default 50)

the servers:
  --upstreams FILE      servers over HTTP as {"mcpServers": {NAME: {"url", "headers", "prefix"}}}; \${VAR} is from the environment
  --name NAME           what the server's pins are kept under (default: the program it is)
  --prefix TEXT         before the names of its tools in the spec (default: none for a command, NAME. over HTTP)
  --refuse WHAT...      leave out and deny tools with: ${FINDING_KINDS.filter((kind) => kind !== 'changed').join(', ')}
  --pins DIR            default ~/.interlock/mcp-pins`;

const OPTIONS = {
  server: { type: 'string' },
  spec: { type: 'string', multiple: true, default: [] },
  'without-spec': { type: 'string', default: 'deny' },
  data: { type: 'string' },
  agent: { type: 'string', default: 'mcp' },
  principal: { type: 'string' },
  tenant: { type: 'string' },
  session: { type: 'string' },
  'hold-wait': { type: 'string', default: '50' },
  listen: { type: 'string' },
  upstream: { type: 'string', multiple: true, default: [] },
  upstreams: { type: 'string' },
  name: { type: 'string' },
  prefix: { type: 'string' },
  refuse: { type: 'string', multiple: true, default: [] },
  pins: { type: 'string', default: join(homedir(), '.interlock', 'mcp-pins') },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;
const VERBS = ['pins', 'accept'];

interface Values {
  readonly server?: string | undefined;
  readonly spec: string[];
  readonly 'without-spec': string;
  readonly data?: string | undefined;
  readonly agent: string;
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  readonly session?: string | undefined;
  readonly 'hold-wait': string;
  readonly listen?: string | undefined;
  readonly upstream: string[];
  readonly upstreams?: string | undefined;
  readonly name?: string | undefined;
  readonly prefix?: string | undefined;
  readonly refuse: string[];
  readonly pins: string;
}

export async function run(argv: string[]): Promise<number> {
  const { own, command } = splitCommand(argv);
  const { values, positionals } = parseOptions(own, OPTIONS, 1_000);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  try {
    const [verb, ...names] = positionals;
    if (verb !== undefined) return pinCommand(verb, names, openPins(values.pins));
    if (verb !== undefined)
      throw new UsageError(`unexpected argument "${verb}"; the command to guard comes after --`);
    if (values.listen !== undefined && command.length > 0)
      throw new UsageError('--listen is for servers over HTTP; a command is guarded over stdio');
    return values.listen === undefined ? await stdio(values, command) : await listen(values);
  } catch (error) {
    if (error instanceof SpecInvalid) log(`${error.message}\na spec that does not check is not loaded.`);
    else if (error instanceof ConfigInvalid || error instanceof PinsUnreadable) log(error.message);
    else throw error;
    return 2;
  }
}

/**
 * The command begins after `--`, or at the first word that is no option: some programs that start servers take the `--`
 * for themselves.
 */
function splitCommand(argv: readonly string[]): { own: readonly string[]; command: readonly string[] } {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return { own: argv.slice(0, i), command: argv.slice(i + 1) };
    if (!word.startsWith('-')) {
      if (VERBS.includes(word)) break;
      return { own: argv.slice(0, i), command: argv.slice(i) };
    }
    const option: string = word.replace(/^-+/, '');
    if (Object.hasOwn(OPTIONS, option) && OPTIONS[option as keyof typeof OPTIONS].type === 'string') i += 1;
  }
  return { own: argv, command: [] };
}

function pinCommand(verb: string, names: readonly string[], pins: PinStore): number {
  const [server, ...tools] = names;
  if (verb === 'accept') {
    if (server === undefined)
      throw new UsageError(`accept needs a server; known: ${pins.servers().join(', ')}`);
    if (pins.read(server) === null)
      throw new UsageError(`nothing of "${server}" was seen; known: ${pins.servers().join(', ')}`);
    const accepted = acceptSeen(pins, server, tools);
    for (const tool of accepted) console.log(`accepted  ${printable(tool)}`);
    if (accepted.length === 0) console.log('nothing to accept: its tools are as they were pinned');
    return 0;
  }
  let changed = 0;
  for (const name of server === undefined ? pins.servers() : [server]) {
    const known = pins.read(name);
    if (known === null)
      throw new UsageError(`nothing of "${name}" was seen; known: ${pins.servers().join(', ')}`);
    console.log(printable(name));
    for (const [tool, { pinned, seen }] of known.tools) {
      const state = pinned === null ? 'NEW    ' : seen === null ? 'pinned ' : 'CHANGED';
      console.log(`  ${state}  ${printable(tool)}  since ${(seen ?? pinned)?.since.slice(0, 10) ?? '?'}`);
      if (seen === null) continue;
      changed += 1;
      if (pinned !== null) console.log(`    was ${printable(JSON.stringify(pinned.definition), 4_000)}`);
      console.log(`    now ${printable(JSON.stringify(seen.definition), 4_000)}`);
    }
  }
  return changed === 0 ? 0 : 1;
}

async function stdio(values: Values, [command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined)
    throw new UsageError('a command is missing: interlock mcp [options] -- COMMAND ARGS...');
  const catalogue = catalogueOf(values, values.name ?? serverName(command, args));
  const deciding = await openDecisions(values);
  const session = guardedSession({
    transport: deciding.transport,
    init: values.session === undefined ? whoOf(values) : { ...whoOf(values), id: values.session },
    holdWaitMs: holdWaitMs(values),
    own: values.session === undefined,
  });
  const stop = stopSignals();
  // A client that is gone ends the run in its order, not at once: the server must be ended first.
  process.stdout.removeAllListeners('error');
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    return await runStdio({
      guarded: {
        session,
        catalogue,
        prefix: values.prefix ?? '',
        spec: specViews(deciding.specText)(session),
        log,
      },
      command,
      args,
      input: process.stdin,
      output: process.stdout,
      log,
      signal: stop,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn') !== true) throw error;
    log(`${command} cannot be started (${(error as NodeJS.ErrnoException).code})`);
    return 2;
  } finally {
    await deciding.close();
    process.stdin.destroy();
  }
}

const LAUNCHERS = [
  'npx',
  'bunx',
  'uvx',
  'pipx',
  'node',
  'bun',
  'deno',
  'python',
  'python3',
  'uv',
  'pnpm',
  'yarn',
  'npm',
];
const SERVER_NAME_MAX = 60;

/** The package or program that a command runs, without its version and arguments: pins are to survive those. */
function serverName(command: string, args: readonly string[]): string {
  const launched = LAUNCHERS.includes(basename(command))
    ? args.find((arg) => !arg.startsWith('-') && !['run', 'exec', 'dlx', 'x'].includes(arg))
    : undefined;
  const program = launched ?? command;
  const at = program.lastIndexOf('@');
  const name = at > 0 && !program.includes('/', at) ? program.slice(0, at) : program;
  return name.length <= SERVER_NAME_MAX ? name : `…${name.slice(1 - SERVER_NAME_MAX)}`;
}

async function listen(values: Values): Promise<number> {
  const port = parsePort(values.listen ?? '', '--listen');
  const upstreams = await upstreamsOf(values);
  const deciding = await openDecisions(values);
  const door = createMcpDoor({
    upstreams: upstreams.map((upstream) => ({ ...upstream, catalogue: catalogueOf(values, upstream.name) })),
    identify: () => ({ ok: true, who: whoOf(values) }),
    open: (init, own) =>
      guardedSession({
        transport: deciding.transport,
        init: values.session === undefined ? init : { ...init, id: values.session },
        holdWaitMs: holdWaitMs(values),
        own: own && values.session === undefined,
      }),
    spec: specViews(deciding.specText),
    log,
  });
  const server = createServer(
    { requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    door.handle,
  );
  server.maxConnections = 4_096;
  const stop = stopSignals();
  try {
    await opened(server, port);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const { name, url: to } of upstreams) log(`${url}/mcp/${name}  guards  ${to.origin}${to.pathname}`);
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    log(`port ${port} is in use; choose another with --listen`);
    return 2;
  } finally {
    server.close();
    server.closeAllConnections();
    await door.close();
    await deciding.close();
  }
}

function opened(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve());
  });
}

interface Decisions {
  readonly transport: Transport;
  readonly specText: SpecText;
  close(): Promise<void>;
}

/** The engine of a running server, or one in this process. */
async function openDecisions(values: Values): Promise<Decisions> {
  const { spec: files, data } = values;
  const url = values.server ?? (files.length === 0 ? process.env.INTERLOCK_URL : undefined);
  const withoutSpec = values['without-spec'];
  if (withoutSpec !== 'deny' && withoutSpec !== 'allow')
    throw new UsageError('--without-spec is deny or allow');
  if (url !== undefined) {
    if (files.length > 0 || data !== undefined)
      throw new UsageError('--spec and --data are for deciding here; the server of --server has its own');
    if (!URL.canParse(url)) throw new UsageError(`--server is not a URL: ${url}`);
    const key = process.env.INTERLOCK_KEY;
    const transport = remoteTransport(url, key === undefined ? {} : { key });
    return { transport, specText: (digest) => fetchSpec(url, digest), close: () => transport.close() };
  }
  const specs = await Promise.all(files.map(loadSpecFile));
  if (specs.length === 0) {
    const effect = withoutSpec === 'deny' ? 'every call is DENIED' : 'NOTHING is guarded';
    log(`no spec: ${effect}. Give one with --spec FILE, or a server that has one with --server URL.`);
  }
  const engine = await openEngine({ dataDir: data ?? null, specs, withoutSpec, log });
  return {
    transport: localTransport(engine, 'mcp'),
    specText: async (digest) => (await engine.spec(digest))?.canonical ?? null,
    close: () => engine.close(),
  };
}

async function fetchSpec(server: string, digest: string): Promise<string | null> {
  const response = await fetch(new URL(`/v1/specs/${encodeURIComponent(digest)}`, server), {
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) return null;
  const { canonical } = (await response.json()) as { canonical?: unknown };
  return typeof canonical === 'string' ? canonical : null;
}

async function upstreamsOf(values: Values): Promise<UpstreamConfig[]> {
  const upstreams = values.upstream.map(parseUpstream);
  if (values.upstreams !== undefined) {
    const text = await readFile(values.upstreams, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new ConfigInvalid(`${values.upstreams}: cannot be read (${error.code})`);
    });
    upstreams.push(...parseUpstreams(text, values.upstreams, process.env));
  }
  if (upstreams.length === 0)
    throw new UsageError('a server is missing: --upstream NAME=URL or --upstreams FILE');
  const names = upstreams.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`two servers are called "${twice}"`);
  const { prefix } = values;
  if (prefix === undefined) return upstreams;
  if (upstreams.length > 1)
    throw new UsageError('--prefix is for one server; several have theirs in --upstreams FILE');
  return upstreams.map((upstream) => ({ ...upstream, prefix }));
}

function catalogueOf(values: Values, server: string) {
  const refuse = new Set<FindingKind>();
  for (const kind of values.refuse.flatMap((list) => list.split(','))) {
    if (!(FINDING_KINDS as readonly string[]).includes(kind))
      throw new UsageError(`--refuse is one of ${FINDING_KINDS.join(', ')}, found "${kind}"`);
    refuse.add(kind as FindingKind);
  }
  return createCatalogue({
    server,
    pins: openPins(values.pins),
    refuse,
    onFinding: ({ kind, tool, detail }) =>
      log(`${kind}: ${printable(server)}: ${printable(tool)} ${printable(detail)}`),
    now: () => new Date(),
  });
}

function whoOf({ agent, principal, tenant }: Values): Omit<SessionInit, 'id'> {
  return {
    agent: { name: agent },
    ...(principal === undefined ? {} : { principal }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

function holdWaitMs(values: Values): number {
  const seconds = Number(values['hold-wait']);
  if (!(seconds >= 0 && seconds <= 86_400))
    throw new UsageError('--hold-wait is a number of seconds up to a day');
  return seconds * 1_000;
}

/** Aborted by the first SIGINT, SIGTERM or SIGHUP; the second ends the process. */
function stopSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(143);
      stop.abort();
    });
  return stop.signal;
}

function log(line: string): void {
  console.error(`interlock mcp: ${line}`);
}
