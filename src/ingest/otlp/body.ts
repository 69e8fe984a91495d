// A request's body: read, counted and inflated within bounds. What is too much is refused before it is held in memory.
import type { IncomingMessage } from 'node:http';
import * as zlib from 'node:zlib';
import { limitExceeded, malformed, OtlpFault } from './fault.ts';
import type { OtlpLimits } from './types.ts';

/** Bytes held for one request, given back when it is answered. */
export interface Reservation {
  readonly take: (bytes: number) => void;
  readonly release: () => void;
}

/** Refuses with `overloaded` when all requests together would hold more than `bytesMax`. */
export function memoryBudget(bytesMax: number): () => Reservation {
  let held = 0;
  return () => {
    let mine = 0;
    return {
      take: (bytes) => {
        if (held + bytes > bytesMax) {
          const message = `${held} bytes of telemetry are waiting to be stored`;
          throw new OtlpFault({ code: 'overloaded', message, mend: 'Send it again later.' });
        }
        held += bytes;
        mine += bytes;
      },
      release: () => {
        held -= mine;
        mine = 0;
      },
    };
  };
}

type Inflate = (body: Buffer, bytesMax: number) => Promise<Buffer>;
type ZlibFunction = (
  body: Buffer,
  options: { maxOutputLength: number },
  done: (error: (Error & { code?: string }) | null, result: Buffer) => void,
) => void;

const INFLATE: Readonly<Record<string, Inflate>> = {
  identity: async (body) => body,
  gzip: inflateWith(zlib.gunzip),
  // Node has zstd from 22.15 and 23.8 on.
  ...('zstdDecompress' in zlib ? { zstd: inflateWith(zlib.zstdDecompress) } : {}),
};

/** Content encodings this Node can read, for `accept-encoding` in a refusal. */
export const CONTENT_ENCODINGS: readonly string[] = Object.keys(INFLATE);

export async function readBody(
  request: IncomingMessage,
  limits: OtlpLimits,
  reservation: Reservation,
): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const inflate = Object.hasOwn(INFLATE, encoding) ? INFLATE[encoding]! : null;
  if (inflate === null) {
    throw new OtlpFault({
      code: 'unsupported',
      message: `content-encoding ${JSON.stringify(encoding.slice(0, 40))} is not read here`,
      mend: `Use one of ${CONTENT_ENCODINGS.join(', ')}.`,
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax) throw tooLarge(limits);
  const body = await readBytes(request, limits, reservation);
  const inflated = await inflate(body, limits.inflatedBytesMax);
  if (inflated !== body) reservation.take(inflated.length);
  return inflated;
}

function readBytes(request: IncomingMessage, limits: OtlpLimits, reservation: Reservation): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const read = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > limits.bodyBytesMax) throw tooLarge(limits);
        reservation.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        request.off('data', read);
        reject(error);
      }
    };
    request.on('data', read);
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('error', () => reject(malformed('the connection ended before the body did')));
    request.once('close', () => reject(malformed('the connection ended before the body did')));
  });
}

function inflateWith(inflate: ZlibFunction): Inflate {
  return (body, bytesMax) =>
    new Promise((resolve, reject) => {
      inflate(body, { maxOutputLength: bytesMax }, (error, result) => {
        if (error === null) resolve(result);
        else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
          reject(limitExceeded(`a body may inflate to at most ${bytesMax} bytes`, 'Send smaller batches.'));
        } else reject(malformed(`the body cannot be inflated: ${error.message}`));
      });
    });
}

function tooLarge({ bodyBytesMax }: OtlpLimits): OtlpFault {
  return limitExceeded(`a body may have at most ${bodyBytesMax} bytes`, 'Send smaller batches, or use gzip.');
}
