// Servers behind the HTTP door, from a file in the form that MCP clients use (`mcpServers`), or as NAME=URL. Credentials
// come from the environment, so that the file can be shared. Read once; what is not understood is an error with its place.
import { describe, parseJsonText } from '../step/json.ts';
import { nearest } from '../step/nearest.ts';
import { isToken } from './wire/headers.ts';
import { field, isFields } from './wire/message.ts';

export interface UpstreamConfig {
  readonly name: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly prefix: string;
}

export class ConfigInvalid extends Error {}

const KEYS = ['type', 'url', 'headers', 'prefix'];
const SERVERS_MAX = 100;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** `github=https://api.example.com/mcp`; its tools are `github.NAME` in the spec. */
export function parseUpstream(text: string): UpstreamConfig {
  const at = text.indexOf('=');
  if (at < 0) throw new ConfigInvalid(`"${text}": expected NAME=URL`);
  const name = text.slice(0, at);
  return {
    name: checkName(name, name),
    url: parseUrl(text.slice(at + 1), name),
    headers: {},
    prefix: `${name}.`,
  };
}

/**
 * @example
 * { "mcpServers": { "github": { "url": "https://…/mcp", "headers": { "Authorization": "Bearer ${GITHUB_TOKEN}" } } } }
 */
export function parseUpstreams(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): UpstreamConfig[] {
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    throw new ConfigInvalid(`${file}:${line}:${column}: expected ${expected}, found ${found}`);
  }
  const servers = field(parsed.value, 'mcpServers');
  if (!isFields(servers)) throw new ConfigInvalid(`${file}: expected an object "mcpServers"`);
  const entries = Object.entries(servers);
  if (entries.length > SERVERS_MAX) throw new ConfigInvalid(`${file}: more than ${SERVERS_MAX} servers`);
  return entries.map(([name, given]) => {
    const at = `${file}: mcpServers.${name}`;
    if (!isFields(given)) throw new ConfigInvalid(`${at}: expected an object, found ${describe(given)}`);
    if (given.command !== undefined)
      throw new ConfigInvalid(
        `${at}: a server that is a command is wrapped where it starts: interlock mcp -- COMMAND`,
      );
    for (const key of Object.keys(given)) {
      if (KEYS.includes(key)) continue;
      const near = nearest(key, KEYS);
      throw new ConfigInvalid(
        `${at}: unknown key "${key}".${near === null ? '' : ` Did you mean "${near}"?`}`,
      );
    }
    const { url, headers = {}, prefix = `${name}.` } = given;
    if (typeof url !== 'string') throw new ConfigInvalid(`${at}.url: expected a URL, found ${describe(url)}`);
    if (typeof prefix !== 'string') throw new ConfigInvalid(`${at}.prefix: expected text`);
    return {
      name: checkName(name, at),
      url: parseUrl(filled(url, `${at}.url`, env), at),
      headers: parseHeaders(headers, `${at}.headers`, env),
      prefix,
    };
  });
}

function parseHeaders(
  given: unknown,
  at: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  if (!isFields(given)) throw new ConfigInvalid(`${at}: expected an object`);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!isToken(name) || typeof value !== 'string') throw new ConfigInvalid(`${at}.${name}: expected text`);
    headers[name] = filled(value, `${at}.${name}`, env);
  }
  return headers;
}

/** Puts the environment in for `${NAME}`. */
function filled(text: string, at: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new ConfigInvalid(`${at}: the environment has no ${name}`);
    return value;
  });
}

function checkName(name: string, at: string): string {
  if (NAME.test(name)) return name;
  throw new ConfigInvalid(`${at}: a server's name has letters, digits, "-", "_" and ".", found "${name}"`);
}

function parseUrl(text: string, at: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ConfigInvalid(`${at}: expected an http or https address, found "${text}"`);
}
