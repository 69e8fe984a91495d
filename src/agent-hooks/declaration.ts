// Section 7.7: a document that says how a host is set up becomes the options of an emitter, or is refused before anything
// runs, under the class of the first step that fails. Nothing is narrowed, repaired or applied in part.

import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { canonicalize } from '../step/canonical.ts';
import { type FieldProblem, JSON_DEPTH_MAX, parseJsonText } from '../step/json.ts';
import type { Json } from '../step/types.ts';
import { repeatedKey } from '../step/unique-keys.ts';
import {
  DOCUMENT,
  invalidMembers,
  isPlain,
  PROFILES,
  type Profile,
  unknownMembers,
} from './declaration-shape.ts';
import type { EmitterOptions, Registration } from './emitter.ts';
import {
  type AgentContext,
  type ApprovalResolver,
  type Composition,
  type Interceptor,
  type Mode,
  POINTS,
  type Point,
} from './types.ts';

export const DECLARATION_VERSION = 'agent-hooks-declaration/1.0';
const SPEC = { major: 0, minor: 1 };
const BYTES_MAX = 1 << 20;
const DEPTH_MAX = 32;
const FLOOR: readonly Point[] = ['agent_startup', 'input', 'output', 'agent_shutdown'];

/** In the order of the steps; a document is refused under exactly one. */
export type DeclarationClass =
  | 'unreadable'
  | 'malformed'
  | 'version_unsupported'
  | 'spec_unsupported'
  | 'unknown_field'
  | 'invalid_field'
  | 'inconsistent'
  | 'surface_unsupported'
  | 'reference_unresolved'
  | 'kind_unknown'
  | 'binding_rejected';

/** The document is refused. `code` is `declaration_error:` and the class; no value of the document is in it. */
export class DeclarationRefused extends Error {
  readonly code: `declaration_error:${DeclarationClass}`;
  readonly problems: readonly FieldProblem[];
  constructor(refused: DeclarationClass, problems: readonly FieldProblem[]) {
    const [{ at, expected, found } = { at: '', expected: 'a declaration', found: 'something else' }] =
      problems;
    super(`declaration_error:${refused}: ${at || '/'}: expected ${expected}, found ${found}`);
    this.name = 'DeclarationRefused';
    this.code = `declaration_error:${refused}`;
    this.problems = problems;
  }
}

/** What a host's code can honour, and what a document may name. */
export interface DeclarationHost {
  readonly capabilities: readonly string[];
  /** Makes the interceptor of a binding; what it throws refuses the document. */
  readonly kinds: Readonly<
    Record<
      string,
      (config: Json, binding: { id: string; at: readonly Point[] }) => Interceptor | Promise<Interceptor>
    >
  >;
  readonly providers?: Readonly<Record<string, (context: AgentContext) => string>>;
  readonly resolvers?: Readonly<Record<string, ApprovalResolver>>;
  readonly redactors?: Readonly<Record<string, NonNullable<EmitterOptions['redact']>>>;
  /** The host sends text out before the verdict on the output, as `runAgent` does with `release`. */
  readonly isIncremental?: boolean;
}

/** The document with every default filled in; two documents that mean the same have the same. */
export interface ResolvedDeclaration {
  readonly declaration: string;
  readonly spec: string;
  readonly id?: string;
  readonly host?: Json;
  readonly configuration: {
    readonly mode: Mode;
    readonly composition: Composition;
    readonly identity_provider: string | null;
    readonly approval: { readonly resolver: string | null; readonly redactor: string | null };
    readonly posture: { readonly tool_seam_host_error: 'continue' | 'terminate' };
    readonly timeouts: {
      readonly interceptor_ms: number | null;
      readonly approval_resolver_ms: number | null;
    };
    readonly records: { readonly max_buffered: number | null };
  };
  readonly surface: {
    readonly interception_points: readonly Point[];
    readonly capabilities: readonly string[];
    readonly profiles: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
    readonly buffered_output: boolean;
    readonly exposure_bound?: string;
    readonly declaration_versions: readonly string[];
  };
  readonly bindings: readonly {
    readonly id: string;
    readonly kind: string;
    readonly config: Json;
    readonly at: readonly Point[];
    readonly timeout_ms: number | null;
  }[];
  readonly extensions: Json;
}

