// A request's body, bounded.
import type { IncomingMessage } from 'node:http';
import { Unreadable } from './types.ts';

/** Images and long contexts come in one body. */
export const REQUEST_BYTES_MAX = 64 << 20;

/** @throws Unreadable when it is too large or encoded */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Unreadable(`content-encoding ${encoding} is not accepted; send the body as it is`);
  if (Number(request.headers['content-length'] ?? 0) > REQUEST_BYTES_MAX) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > REQUEST_BYTES_MAX) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function tooLarge(): Unreadable {
  return new Unreadable(`a body of more than ${REQUEST_BYTES_MAX} bytes`, 'too_large');
}
