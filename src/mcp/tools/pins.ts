// What tools looked like when they were first seen: one file per server, in a directory that all proxies of a user
// share, so that names can be compared across servers. A file that cannot be read is an error, never an empty one.
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJson } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';
import { field, isFields } from '../wire/message.ts';

export interface Sighting {
  /** `sha256:<hex>` of the canonical definition. */
  readonly digest: string;
  /** ISO 8601. */
  readonly since: string;
  readonly definition: Json;
}

/** `pinned` is what may be called; `seen` is another definition that the server gives since, until it is accepted. */
export interface Pin {
  readonly pinned: Sighting | null;
  readonly seen: Sighting | null;
}

export interface ServerPins {
  readonly server: string;
  readonly tools: ReadonlyMap<string, Pin>;
}

export class PinsUnreadable extends Error {}

const FORMAT = 'mcp-pins/1';
const BYTES_MAX = 64 << 20;
const SUFFIX = '.json';

export interface PinStore {
  readonly directory: string;
  /** Null when nothing of the server was seen. */
  read(server: string): ServerPins | null;
  write(pins: ServerPins): void;
  servers(): readonly string[];
  /** Changes when the file does. */
  stamp(server: string): string;
}

/** Throws `PinsUnreadable` when the directory cannot be made or a file in it is no pin file. */
export function openPins(directory: string): PinStore {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new PinsUnreadable(`${directory}: cannot be made (${codeOf(error)}); give another with --pins DIR`);
  }
  const fileOf = (server: string) => join(directory, `${encodeURIComponent(server)}${SUFFIX}`);
  return {
    directory,
    read(server) {
      const file = fileOf(server);
      let text: string;
      try {
        if (statSync(file).size > BYTES_MAX) throw new PinsUnreadable(`${file}: is too large`);
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null;
        throw error instanceof PinsUnreadable ? error : new PinsUnreadable(`${file}: ${codeOf(error)}`);
      }
      return parsePins(text, file, server);
    },
    write({ server, tools }) {
      const file = fileOf(server);
      const text = JSON.stringify(
        { interlock: FORMAT, server, tools: Object.fromEntries([...tools].sort(byName)) },
        null,
        2,
      );
      // Whole or not at all: another proxy may read it at any time.
      const half = `${file}.${process.pid}.tmp`;
      writeFileSync(half, `${text}\n`, { mode: 0o600 });
      renameSync(half, file);
    },
    servers: () =>
      readdirSync(directory)
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)))
        .sort(),
    stamp(server) {
      const stat = statSync(fileOf(server), { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}`;
    },
  };
}

/** Takes what a server says now as what it may say; all of its tools when none are named. Answers their names. */
export function acceptSeen(store: PinStore, server: string, names: readonly string[]): string[] {
  const pins = store.read(server);
  if (pins === null) return [];
  const accepted: string[] = [];
  const tools = new Map(pins.tools);
  for (const [name, { seen }] of pins.tools) {
    if (seen === null || (names.length > 0 && !names.includes(name))) continue;
    tools.set(name, { pinned: seen, seen: null });
    accepted.push(name);
  }
  if (accepted.length > 0) store.write({ server, tools });
  return accepted;
}

function parsePins(text: string, file: string, server: string): ServerPins {
  const bad = (what: string) =>
    new PinsUnreadable(`${file}: ${what}; mend it, or remove it to pin the server's tools anew`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('is not JSON');
  }
  const given = field(value, 'tools');
  if (field(value, 'interlock') !== FORMAT || !isFields(given)) throw bad(`is not of the format ${FORMAT}`);
  const tools = new Map<string, Pin>();
  for (const [name, pin] of Object.entries(given)) {
    const pinned = sighting(field(pin, 'pinned'));
    const seen = sighting(field(pin, 'seen'));
    if (pinned === undefined || seen === undefined)
      throw bad(`the pin of ${JSON.stringify(name)} is not one`);
    tools.set(name, { pinned, seen });
  }
  return { server, tools };
}

function sighting(value: unknown): Sighting | null | undefined {
  if (value === null) return null;
  const digest = field(value, 'digest');
  const since = field(value, 'since');
  const definition = toJson(field(value, 'definition'));
  if (typeof digest !== 'string' || typeof since !== 'string' || !definition.ok) return undefined;
  return { digest, since, definition: definition.value };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
