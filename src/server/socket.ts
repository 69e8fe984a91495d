// Listens on a Unix socket that only its owner can reach. A socket that nobody answers on any more is taken over.
import { chmod, mkdir, unlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** Another process answers there. */
export class SocketTaken extends Error {
  constructor(path: string) {
    super(`${path} is answered by another process`);
  }
}

export async function listenOnSocket(path: string, listener: RequestListener): Promise<Server> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (await isAnswered(path)) throw new SocketTaken(path);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, resolve);
  });
  await chmod(path, 0o600);
  return server;
}

/** Whether a process takes connections there. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
