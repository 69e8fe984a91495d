// Writing answers: JSON or a problem, always with the same security headers.
import type { ServerResponse } from 'node:http';
import type { Problem } from './problem.ts';

/** What every answer of the API carries: no sniffing, no framing, no caching, no reading from another origin. */
export const API_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body), {});
}

export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  const retry = problem.status === 503 ? { 'retry-after': '1' } : {};
  send(response, problem.status, 'application/problem+json', JSON.stringify(problem), {
    ...retry,
    ...headers,
  });
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...API_HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
