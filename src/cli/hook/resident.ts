// The resident process: a server for this user's coding agents alone, on a socket that only they reach. It is started by the
// first hook that finds none, and its data folder lets there be one.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PortTaken, type RunningServer, type ServerOptions, startServer } from '../../server/server.ts';
import { isAnswered, SocketTaken } from '../../server/socket.ts';
import { StoreError } from '../../store/store.ts';
import { HookConfigInvalid, readHookConfig, replaceFile, socketOf } from './home.ts';

const STOP_MS = 6_000;
const POLL_MS = 25;

/** Which process answers, and where its page is. */
export interface Resident {
  readonly pid: number;
  readonly page: string;
}

function residentFile(home: string): string {
  return join(home, 'resident.json');
}

/** What the last one wrote, whether it is still there or not. */
export async function readResident(home: string): Promise<Resident | null> {
  const text = await readFile(residentFile(home), 'utf8').catch(() => null);
  if (text === null) return null;
  const { pid, page } = JSON.parse(text) as Partial<Resident>;
  return Number.isInteger(pid) && typeof page === 'string' ? { pid: pid as number, page } : null;
}

export async function serveHooks(home: string): Promise<number> {
  const config = await readHookConfig(home);
  if (config === null || config.socket === null)
    throw new HookConfigInvalid(
      `there is no resident process to run in ${home}; run: interlock hook install`,
    );
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  // It outlives the terminal it was started from.
  process.on('SIGHUP', () => {});
  const options: ServerOptions = {
    port: config.port,
    otlpPort: null,
    dataDir: join(home, 'data'),
    specFiles: config.specs,
    codingAgents: { holdWaitMs: config.holdWaitSeconds * 1_000 },
    socket: config.socket,
    log,
  };
  let server: RunningServer;
  try {
    server = await onAnyPort(options);
  } catch (error) {
    const taken = error instanceof SocketTaken || (error instanceof StoreError && error.code === 'in-use');
    if (!taken) throw error;
    log('another one answers already');
    return 0;
  }
  await replaceFile(residentFile(home), `${JSON.stringify({ pid: process.pid, page: server.url })}\n`, 0o600);
  log(`answers on ${config.socket} and ${server.url}`);
  await asked;
  await server.close();
  await rm(residentFile(home), { force: true });
  return 0;
}

/** Agents that ask by HTTP find nobody on another port, and do nothing; those that start a program are answered. */
async function onAnyPort(options: ServerOptions): Promise<RunningServer> {
  try {
    return await startServer(options);
  } catch (error) {
    if (!(error instanceof PortTaken)) throw error;
    log(
      `${error.message} by somebody else: agents that ask by HTTP are not answered. interlock hook install --port N`,
    );
    return startServer({ ...options, port: 0 });
  }
}

/** Ends the resident process, when one answers; the next hook starts another. */
export async function stopResident(home: string): Promise<void> {
  const resident = await readResident(home);
  // A number alone may be another process by now.
  if (resident === null || !(await isAnswered(socketOf(home)))) return;
  process.kill(resident.pid, 'SIGTERM');
  for (const until = Date.now() + STOP_MS; isAlive(resident.pid) && Date.now() < until; )
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function log(message: string): void {
  console.error(`${new Date().toISOString()} ${message}`);
}
