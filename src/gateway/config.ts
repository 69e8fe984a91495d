// The gateway file: which upstreams there are, whose keys they take, and where requests go by model. Read once at the start; one
// that is wrong keeps the server from starting.
import { parseDuration } from '../spec/duration.ts';
import { globMatches } from '../spec/pattern.ts';
import { describe, type FieldProblem, type Parsed } from '../step/json.ts';
import { reader } from '../step/parse.ts';

export const VENDORS = ['openai', 'anthropic', 'gemini'] as const;
export type Vendor = (typeof VENDORS)[number];

export interface Upstream {
  readonly name: string;
  readonly vendor: Vendor;
  /** Origin and path before the vendor's own paths, without a slash at the end. */
  readonly url: string;
  /** Our own key; null: the client's goes through. */
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What makes a request go to the next upstream. */
export interface FallBack {
  readonly statuses: ReadonlySet<number>;
  readonly serverErrors: boolean;
  readonly timeout: boolean;
  readonly network: boolean;
}

export interface Route {
  /** Glob over models. */
  readonly model: string;
  readonly to: readonly { readonly upstream: string; readonly model: string | null }[];
  readonly on: FallBack;
}

export interface GatewayConfig {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly routes: readonly Route[];
  /** Whose steps they are where a request does not say. */
  readonly agent: string;
  /** How long a held act waits for people before the model is told, milliseconds. */
  readonly holdMs: number;
  /** Until the first byte of an answer, and between its pieces, milliseconds. */
  readonly timeoutMs: number;
}

const BUILT_IN: readonly Upstream[] = [
  { name: 'openai', vendor: 'openai', url: 'https://api.openai.com', key: null, headers: {} },
  { name: 'anthropic', vendor: 'anthropic', url: 'https://api.anthropic.com', key: null, headers: {} },
  {
    name: 'gemini',
    vendor: 'gemini',
    url: 'https://generativelanguage.googleapis.com',
    key: null,
    headers: {},
  },
];
const FALL_BACK: FallBack = {
  statuses: new Set([408, 429]),
  serverErrors: true,
  timeout: true,
  network: true,
};
const UPSTREAMS_MAX = 100;
const ROUTES_MAX = 1_000;
/** Not an upstream: `/gateway/as/AGENT/UPSTREAM/…` names the agent. */
const RESERVED = ['as'];
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const DEFAULT_GATEWAY: GatewayConfig = {
  upstreams: new Map(BUILT_IN.map((upstream) => [upstream.name, upstream])),
  routes: [],
  agent: 'gateway',
  holdMs: 20_000,
  timeoutMs: 600_000,
};

/** The gateway file as YAML gives it; `env` has the keys that it names. */
export function parseGateway(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Parsed<GatewayConfig> {
  const read = reader();
  const root = read.object(value ?? {}, '', ['gateway', 'upstreams', 'routes', 'agent', 'hold', 'timeout']);
  if (root === null) return { ok: false, problems: read.problems };
  const problems = read.problems as FieldProblem[];
  if (root.gateway !== 1)
    problems.push({ at: '/gateway', expected: '1, the version of this form', found: describe(root.gateway) });
  const upstreams = new Map(DEFAULT_GATEWAY.upstreams);
  for (const [name, value] of entries(root.upstreams, '/upstreams', UPSTREAMS_MAX, problems)) {
    const upstream = readUpstream(name, value, env, problems);
    if (upstream !== null) upstreams.set(name, upstream);
  }
  const routes = list(root.routes, '/routes', ROUTES_MAX, problems).flatMap((value, i) =>
    readRoute(value, `/routes/${i}`, upstreams, problems),
  );
  const config: GatewayConfig = {
    upstreams,
    routes,
    agent: read.optional(root.agent, '/agent', read.text) ?? DEFAULT_GATEWAY.agent,
    holdMs: duration(root.hold, '/hold', DEFAULT_GATEWAY.holdMs, problems),
    timeoutMs: duration(root.timeout, '/timeout', DEFAULT_GATEWAY.timeoutMs, problems),
  };
  return problems.length === 0 ? { ok: true, value: config } : { ok: false, problems };
}

function entries(
  value: unknown,
  at: string,
  max: number,
  problems: FieldProblem[],
): readonly (readonly [string, unknown])[] {
  if (value === undefined) return [];
  const found =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  if (found !== null && found.length <= max) return found;
  problems.push({ at, expected: `an object of at most ${max} entries`, found: describe(value) });
  return [];
}

function list(value: unknown, at: string, max: number, problems: FieldProblem[]): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length <= max) return value;
  problems.push({ at, expected: `a list of at most ${max}`, found: describe(value) });
  return [];
}

function readUpstream(
  name: string,
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  problems: FieldProblem[],
): Upstream | null {
  const at = `/upstreams/${name}`;
  const read = reader();
  const fields = read.object(value, at, ['protocol', 'url', 'key', 'headers']);
  const built = BUILT_IN.find((upstream) => upstream.name === name);
  if (!NAME.test(name) || RESERVED.includes(name)) {
    read.problems.push({
      at,
      expected: 'a name of lower-case letters, digits, ., _ and -',
      found: JSON.stringify(name.slice(0, 60)),
      ...(RESERVED.includes(name) ? { mend: `"${name}" is taken.` } : {}),
    });
  }
  const vendor = (fields?.protocol ?? built?.vendor) as Vendor;
  if (fields !== null && !VENDORS.includes(vendor))
    read.problems.push({
      at: `${at}/protocol`,
      expected: VENDORS.join(', '),
      found: describe(fields.protocol),
    });
  const url =
    read.optional(fields?.url, `${at}/url`, (given, place) => readUrl(given, place, read.problems)) ??
    built?.url;
  if (fields !== null && url === undefined)
    read.problems.push({ at: `${at}/url`, expected: 'the address of the API', found: 'nothing' });
  const key = fields?.key === undefined ? null : readKey(fields.key, `${at}/key`, env, read.problems);
  const headers: Record<string, string> = {};
  for (const [header, given] of entries(fields?.headers, `${at}/headers`, 50, read.problems))
    headers[header.toLowerCase()] = read.text(given, `${at}/headers/${header}`);
  problems.push(...read.problems);
  return read.problems.length === 0 && url !== undefined ? { name, vendor, url, key, headers } : null;
}

