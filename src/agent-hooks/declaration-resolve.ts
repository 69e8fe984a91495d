// Section 7.7.6, steps 2 to 10: a document is checked step by step, and refused under the class of the first that fails; what
// is left has every default filled in. Pure. Nothing is narrowed, repaired or applied in part.
import { canonicalize } from '../step/canonical.ts';
import { type FieldProblem, JSON_DEPTH_MAX } from '../step/json.ts';
import type { Json } from '../step/types.ts';
import {
  DOCUMENT,
  invalidMembers,
  isPlain,
  PROFILES,
  type Profile,
  unknownMembers,
} from './declaration-shape.ts';
import {
  DECLARATION_VERSION,
  type DeclarationClass,
  type DeclarationHost,
  DeclarationRefused,
  type ResolvedDeclaration,
} from './declaration-types.ts';
import { type Composition, type Mode, POINTS, type Point } from './types.ts';

const SPEC = { major: 0, minor: 1 };
const DEPTH_MAX = 32;
const FLOOR: readonly Point[] = ['agent_startup', 'input', 'output', 'agent_shutdown'];

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