/** Rejects with `DeclarationRefused`. */
export async function loadDeclaration(file: string, host: DeclarationHost) {
  const unreadable = (found: string) =>
    new DeclarationRefused('unreadable', [{ at: '', expected: 'a file of UTF-8 up to 1 MiB', found }]);
  let bytes: Buffer;
  try {
    const { size } = await stat(file).then((found) =>
      found.isFile() ? found : { size: Number.POSITIVE_INFINITY },
    );
    if (size > BYTES_MAX) throw unreadable('a larger one, or no file');
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof DeclarationRefused) throw error;
    throw unreadable((error as NodeJS.ErrnoException).code ?? 'an error');
  }
  if (!isUtf8(bytes) || bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])))
    throw unreadable('other bytes');
  return readDeclaration(bytes.toString('utf8'), host);
}

/** From the text of a document. Rejects with `DeclarationRefused`. */
export async function readDeclaration(text: string, host: DeclarationHost) {
  const malformed = (found: string) =>
    new DeclarationRefused('malformed', [{ at: '', expected: 'one JSON object', found }]);
  if (Buffer.byteLength(text) > BYTES_MAX) throw malformed('more than 1 MiB');
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw malformed(`${parsed.problem.found} at line ${parsed.problem.line}`);
  if (repeatedKey(text) !== null) throw malformed('a key twice in one object');
  return applyDeclaration(parsed.value, host);
}

/**
 * From a document as a value: the resolved form, and the options of an emitter under it. Rejects with
 * `DeclarationRefused`.
 */
export async function applyDeclaration(
  document: unknown,
  host: DeclarationHost,
): Promise<{ resolved: ResolvedDeclaration; options: EmitterOptions }> {
  const resolved = resolveDeclaration(document, host);
  const { configuration } = resolved;
  const interceptors: Registration[] = [];
  for (const [i, { id, kind, config, at, timeout_ms }] of resolved.bindings.entries()) {
    let interceptor: Interceptor;
    try {
      interceptor = await host.kinds[kind]!(config, { id, at });
      if (typeof (interceptor as Partial<Interceptor> | null)?.intercept !== 'function')
        throw new TypeError();
    } catch {
      const expected = `a configuration that ${kind} takes`;
      throw new DeclarationRefused('binding_rejected', [
        { at: `/bindings/${i}`, expected, found: 'one that it refuses' },
      ]);
    }
    interceptors.push({ interceptor, name: id, at, timeoutMs: timeout_ms });
  }
  const { identity_provider: provider, approval, timeouts } = configuration;
  const options: EmitterOptions = {
    interceptors,
    composition: configuration.composition,
    mode: configuration.mode,
    identity:
      provider === null || provider === 'jcs-sha256'
        ? provider
        : { name: provider, identify: host.providers![provider]! },
    interceptorMs: timeouts.interceptor_ms,
    resolverMs: timeouts.approval_resolver_ms,
    declaration: resolved.declaration,
    ...(approval.resolver === null ? {} : { resolver: host.resolvers![approval.resolver]! }),
    ...(approval.redactor === null ? {} : { redact: host.redactors![approval.redactor]! }),
  };
  return { resolved, options };
}