function readUrl(value: unknown, at: string, problems: FieldProblem[]): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.search === '' &&
    url.hash === ''
  ) {
    return (url.origin + url.pathname).replace(/\/$/, '');
  }
  problems.push({ at, expected: 'an http or https address without a query', found: describe(value) });
  return '';
}

/** A key itself does not stand in the file: only the name of the variable that has it. */
function readKey(
  value: unknown,
  at: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: FieldProblem[],
): string | null {
  // Not said what stands there instead: it may be the key.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const mend = 'A key does not stand in the file; name the variable that has it.';
    problems.push({ at, expected: '{ env: NAME }', found: 'something else', mend });
    return null;
  }
  const read = reader();
  const fields = read.object(value, at, ['env']);
  const name = read.text(fields?.env, `${at}/env`);
  problems.push(...read.problems);
  if (read.problems.length > 0) return null;
  const key = env[name];
  if (key !== undefined && key !== '') return key;
  problems.push({ at: `${at}/env`, expected: `the variable ${name} with the key`, found: 'nothing' });
  return null;
}

function readRoute(
  value: unknown,
  at: string,
  upstreams: ReadonlyMap<string, Upstream>,
  problems: FieldProblem[],
): Route[] {
  const read = reader();
  const fields = read.object(value, at, ['model', 'to', 'on']);
  if (fields === null) {
    problems.push(...read.problems);
    return [];
  }
  const model = read.text(fields.model, `${at}/model`);
  const given = typeof fields.to === 'string' ? [fields.to] : list(fields.to, `${at}/to`, 10, read.problems);
  const to = given.map((one, i) => {
    const place = `${at}/to/${i}`;
    const target =
      typeof one === 'string' ? { upstream: one } : (read.object(one, place, ['upstream', 'model']) ?? {});
    const upstream = read.text(target.upstream, `${place}/upstream`);
    if (upstream !== '' && !upstreams.has(upstream))
      read.problems.push({
        at: place,
        expected: `one of ${[...upstreams.keys()].join(', ')}`,
        found: JSON.stringify(upstream),
      });
    const renamed = 'model' in target ? read.optional(target.model, `${place}/model`, read.text) : undefined;
    return { upstream, model: renamed ?? null };
  });
  if (to.length === 0)
    read.problems.push({
      at: `${at}/to`,
      expected: 'the upstreams to try, in order',
      found: describe(fields.to),
    });
  const vendors = new Set(to.map(({ upstream }) => upstreams.get(upstream)?.vendor));
  if (vendors.size > 1)
    read.problems.push({
      at: `${at}/to`,
      expected: 'upstreams of one protocol',
      found: 'several',
      mend: 'A request goes on as it came; it is not translated.',
    });
  const on = fields.on === undefined ? FALL_BACK : readFallBack(fields.on, `${at}/on`, read.problems);
  problems.push(...read.problems);
  return [{ model, to, on }];
}

function readFallBack(value: unknown, at: string, problems: FieldProblem[]): FallBack {
  const statuses = new Set<number>();
  const named = new Set<string>();
  for (const [i, one] of list(value, at, 20, problems).entries()) {
    if (typeof one === 'number' && Number.isInteger(one) && one >= 400 && one <= 599) statuses.add(one);
    else if (one === '5xx' || one === 'timeout' || one === 'network') named.add(one);
    else
      problems.push({
        at: `${at}/${i}`,
        expected: 'a status of 400 to 599, 5xx, timeout or network',
        found: describe(one),
      });
  }
  return {
    statuses,
    serverErrors: named.has('5xx'),
    timeout: named.has('timeout'),
    network: named.has('network'),
  };
}

/** Longest wait that makes sense of an open connection. */
const DURATION_MAX = 3_600_000;

function duration(value: unknown, at: string, absent: number, problems: FieldProblem[]): number {
  if (value === undefined) return absent;
  const ms = typeof value === 'string' ? parseDuration(value) : null;
  if (ms !== null && ms <= DURATION_MAX) return ms;
  problems.push({ at, expected: 'a duration up to 1h, such as 500ms, 20s or 5m', found: describe(value) });
  return absent;
}

/** Where a request for a model goes, in order: as routed, else where it was sent. */
export function targetsOf(
  config: GatewayConfig,
  upstream: Upstream,
  model: string,
): {
  readonly targets: readonly { readonly upstream: Upstream; readonly model: string | null }[];
  readonly on: FallBack;
} {
  const route = config.routes.find(
    (one) =>
      globMatches(one.model, model) && config.upstreams.get(one.to[0]!.upstream)!.vendor === upstream.vendor,
  );
  if (route === undefined) return { targets: [{ upstream, model: null }], on: FALL_BACK };
  return {
    targets: route.to.map(({ upstream: name, model: renamed }) => ({
      upstream: config.upstreams.get(name)!,
      model: renamed,
    })),
    on: route.on,
  };
}
