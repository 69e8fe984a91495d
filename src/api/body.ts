// Reading a request body: bounded, UTF-8, JSON, or the problem with it. Nothing here knows a route.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parseJsonText } from '../step/json.ts';
import { type Problem, problem } from './problem.ts';

export const BODY_BYTES_MAX = 1 << 20;

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: Problem };

/** An empty body reads as `undefined`. */
export async function readJsonBody(
  request: IncomingMessage,
  bytesMax: number = BODY_BYTES_MAX,
): Promise<Body> {
  const refused = refuseByHeaders(request, bytesMax);
  if (refused !== null) return { ok: false, problem: refused };
  const bytes = await readBytes(request, bytesMax);
  if (bytes === null) return { ok: false, problem: tooLarge(bytesMax) };
  if (bytes.length === 0) return { ok: true, value: undefined };
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json(?: *;|$)/i.test(type)) return { ok: false, problem: wrongType(type) };
  if (!isUtf8(bytes)) {
    return { ok: false, problem: problem('malformed-json', 'The body is not UTF-8 (RFC 8259 section 8.1).') };
  }
  const parsed = parseJsonText(bytes.toString('utf8'));
  if (parsed.ok) return parsed;
  const { line, column, expected, found } = parsed.problem;
  const detail = `line ${line}, column ${column}: expected ${expected}, found ${found}`;
  return { ok: false, problem: problem('malformed-json', detail, { where: `${line}:${column}` }) };
}

function refuseByHeaders(request: IncomingMessage, bytesMax: number): Problem | null {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return tooLarge(bytesMax);
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return null;
  const mend = 'Send the body without content-encoding.';
  return problem('unsupported-media-type', `content-encoding ${encoding} is not accepted`, { mend });
}

/** All bytes, or null as soon as there are more than the limit; the rest is read and dropped, so that the answer arrives. */
function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bytesMax) chunks.push(chunk);
      else resolve(null);
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('error', reject);
  });
}

function tooLarge(bytesMax: number): Problem {
  const mend = 'Send large content in several steps, or leave it out and send its digest.';
  return problem('body-too-large', `A body may have at most ${bytesMax} bytes.`, { mend });
}

function wrongType(type: string): Problem {
  const mend = 'Send content-type: application/json.';
  return problem('unsupported-media-type', `content-type is ${type === '' ? 'missing' : type}`, { mend });
}
