// What a gateway on Node cannot be faster than: node:http before undici, both bodies parsed once as JSON, nothing decided and
// nothing kept. A yardstick for bench/gateway.ts, no gateway.
//   node bench/gateway/proxy.ts UPSTREAM_PORT PORT
import { createServer, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';

const [upstream, port] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 4_096 });

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

createServer(async (request, response) => {
  try {
    const body = await bytesOf(request);
    if (body.length > 0) JSON.parse(body.toString());
    const answer = await pool.request({
      method: 'POST',
      path: request.url ?? '/',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const type = String(answer.headers['content-type'] ?? '');
    if (!type.startsWith('application/json')) {
      response.writeHead(answer.statusCode, { 'content-type': type });
      await pipeline(answer.body, response);
      return;
    }
    const text = await answer.body.text();
    JSON.parse(text);
    response
      .writeHead(answer.statusCode, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
      .end(text);
  } catch {
    response.destroy();
  }
}).listen(port, '127.0.0.1');
