// Headers of the Streamable HTTP transport: which travel on, which mirror the body, and how values are written in them
// (MCP 2026-07-28, "Request Metadata").
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Json, JsonObject } from '../../step/types.ts';
import { field, isFields, type Message } from './message.ts';
import { isStateless, NAME_FIELDS, versionOf } from './revision.ts';

export const SESSION_HEADER = 'mcp-session-id';
/** Names the Interlock session that steps go to, so that several servers share one. */
export const OWN_SESSION_HEADER = 'x-interlock-session';

/** Of one connection only (RFC 9110 section 7.6.1), or set anew. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
]);
/** Would lead a client past the proxy, or tell the server about it. */
const NOT_TO_CLIENT = new Set(['location', 'refresh', 'alt-svc', 'content-encoding']);
const NOT_TO_SERVER = new Set(['accept-encoding', 'origin', 'referer', 'cookie']);
const OURS = ['x-interlock-', 'sec-'];

export function toServer(
  headers: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): OutgoingHttpHeaders {
  const sent: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers))
    if (
      value !== undefined &&
      !HOP_BY_HOP.has(name) &&
      !NOT_TO_SERVER.has(name) &&
      !OURS.some((own) => name.startsWith(own))
    )
      sent[name] = value;
  for (const [name, value] of Object.entries(own)) sent[name.toLowerCase()] = value;
  return { ...sent, 'accept-encoding': 'identity' };
}

export function toClient(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const sent: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_BY_HOP.has(name) && !NOT_TO_CLIENT.has(name)) sent[name] = value;
  return sent;
}

/** What a header says that the body does not; null when they agree. Earlier revisions have no such headers. */
export function mismatch(headers: IncomingHttpHeaders, message: Message): string | null {
  if (message.t !== 'request') return null;
  const version = headers['mcp-protocol-version'];
  const inBody = versionOf(message.params);
  if (inBody !== null && version !== undefined && version !== inBody)
    return 'MCP-Protocol-Version is not the version of the body';
  if (!isStateless(message.params)) return null;
  if (headers['mcp-method'] !== undefined && headers['mcp-method'] !== message.method)
    return 'Mcp-Method is not the method of the body';
  const key = NAME_FIELDS[message.method];
  const name = headers['mcp-name'];
  if (key !== undefined && typeof name === 'string' && decodeValue(name) !== message.params[key])
    return `Mcp-Name is not params.${key} of the body`;
  return null;
}

/** Mirrors arguments that a rule rewrote, by the `x-mcp-header` annotations of the tool's schema. */
export function mirrorArguments(sent: OutgoingHttpHeaders, inputSchema: Json, args: JsonObject): void {
  for (const name of Object.keys(sent)) if (name.startsWith(PARAM)) delete sent[name];
  mirror(sent, inputSchema, args, 0);
}

const PARAM = 'mcp-param-';
const DEPTH_MAX = 32;

function mirror(sent: OutgoingHttpHeaders, schema: Json, value: Json, depth: number): void {
  const properties = field(schema, 'properties');
  if (!isFields(properties) || !isFields(value) || depth > DEPTH_MAX) return;
  for (const [key, property] of Object.entries(properties)) {
    if (!Object.hasOwn(value, key)) continue;
    const given = (value as JsonObject)[key]!;
    const name = field(property, 'x-mcp-header');
    if (typeof name !== 'string') mirror(sent, property as Json, given, depth + 1);
    else if (isToken(name) && given !== null && typeof given !== 'object')
      sent[PARAM + name.toLowerCase()] = encodeValue(String(given));
  }
}

const SENTINEL = '=?base64?';

export function encodeValue(value: string): string {
  const sentinel = value.startsWith(SENTINEL) && value.endsWith('?=');
  if (!sentinel && value === value.trim() && isPlain(value)) return value;
  return `${SENTINEL}${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

export function decodeValue(value: string): string {
  if (!value.startsWith(SENTINEL) || !value.endsWith('?=')) return value;
  return Buffer.from(value.slice(SENTINEL.length, -2), 'base64').toString('utf8');
}

function isPlain(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code !== 9 && (code < 0x20 || code > 0x7e)) return false;
  }
  return true;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;

/** An HTTP field name (RFC 9110 section 5.1). */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}
