// What a project depends on, from package.json, pyproject.toml and requirements files, and the servers of tools that settings
// of MCP clients name. A file that cannot be read is a problem that is told, not an end.
import { parse as parseToml, TomlError } from 'smol-toml';
import { parseJsonText } from '../step/json.ts';
import { looseJson } from './source/javascript.ts';
import type { McpServer } from './types.ts';

const SERVERS_MAX = 200;

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export interface PackageJson {
  readonly name: string | null;
  readonly dependencies: readonly string[];
}

export function readPackageJson(text: string): Read<PackageJson> {
  const json = jsonObject(text);
  if (!json.ok) return json;
  const { name } = json.value;
  const dependencies = [
    'dependencies',
    'devDependencies',
    'peerDependencies',
    'optionalDependencies',
  ].flatMap((key) => Object.keys(objectOf(json.value[key])));
  return { ok: true, value: { name: typeof name === 'string' ? name : null, dependencies } };
}

/** Standard `project` tables (PEP 621), dependency groups (PEP 735) and Poetry's. */
export function readPyproject(text: string): Read<PackageJson> {
  const toml = tomlObject(text);
  if (!toml.ok) return toml;
  const project = objectOf(toml.value.project);
  const poetry = objectOf(objectOf(toml.value.tool).poetry);
  const groups = [project['optional-dependencies'], toml.value['dependency-groups']].flatMap((group) =>
    Object.values(objectOf(group)),
  );
  const listed = [project.dependencies, ...groups]
    .flat()
    .flatMap((line) => (typeof line === 'string' ? (requirementName(line) ?? []) : []));
  const name = [project.name, poetry.name].find((one) => typeof one === 'string') ?? null;
  return {
    ok: true,
    value: {
      name: name as string | null,
      dependencies: [...listed, ...Object.keys(objectOf(poetry.dependencies))],
    },
  };
}

export function readRequirements(text: string): readonly string[] {
  return text.split('\n', 5_000).flatMap((line) => requirementName(line) ?? []);
}

/** The name before extras, versions and markers (PEP 508), in lower case with `-`. */
function requirementName(line: string): string | null {
  const name = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(line.slice(0, 300))?.[1];
  return name === undefined ? null : name.toLowerCase().replace(/[._]/g, '-');
}

/** `mcpServers` (Claude, Cursor, Gemini), `servers` (VS Code), `mcp_servers` (Codex, in TOML). */
export function readMcpServers(file: string, text: string): Read<McpServer[]> {
  const settings = file.endsWith('.toml') ? tomlObject(text) : jsonObject(text);
  if (!settings.ok) return settings;
  const isVsCode = file.includes('.vscode/');
  const named = objectOf(
    settings.value[file.endsWith('.toml') ? 'mcp_servers' : isVsCode ? 'servers' : 'mcpServers'],
  );
  const servers = Object.entries(named)
    .slice(0, SERVERS_MAX)
    .map(([name, value]): McpServer => {
      const { command, args, url, httpUrl, env } = objectOf(value);
      const given = Array.isArray(args) ? args.filter((arg) => typeof arg === 'string') : [];
      const line = typeof command === 'string' ? [command, ...given] : null;
      const address = [url, httpUrl].find((one) => typeof one === 'string') ?? null;
      const environment = Object.fromEntries(
        Object.entries(objectOf(env)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
      );
      return {
        name,
        file,
        environment,
        command: line,
        url: address as string | null,
        guarded: isGuarded(line, address),
      };
    });
  return { ok: true, value: servers };
}

function isGuarded(command: readonly string[] | null, url: unknown): boolean {
  if (command !== null) {
    const at = command.findIndex((word) => /(^|[/\\])interlock(@.*)?$/.test(word));
    return at >= 0 && at <= 3 && command[at + 1] === 'mcp';
  }
  return typeof url === 'string' && /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/mcp\//.test(url);
}

function jsonObject(text: string): Read<Record<string, unknown>> {
  const parsed = parseJsonText(text);
  const value = parsed.ok ? parsed.value : looseJson(text);
  return value === undefined ? { ok: false, why: 'not JSON' } : { ok: true, value: objectOf(value) };
}

function tomlObject(text: string): Read<Record<string, unknown>> {
  try {
    return { ok: true, value: parseToml(text, { maxDepth: 64 }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { ok: false, why: `not TOML, line ${error.line}` };
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return value as Record<string, unknown>;
}
