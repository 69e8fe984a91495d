// The body of a question to the decision point: bounded, UTF-8, JSON without a key twice, or what is wrong with it.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parseJsonText } from '../step/json.ts';
import { repeatedKey } from '../step/unique-keys.ts';
import { BODY_BYTES_MAX } from './ask.ts';

export type ReadJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 413 | 415; readonly message: string };

export async function readJson(request: IncomingMessage): Promise<ReadJson> {
  const type = request.headers['content-type'] ?? '';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  if (size > BODY_BYTES_MAX)
    return { ok: false, status: 413, message: `a body may have at most ${BODY_BYTES_MAX} bytes` };
  // A web page cannot send this type to another origin without being asked first, and it is not answered.
  if (!/^application\/json(?: *;|$)/i.test(type))
    return { ok: false, status: 415, message: 'send content-type: application/json' };
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) return { ok: false, status: 400, message: 'the body is not UTF-8' };
  const text = bytes.toString('utf8');
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    return {
      ok: false,
      status: 400,
      message: `line ${line}, column ${column}: expected ${expected}, found ${found}`,
    };
  }
  const twice = repeatedKey(text);
  if (twice === null) return parsed;
  return { ok: false, status: 400, message: `the key ${JSON.stringify(twice.slice(0, 60))} stands twice` };
}
