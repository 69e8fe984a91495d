// `interlock serve`: starts the server, says where it is and what to look at, plays the example on the first run, and
// stops on SIGINT or SIGTERM; a second signal does not wait.

import { resolve } from 'node:path';
import { ConfigInvalid, PinsUnreadable } from '../mcp/index.ts';
import { SpecInvalid } from '../sdk/errors.ts';
import { CallersInvalid } from '../server/callers-file.ts';
import { DecisionPointInvalid } from '../server/decision-point.ts';
import { EXAMPLE_SPEC, exampleNotebook, playExample } from '../server/example.ts';
import { GatewayInvalid } from '../server/gateway.ts';
import { PortTaken, type RunningServer, startServer } from '../server/server.ts';
import { ENGINE_VERSION } from '../step/version.ts';
import { parseOptions, parsePort, UsageError } from './args.ts';
import { paint, printable } from './output.ts';

const HELP = `interlock serve [options]

  --spec FILE...        specs to enforce, tried in this order on each session's agent
  --without-spec WHAT   deny (default) or allow the steps of agents that no spec applies to
  --callers FILE        keys of the programs that may open sessions, and for whom; \`interlock callers\` makes them
  --mcp FILE            MCP servers over HTTP to stand before, as {"mcpServers": {NAME: {"url"}}}, at /mcp/NAME
  --gateway FILE        model providers to stand before; without it openai, anthropic and gemini, at /gateway/NAME
  --workspace DIR       where the commands of checks run; none run without it
  --notify URL...       post holds, findings and stops there as JSON; INTERLOCK_NOTIFY_SECRET signs them
  --notify-slack URL... the same as messages for Slack and what speaks like it
  --peer URL...         another node whose stops are in force here too, and those it lifts lifted
  --stop-unguarded      stop an agent when a tool of it ran without a decision
  --data DIR            where the record lives (default ./.interlock)
  --port N              page and API (default 7070)
  --otlp-port N         OTLP/HTTP traces (default 4318)
  --no-otlp             no OTLP port
  --ext-authz-port N    decide for Envoy's ext_authz over gRPC
  --decision-port N     decide for Envoy's ext_authz over HTTP, forward-auth, AuthZEN and agent-hooks
  --decision-point FILE who asks at these two, and which request is which act
  --socket PATH         a Unix socket to answer on as well; only its owner reaches it
  --no-example          do not play the bundled example
  --host HOST           a loopback address only: there are no accounts yet`;

const LOOPBACK = ['127.0.0.1', 'localhost'];

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      spec: { type: 'string', multiple: true, default: [] },
      'without-spec': { type: 'string', default: 'deny' },
      callers: { type: 'string' },
      gateway: { type: 'string' },
      mcp: { type: 'string' },
      workspace: { type: 'string' },
      peer: { type: 'string', multiple: true, default: [] },
      'stop-unguarded': { type: 'boolean' },
      notify: { type: 'string', multiple: true, default: [] },
      'notify-slack': { type: 'string', multiple: true, default: [] },
      data: { type: 'string', default: '.interlock' },
      port: { type: 'string', default: '7070' },
      'otlp-port': { type: 'string', default: '4318' },
      'no-otlp': { type: 'boolean' },
      'ext-authz-port': { type: 'string' },
      'decision-port': { type: 'string' },
      'decision-point': { type: 'string' },
      socket: { type: 'string' },
      'no-example': { type: 'boolean' },
      host: { type: 'string', default: '127.0.0.1' },
      help: { type: 'boolean', short: 'h' },
    },
    100,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0 && values.spec.length === 0) {
    throw new UsageError(`unexpected argument "${positionals[0]}"; specs are given as --spec FILE`);
  }
  if (!LOOPBACK.includes(values.host)) {
    throw new UsageError(
      `--host ${values.host} is not loopback. There are no accounts yet, so anybody who reaches the port could approve ` +
        'held steps; use 127.0.0.1 and an SSH tunnel.',
    );
  }
  const withoutSpec = values['without-spec'];
  if (withoutSpec !== 'deny' && withoutSpec !== 'allow')
    throw new UsageError('--without-spec is deny or allow');

  const decisionPoint = decisionPointOf(
    values['decision-port'],
    values['ext-authz-port'],
    values['decision-point'],
  );
  const ownSpecs = [...values.spec, ...positionals];
  const example = ownSpecs.length === 0 && !values['no-example'] && values.callers === undefined;
  const stop = stopSignals();
  const starting = startServer({
    port: parsePort(values.port, '--port'),
    otlpPort: values['no-otlp'] ? null : parsePort(values['otlp-port'], '--otlp-port'),
    dataDir: values.data,
    specFiles: example ? [EXAMPLE_SPEC] : ownSpecs,
    withoutSpec,
    notify: [
      ...values.notify.map((url) => webhook(url, 'json')),
      ...values['notify-slack'].map((url) => webhook(url, 'slack')),
    ],
    ...(values.peer.length === 0 ? {} : { peers: values.peer.map(peer) }),
    ...(values['stop-unguarded'] ? { stopUnguarded: true } : {}),
    ...(values.workspace === undefined ? {} : { workspace: resolve(values.workspace) }),
    ...(values.callers === undefined ? {} : { callersFile: values.callers }),
    ...(values.mcp === undefined ? {} : { mcpFile: values.mcp }),
    ...(values.gateway === undefined ? {} : { gatewayFile: values.gateway }),
    ...(decisionPoint === null ? {} : { decisionPoint }),
    ...(values.socket === undefined ? {} : { socket: resolve(values.socket) }),
    log: (message) => console.error(message),
  });
  const server = await starting.catch(explain);
  if (server === null) return 2;

  announce(server, withoutSpec);
  const playing = example ? play(server, stop.signal) : Promise.resolve();
  await stop.asked;
  console.log('Stopping ...');
  await playing;
  await server.close();
  return 0;
}

