// How requests at a gateway become steps: who asks, which paths are which protocol, which headers rules may read. Parsed
// once from a file; nothing a client writes is believed unless it is named here.
import { describe, type Parsed, pointer } from '../step/json.ts';
import { reader } from '../step/parse.ts';
import { type PathPattern, parsePattern } from './path.ts';

/** Where one fact about a request comes from: the gateway, a header, the client's certificate, or the settings. */
export type Source =
  | { readonly from: 'extension'; readonly name: string }
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'peer' }
  | { readonly from: 'value'; readonly value: string };

/** What a request to a path is; the first route that matches counts. */
export type Route = {
  readonly path: PathPattern;
  /** Null: any. */
  readonly method: string | null;
  /** Null: any. */
  readonly host: string | null;
} & (
  | { readonly as: 'mcp' }
  /** A message to an agent is a hand-off to it. */
  | { readonly as: 'a2a'; readonly agent: string }
  /** The arguments are the parameters of the path, the query, and the members of a JSON body. */
  | { readonly as: 'tool'; readonly tool: string }
  /** Not an act: passed on without a step. */
  | { readonly as: 'pass' }
);

export interface Settings {
  readonly agent: readonly Source[];
  readonly principal: readonly Source[];
  readonly tenant: readonly Source[];
  /** Without one, all steps of an agent for a principal are one lasting session. */
  readonly session: readonly Source[];
  /** Request headers that rules may read, lower-case. */
  readonly headers: readonly string[];
  readonly routes: readonly Route[];
  /** Headers the gateway takes off before it passes a request on. */
  readonly remove: readonly string[];
}

/** Only what no client can write is believed. */
export const DEFAULT_SETTINGS: Settings = {
  agent: [
    { from: 'extension', name: 'agent' },
    { from: 'value', value: 'gateway' },
  ],
  principal: [{ from: 'extension', name: 'principal' }, { from: 'peer' }],
  tenant: [{ from: 'extension', name: 'tenant' }],
  session: [{ from: 'extension', name: 'session' }],
  headers: [],
  routes: [],
  remove: [],
};

export const ROUTES_MAX = 1_000;
const LIST_MAX = 64;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const SOURCE = 'extension:NAME, header:NAME, peer or value:TEXT';

export function parseSettings(value: unknown): Parsed<Settings> {
  const read = reader();
  const fields = read.object(value, '', [
    'agent',
    'principal',
    'tenant',
    'session',
    'headers',
    'routes',
    'remove',
  ]);
  if (fields === null) return { ok: false, problems: read.problems };

  function refuse(at: string, expected: string, found: unknown): void {
    read.problems.push({ at, expected, found: describe(found) });
  }

  function list<T>(
    given: unknown,
    at: string,
    max: number,
    parse: (item: unknown, at: string) => T | null,
  ): T[] {
    if (!Array.isArray(given) || given.length > max) {
      refuse(at, `a list of at most ${max}`, given);
      return [];
    }
    return given.map((item, i) => parse(item, pointer(at, i))).filter((item) => item !== null);
  }

  function header(given: unknown, at: string): string | null {
    const name = read.text(given, at).toLowerCase();
    if (HEADER_NAME.test(name)) return name;
    refuse(at, 'the name of a header', given);
    return null;
  }

  function source(given: unknown, at: string): Source | null {
    const text = read.text(given, at);
    const colon = text.indexOf(':');
    const [kind, rest] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    if (kind === 'peer' && colon < 0) return { from: 'peer' };
    if (kind === 'extension' && rest !== '') return { from: 'extension', name: rest };
    if (kind === 'value' && rest !== '') return { from: 'value', value: rest };
    if (kind === 'header') {
      const name = header(rest, at);
      return name === null ? null : { from: 'header', name };
    }
    refuse(at, SOURCE, given);
    return null;
  }

  function route(given: unknown, at: string): Route | null {
    const keys = ['path', 'method', 'host', 'protocol', 'agent', 'tool', 'pass'] as const;
    const item = read.object(given, at, keys);
    if (item === null) return null;
    const path = parsePattern(read.text(item.path, `${at}/path`));
    if (path === null) {
      refuse(`${at}/path`, 'a path as /orders/{id}/refund or /files/**', item.path);
      return null;
    }
    const method = read.optional(item.method, `${at}/method`, read.text)?.toUpperCase() ?? null;
    const host = read.optional(item.host, `${at}/host`, read.text)?.toLowerCase() ?? null;
    const common = { path, method, host };
    const kinds = [item.protocol, item.tool, item.pass].filter((one) => one !== undefined);
    if (kinds.length !== 1) {
      refuse(at, 'one of `protocol: mcp`, `protocol: a2a`, `tool: NAME`, `pass: true`', given);
      return null;
    }
    if (item.agent !== undefined && item.protocol !== 'a2a') refuse(`${at}/agent`, 'nothing', item.agent);
    if (item.tool !== undefined) return { ...common, as: 'tool', tool: read.text(item.tool, `${at}/tool`) };
    if (item.pass === true) return { ...common, as: 'pass' };
    if (item.protocol === 'mcp') return { ...common, as: 'mcp' };
    if (item.protocol === 'a2a') return { ...common, as: 'a2a', agent: read.text(item.agent, `${at}/agent`) };
    refuse(at, '`protocol: mcp`, `protocol: a2a` or `pass: true`', item.protocol ?? item.pass);
    return null;
  }

  const sources = (given: unknown, at: string) => list(given, at, LIST_MAX, source);
  const headers = (given: unknown, at: string) => list(given, at, LIST_MAX, header);
  const settings: Settings = {
    agent: read.optional(fields.agent, '/agent', sources) ?? DEFAULT_SETTINGS.agent,
    principal: read.optional(fields.principal, '/principal', sources) ?? DEFAULT_SETTINGS.principal,
    tenant: read.optional(fields.tenant, '/tenant', sources) ?? DEFAULT_SETTINGS.tenant,
    session: read.optional(fields.session, '/session', sources) ?? DEFAULT_SETTINGS.session,
    headers: read.optional(fields.headers, '/headers', headers) ?? [],
    routes: read.optional(fields.routes, '/routes', (given, at) => list(given, at, ROUTES_MAX, route)) ?? [],
    remove: read.optional(fields.remove, '/remove', headers) ?? [],
  };
  return read.problems.length === 0 ? { ok: true, value: settings } : { ok: false, problems: read.problems };
}