/** Steps 2 to 10. @throws DeclarationRefused */
export function resolveDeclaration(document: unknown, host: DeclarationHost): ResolvedDeclaration {
  let plain: unknown;
  try {
    // Its own copy, in the form of the wire; refuses what is not JSON.
    plain = JSON.parse(canonicalize(document));
  } catch {
    plain = null;
  }
  if (!isPlain(plain) || depthOf(plain) > DEPTH_MAX)
    throw new DeclarationRefused('malformed', [
      { at: '', expected: `one JSON object of at most ${DEPTH_MAX} levels`, found: 'something else' },
    ]);
  const given = plain;
  if (given.declaration !== DECLARATION_VERSION)
    throw new DeclarationRefused('version_unsupported', [
      { at: '/declaration', expected: DECLARATION_VERSION, found: 'another version, or none' },
    ]);
  if (given.spec !== undefined && !isSupportedSpec(given.spec))
    throw new DeclarationRefused('spec_unsupported', [
      { at: '/spec', expected: `agent-hooks/${SPEC.major}.${SPEC.minor}`, found: 'another version' },
    ]);
  refuseIf('unknown_field', unknownMembers(DOCUMENT, given));
  refuseIf('invalid_field', [...invalidMembers(DOCUMENT, given), ...exposure(given.surface)]);
  // From here on the members are what the form says.
  const resolved = filled(given as unknown as Given, host);
  const { declared } = resolved;
  refuseIf('inconsistent', inconsistencies(given as unknown as Given, resolved.form, declared));
  refuseIf('surface_unsupported', unsupported(resolved.form, host));
  refuseIf('reference_unresolved', unresolved(resolved.form, host));
  refuseIf(
    'kind_unknown',
    resolved.form.bindings.flatMap(({ kind }, i) =>
      Object.hasOwn(host.kinds, kind)
        ? []
        : [{ at: `/bindings/${i}/kind`, expected: 'a kind that the host has', found: JSON.stringify(kind) }],
    ),
  );
  return resolved.form;
}

/** A document whose members have been checked one by one. */
interface Given {
  readonly declaration: string;
  readonly spec?: string;
  readonly id?: string;
  readonly host?: Json;
  readonly configuration?: {
    readonly mode?: Mode;
    readonly composition?: { readonly profile?: Profile } & Readonly<Record<string, string>>;
    readonly identity_provider?: string | null;
    readonly approval?: { readonly resolver?: string | null; readonly redactor?: string | null };
    readonly posture?: { readonly tool_seam_host_error?: 'continue' | 'terminate' };
    readonly timeouts?: {
      readonly interceptor_ms?: number | null;
      readonly approval_resolver_ms?: number | null;
    };
    readonly records?: { readonly max_buffered?: number | null };
  };
  readonly surface?: Partial<ResolvedDeclaration['surface']>;
  readonly bindings: readonly (Pick<ResolvedDeclaration['bindings'][number], 'id' | 'kind'> &
    Partial<ResolvedDeclaration['bindings'][number]>)[];
  readonly extensions?: Json;
}

/** Section 7.7.4: the surface of the host's code. */
function codeSurface(host: DeclarationHost): ResolvedDeclaration['surface'] {
  const has = (capability: string) => host.capabilities.includes(capability);
  return {
    interception_points: POINTS.filter(
      (point) =>
        FLOOR.includes(point) ||
        (point.endsWith('_model_call') && has('model_calls')) ||
        (point.endsWith('_tool_call') && has('tool_calls')),
    ),
    capabilities: [...host.capabilities].sort(),
    profiles: Object.fromEntries(
      Object.entries(PROFILES).map(([profile, asks]) => [
        profile,
        asks === null
          ? {}
          : { [asks.knob]: asks.knob === 'on_approval' ? ['resume', 'stop'] : ['approval', 'deny'] },
      ]),
    ),
    buffered_output: true,
    declaration_versions: [DECLARATION_VERSION],
  };
}