function decisionPointOf(http: string | undefined, grpc: string | undefined, file: string | undefined) {
  if (http === undefined && grpc === undefined) {
    if (file === undefined) return null;
    throw new UsageError('--decision-point needs --ext-authz-port N or --decision-port N');
  }
  return {
    httpPort: http === undefined ? null : parsePort(http, '--decision-port'),
    grpcPort: grpc === undefined ? null : parsePort(grpc, '--ext-authz-port'),
    ...(file === undefined ? {} : { settingsFile: file }),
  };
}

function peer(url: string): string {
  const parsed = URL.parse(url);
  if (parsed !== null && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed.origin;
  throw new UsageError(`--peer takes the address of a node, such as http://127.0.0.1:7071, found "${url}"`);
}

function webhook(url: string, format: 'json' | 'slack') {
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new UsageError(`--notify takes an http or https address, found "${url}"`);
  const secret = process.env.INTERLOCK_NOTIFY_SECRET;
  return format === 'json' && secret !== undefined ? { url, format, secret } : { url, format };
}

function explain(error: unknown): null {
  if (error instanceof PortTaken) {
    const option = error.port === 4318 ? '--otlp-port N or --no-otlp' : '--port N (or --otlp-port N)';
    console.error(
      `interlock serve: ${error.message}. Is it running already? Otherwise choose another with ${option}.`,
    );
  } else if (error instanceof SpecInvalid) {
    console.error(`${error.message}\ninterlock serve: a spec that does not check is not loaded.`);
  } else if (error instanceof ConfigInvalid || error instanceof PinsUnreadable) {
    console.error(
      `${error.message}\ninterlock serve: MCP servers or pins that cannot be read are not loaded.`,
    );
  } else if (error instanceof GatewayInvalid) {
    console.error(`${error.message}\ninterlock serve: a gateway file that is wrong is not loaded.`);
  } else if (error instanceof CallersInvalid) {
    console.error(`${error.message}\ninterlock serve: without its callers the server does not start.`);
  } else if (error instanceof DecisionPointInvalid) {
    console.error(`${error.message}\ninterlock serve: without these settings the server does not start.`);
  } else if (error instanceof Error && 'code' in error) console.error(`interlock serve: ${error.message}`);
  else throw error;
  return null;
}

function announce(server: RunningServer, withoutSpec: 'deny' | 'allow'): void {
  console.log(`${paint('bold', `Interlock ${ENGINE_VERSION}`)}   ${paint('cyan', server.url)}`);
  for (const { name, digest } of server.specs)
    console.log(`  spec    ${name}  ${paint('dim', digest.slice(0, 19))}`);
  if (server.specs.length === 0) {
    const effect =
      withoutSpec === 'deny' ? 'every step that could be stopped is DENIED' : 'NOTHING is guarded';
    console.log(paint('yellow', `  spec    NONE LOADED: ${effect}. Give one with --spec FILE.`));
  }
  if (server.otlpPort !== null)
    console.log(`  traces  http://127.0.0.1:${server.otlpPort}/v1/traces (OTLP/HTTP)`);
  const { httpPort = null, grpcPort = null } = server.decisionPoint ?? {};
  if (grpcPort !== null) console.log(`  asked   127.0.0.1:${grpcPort} (Envoy ext_authz, gRPC)`);
  if (httpPort !== null)
    console.log(
      `  asked   http://127.0.0.1:${httpPort} (Envoy ext_authz under /ext-authz, AuthZEN, agent-hooks)`,
    );
  console.log(`  data    ${server.dataDir}\n`);
}

async function play(server: RunningServer, signal: AbortSignal): Promise<void> {
  const say = (line: string) => {
    console.log(printable(line, 160));
    if (!line.startsWith('held ') && !line.startsWith('goes on')) return;
    const id = line.slice(line.lastIndexOf(' ') + 1, -1);
    const port = server.port === 7070 ? '' : ` --url ${server.url}`;
    console.log(
      paint('yellow', `\nApprove it on ${server.url}, or with: npx interlock holds approve ${id}${port}\n`),
    );
  };
  try {
    const { sessions } = await server.engine.sessions({ limit: 1 });
    const notebook = await exampleNotebook(server.dataDir, sessions.length > 0);
    if (notebook === null) return;
    await playExample({ url: server.url, dataDir: server.dataDir, notebook, say, signal });
    console.log(`\nThe example is done; its session is on ${paint('cyan', server.url)}`);
  } catch (error) {
    if (!signal.aborted)
      console.error(`The example stopped: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The first SIGINT or SIGTERM asks to stop; the second ends the process as that signal would. */
function stopSignals(): { asked: Promise<void>; signal: AbortSignal } {
  const stop = new AbortController();
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
        stop.abort();
        resolve();
      });
    }
  });
  return { asked, signal: stop.signal };
}
