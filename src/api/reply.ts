// Writing answers: JSON or a problem, always with the same security headers.
import type { ServerResponse } from 'node:http';
import type { Problem } from './problem.ts';

/**
 * What every answer of the API carries: no sniffing, no framing, no caching, no reading from another origin. Names and
 * values in turn, the form that node:http writes without building an object for each answer.
 */
export const API_HEADERS: readonly string[] = [
  ...['x-content-type-options', 'nosniff'],
  ...['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ...['cross-origin-resource-policy', 'same-origin'],
  ...['referrer-policy', 'no-referrer'],
  ...['cache-control', 'no-store'],
];

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body), []);
}

/** `headers` are names and values in turn. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: readonly string[] = [],
): void {
  const retry = problem.status === 503 ? ['retry-after', '1'] : [];
  send(response, problem.status, 'application/problem+json', JSON.stringify(problem), [...retry, ...headers]);
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: readonly string[],
): void {
  if (response.headersSent || response.destroyed) return;
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, [...API_HEADERS, 'content-type', type, 'content-length', length, ...headers]);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