function filled(given: Given, host: DeclarationHost): { form: ResolvedDeclaration; declared: boolean } {
  const { configuration = {}, surface = {} } = given;
  const { composition: knobs = {}, approval = {}, timeouts = {} } = configuration;
  const profile: Profile = (knobs as { profile?: Profile }).profile ?? 'sequential/first_deny';
  const asks = PROFILES[profile];
  const interceptorMs = timeouts.interceptor_ms === undefined ? 5_000 : timeouts.interceptor_ms;
  const code = codeSurface(host);
  const points = surface.interception_points ?? code.interception_points;
  const ordered = (some: readonly Point[]) => POINTS.filter((point) => some.includes(point));
  const form: ResolvedDeclaration = {
    declaration: given.declaration,
    spec: given.spec ?? `agent-hooks/${SPEC.major}.${SPEC.minor}`,
    ...(given.id === undefined ? {} : { id: given.id }),
    ...(given.host === undefined ? {} : { host: given.host }),
    configuration: {
      mode: configuration.mode ?? 'enforce',
      composition: (asks === null
        ? { profile }
        : {
            profile,
            [asks.knob]: (knobs as Record<string, string>)[asks.knob] ?? asks.otherwise,
          }) as Composition,
      identity_provider:
        configuration.identity_provider === undefined ? 'jcs-sha256' : configuration.identity_provider,
      approval: { resolver: approval.resolver ?? null, redactor: approval.redactor ?? null },
      posture: { tool_seam_host_error: configuration.posture?.tool_seam_host_error ?? 'continue' },
      timeouts: {
        interceptor_ms: interceptorMs,
        approval_resolver_ms:
          timeouts.approval_resolver_ms === undefined ? interceptorMs : timeouts.approval_resolver_ms,
      },
      records: { max_buffered: configuration.records?.max_buffered ?? null },
    },
    surface: {
      interception_points: ordered(points),
      capabilities: [...(surface.capabilities ?? code.capabilities)].sort(),
      profiles: surface.profiles === undefined ? code.profiles : withDefaults(surface.profiles),
      buffered_output: surface.buffered_output ?? true,
      ...(surface.exposure_bound === undefined ? {} : { exposure_bound: surface.exposure_bound }),
      declaration_versions: [...(surface.declaration_versions ?? code.declaration_versions)].sort(),
    },
    bindings: given.bindings.map(({ id, kind, config, at, timeout_ms }) => ({
      id,
      kind,
      config: config === undefined ? {} : config,
      at: ordered(at ?? points),
      timeout_ms: timeout_ms === undefined ? interceptorMs : timeout_ms,
    })),
    extensions: given.extensions ?? {},
  };
  return { form, declared: surface.profiles !== undefined };
}

/** A knob that is left out stands for its default alone. */
function withDefaults(profiles: ResolvedDeclaration['surface']['profiles']) {
  return Object.fromEntries(
    Object.entries(profiles).map(([profile, knobs]) => {
      const asks = PROFILES[profile as Profile];
      if (asks === null) return [profile, {}];
      return [profile, { [asks.knob]: [...(knobs[asks.knob] ?? [asks.otherwise])].sort() }];
    }),
  );
}

/** Step 7: what the document says against itself. */
function inconsistencies(given: Given, form: ResolvedDeclaration, declared: boolean): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const wrong = (at: string, expected: string, found = 'something else') =>
    problems.push({ at, expected, found });
  const { surface, configuration, bindings } = form;
  const emits = (point: Point) => surface.interception_points.includes(point);
  for (const point of FLOOR) if (!emits(point)) wrong('/surface/interception_points', point, 'nothing');
  for (const [before, after, capability] of [
    ['pre_model_call', 'post_model_call', 'model_calls'],
    ['pre_tool_call', 'post_tool_call', 'tool_calls'],
  ] as const) {
    if (emits(before) !== emits(after)) wrong('/surface/interception_points', `${before} with ${after}`);
    if (surface.capabilities.includes(capability) !== (emits(before) && emits(after)))
      wrong('/surface/capabilities', `${capability} exactly when its points are there`);
  }
  const { profile } = configuration.composition;
  const asks = PROFILES[profile];
  for (const knob of Object.keys(given.configuration?.composition ?? {})) {
    if (knob !== 'profile' && knob !== asks?.knob)
      wrong(`/configuration/composition/${knob}`, `only what ${profile} asks`, knob);
  }
  const knobs = Object.hasOwn(surface.profiles, profile) ? surface.profiles[profile]! : null;
  if (declared && knobs === null)
    wrong('/configuration/composition/profile', 'a profile of the surface', profile);
  if (declared && knobs !== null && asks !== null) {
    const value = (configuration.composition as unknown as Record<string, string>)[asks.knob]!;
    if (!knobs[asks.knob]!.includes(value))
      wrong(`/configuration/composition/${asks.knob}`, 'a value of the surface', value);
  }
  if (surface.capabilities.includes('incremental_output') && surface.buffered_output)
    wrong('/surface/buffered_output', 'false, with incremental_output', 'true');
  if (!surface.declaration_versions.includes(form.declaration))
    wrong('/surface/declaration_versions', form.declaration, 'other versions');
  const ids = new Set<string>();
  for (const [i, { id }] of bindings.entries()) {
    if (ids.has(id)) wrong(`/bindings/${i}/id`, 'an id of its own', id);
    ids.add(id);
    for (const point of given.bindings[i]!.at ?? [])
      if (!emits(point)) wrong(`/bindings/${i}/at`, 'a point of the surface', point);
  }
  return problems;
}

/** Step 8: what the code cannot honour. */
function unsupported({ surface, configuration }: ResolvedDeclaration, host: DeclarationHost): FieldProblem[] {
  const code = codeSurface(host);
  const lacking = (at: string, wanted: readonly string[], has: readonly string[]) =>
    wanted
      .filter((one) => !has.includes(one))
      .map((found): FieldProblem => ({ at, expected: 'what the host can do', found }));
  const problems = [
    ...lacking('/surface/interception_points', surface.interception_points, code.interception_points),
    ...lacking('/surface/capabilities', surface.capabilities, code.capabilities),
    ...lacking('/surface/declaration_versions', surface.declaration_versions, code.declaration_versions),
  ];
  if (!surface.buffered_output && host.isIncremental !== true)
    problems.push({ at: '/surface/buffered_output', expected: 'true', found: 'false' });
  const { tool_seam_host_error: posture } = configuration.posture;
  if (posture !== 'continue')
    problems.push({
      at: '/configuration/posture/tool_seam_host_error',
      expected: 'continue',
      found: posture,
    });
  return problems;
}

/** Step 9. */
function unresolved({ configuration }: ResolvedDeclaration, host: DeclarationHost): FieldProblem[] {
  const { identity_provider: provider, approval } = configuration;
  const named: [at: string, name: string | null, among: object | undefined][] = [
    ['/configuration/identity_provider', provider === 'jcs-sha256' ? null : provider, host.providers],
    ['/configuration/approval/resolver', approval.resolver, host.resolvers],
    ['/configuration/approval/redactor', approval.redactor, host.redactors],
  ];
  return named
    .filter(([, name, among]) => name !== null && !Object.hasOwn(among ?? {}, name))
    .map(([at, name]) => ({ at, expected: 'a name that the host has', found: JSON.stringify(name) }));
}

/** An exposure bound goes with an output that is not buffered, and with no other. */
function exposure(surface: unknown): FieldProblem[] {
  if (!isPlain(surface)) return [];
  const isUnbuffered = surface.buffered_output === false;
  if (isUnbuffered === Object.hasOwn(surface, 'exposure_bound')) return [];
  const expected = isUnbuffered ? 'a value, with buffered_output: false' : 'nothing, with a buffered output';
  return [{ at: '/surface/exposure_bound', expected, found: isUnbuffered ? 'nothing' : 'a value' }];
}

function refuseIf(refused: DeclarationClass, problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw new DeclarationRefused(refused, problems);
}

function isSupportedSpec(spec: unknown): boolean {
  const found = typeof spec === 'string' ? /^agent-hooks\/([0-9]{1,9})\.([0-9]{1,9})$/.exec(spec) : null;
  return found !== null && Number(found[1]) === SPEC.major && Number(found[2]) <= SPEC.minor;
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > JSON_DEPTH_MAX) return depth;
  return Math.max(depth + 1, ...Object.values(value).map((member) => depthOf(member, depth + 1)));
}
