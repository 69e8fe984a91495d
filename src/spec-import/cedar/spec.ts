// Cedar policies as a spec: a call is allowed where a permit surely holds and no forbid could; where a permit only may hold, a
// person decides. Pure.
import { Source } from '../../spec/source.ts';
import type { JsonObject } from '../../step/types.ts';
import { allOf, anyOf, literal } from '../cel.ts';
import type { ImportedRule, ImportResult, Remark, SourceFile } from '../types.ts';
import { writeSpec } from '../write.ts';
import { type Convention, isAction, MAYBE, outer, type Side, SURE, scopeTruth, truth } from './condition.ts';
import { SyntaxProblem } from './lex.ts';
import { parsePolicies } from './parse.ts';
import type { EntityRef, Expr, Policy, ScopeConstraint } from './policy.ts';
import { type Members, readSchema } from './schema.ts';

export interface CedarOptions {
  readonly name?: string;
  /** What `resource` is in every call, `Type::"id"`; without it nothing is known of the resource. */
  readonly resource?: EntityRef;
  /** Says which actions are in which groups. */
  readonly schema?: SourceFile;
}

interface Placed {
  readonly id: string;
  readonly policy: Policy;
  /** Null: every tool. */
  readonly tools: readonly string[] | null;
  /** Whether the tools are exactly these: an action may be a group. */
  readonly grouped: boolean;
}

export function importCedar(file: SourceFile, options: CedarOptions = {}): ImportResult {
  const source = new Source(file.name, file.text);
  const policies = read(source);
  if (policies === null) return { ok: false, problems: source.problems };
  const schema = options.schema === undefined ? null : new Source(options.schema.name, options.schema.text);
  const members = schema === null ? null : readSchema(schema);
  if (schema?.failed) return { ok: false, problems: schema.problems };
  const convention = conventionOf(policies, options, members);
  checkNames(source, policies, convention);
  if (source.failed) return { ok: false, problems: source.problems };
  const placed = place(policies, members);
  const remarks = placed.flatMap((one) => remarksOf(source, one, convention));
  const permits = placed.filter(({ policy }) => policy.effect === 'permit');
  // A tool that no pattern can name alone is not covered by a rule on `call *`: the rule for others speaks of it.
  const open =
    permits.some(({ tools, grouped }) => tools === null || grouped) ||
    placed.some(({ tools }) => tools?.some((tool) => !isPlain(tool)));
  const text = writeSpec({
    comment: headComment(file, convention),
    head: { name: options.name ?? 'cedar-policies', default: open ? 'allow' : 'deny' },
    rules: [...forbidRules(placed, convention), ...permitRules(placed, convention, open)],
    tests: examples(placed, convention, open),
    remarks,
  });
  return { ok: true, text, remarks };
}

function read(source: Source): Policy[] | null {
  try {
    const policies = parsePolicies(source.text);
    if (policies.length > 0) return policies;
    source.error('empty', { start: 0, end: 1 }, 'there is no policy in this file');
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    source.error('syntax', error, error.message);
  }
  return null;
}

function headComment(file: SourceFile, { args, resource }: Convention): string {
  return [
    `Imported from ${file.name.split('/').at(-1)}: Cedar policies.`,
    '',
    'Action::"refund" is a call of the tool refund; the principal User::"ann" is a session of user:ann;',
    `${args}.amount is the argument amount; the resource is ${resource === null ? 'not known' : `${resource.type}::${literal(resource.id)}`}.`,
    'A forbid that cannot be evaluated fires; Cedar leaves it out.',
  ].join('\n');
}

function conventionOf(
  policies: readonly Policy[],
  options: CedarOptions,
  members: Members | null,
): Convention {
  const isInput = (expr: Expr) =>
    (expr.t === 'attr' && expr.attr === 'input' && isContext(expr.left)) ||
    (expr.t === 'has' && expr.attrs[0] === 'input' && isContext(expr.left));
  const nested = policies.some(({ conditions }) =>
    conditions.some(({ body }) => some(body, (expr) => isInput(expr) || expr.t === 'temporal')),
  );
  const principalPrefix = (type: string) => `${type.split('::').at(-1)!.toLowerCase()}:`;
  return {
    args: nested ? 'context.input' : 'context',
    resource: options.resource ?? null,
    members,
    principalPrefix,
    principal: ({ type, id }) => principalPrefix(type) + id,
  };
}

function isContext(expr: Expr): boolean {
  return expr.t === 'var' && expr.name === 'context';
}

function isActionVariable(expr: Expr): boolean {
  return expr.t === 'var' && expr.name === 'action';
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.t) {
    case 'not':
    case 'neg':
      return [expr.arg];
    case 'binary':
      return [expr.left, expr.right];
    case 'attr':
    case 'has':
    case 'like':
      return [expr.left];
    case 'is':
      return expr.in === null ? [expr.left] : [expr.left, expr.in];
    case 'if':
      return [expr.test, expr.yes, expr.no];
    case 'set':
      return expr.items;
    case 'record':
      return expr.fields.map(([, value]) => value);
    case 'call':
      return expr.args;
    default:
      return [];
  }
}

function some(expr: Expr, test: (expr: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some((child) => some(child, test));
}

/** Two principals, or two actions, that would read the same cannot be told apart. */
function checkNames(source: Source, policies: readonly Policy[], convention: Convention): void {
  const seen = new Map<string, string>();
  for (const policy of policies) {
    const check = (reads: string, type: string): void => {
      const other = seen.get(reads);
      if (other === undefined) seen.set(reads, type);
      else if (other !== type)
        source.error(
          'name',
          { start: policy.at, end: policy.at + 1 },
          `\`${type}\` and \`${other}\` would both be ${reads}; give one of them another name`,
        );
    };
    const checkType = (type: string) => check(`sessions of \`${convention.principalPrefix(type)}…\``, type);
    const checkEntity = (entity: EntityRef) =>
      isAction(entity) ? check(`calls of \`${entity.id}\``, entity.type) : checkType(entity.type);
    for (const constraint of [policy.principal, policy.action]) {
      if (constraint.op === 'is') checkType(constraint.entity_type);
      if (constraint.op === '==') checkEntity(constraint.entity);
      if (constraint.op === 'in')
        for (const entity of 'entities' in constraint ? constraint.entities : [constraint.entity])
          checkEntity(entity);
    }
    for (const { body } of policy.conditions)
      some(body, (expr) => {
        if (expr.t === 'is' && !isActionVariable(expr.left)) checkType(expr.type);
        if (expr.t === 'entity') checkEntity(expr.entity);
        return false;
      });
  }
}

function place(policies: readonly Policy[], members: Members | null): Placed[] {
  const ids = new Set<string>();
  return policies.map((policy, i) => {
    const { id: wanted = `policy${i}` } = policy.annotations;
    const base = wanted.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60) || `policy${i}`;
    let id = base;
    for (let n = 2; ids.has(id); n++) id = `${base}-${n}`;
    ids.add(id);
    return { id, policy, ...toolsOf(policy.action, members) };
  });
}

function toolsOf(action: ScopeConstraint, members: Members | null): Pick<Placed, 'tools' | 'grouped'> {
  if (action.op === '==') return { tools: [action.entity.id], grouped: false };
  if (action.op !== 'in') return { tools: null, grouped: false };
  const entities = 'entities' in action ? action.entities : [action.entity];
  const tools = [...new Set(entities.flatMap((entity) => members?.(entity) ?? [entity.id]))];
  return { tools, grouped: members === null && 'entity' in action };
}

/** When the policy applies to a call of one of its tools. */
function conditionOf({ policy }: Placed, side: Side, convention: Convention): string {
  const parts = [
    scopeTruth('principal', policy.principal, side, convention),
    scopeTruth('resource', policy.resource, side, convention),
    ...policy.conditions.flatMap(({ kind, body }) =>
      kind === 'when' ? outer(body, side, convention) : [truth({ t: 'not', arg: body }, side, convention)],
    ),
  ];
  if (parts.includes('false')) return 'false';
  return allOf(parts.filter((part) => part !== 'true'));
}

function remarksOf(source: Source, one: Placed, convention: Convention): Remark[] {
  const { id, policy, grouped } = one;
  const place = { file: source.file, ...source.lines.position(policy.at) };
  const permit = policy.effect === 'permit';
  const out: Remark[] = [];
  if (grouped || conditionOf(one, SURE, convention) !== conditionOf(one, MAYBE, convention)) {
    const what = permit ? 'where it only may hold, the call is held' : 'it forbids wherever it could hold';
    out.push({
      kind: 'stricter',
      ...place,
      message: `${policy.effect} ${id}: hierarchies, attributes of entities, sets of sets and extension types are not known here, and of conditions on history only what the page on imports lists; ${what}`,
    });
  }
  const listed = (expr: Expr) =>
    expr.t === 'binary' && expr.op === 'in' && isActionVariable(expr.left) && expr.right.t === 'set';
  if (convention.members !== null) return out;
  const inScope = !permit && policy.action.op === 'in' && 'entities' in policy.action;
  if (inScope || policy.conditions.some(({ body }) => some(body, listed)))
    out.push({
      kind: 'missing',
      ...place,
      message: `${policy.effect} ${id}: the actions in its list are taken for tools; if one is a group, what is in it is not meant here: list its actions`,
    });
  return out;
}

function callOf(name: string): string {
  return `call ${name}`;
}

/** Names that a step pattern can say alone. */
function isPlain(name: string): boolean {
  return /^[^\s*?]+$/.test(name) && !name.startsWith('effect:');
}

/** The steps that the tools stand for, and what else must be asked of the name. */
function about(tools: readonly string[] | null): { on: string | string[]; when?: string } {
  if (tools === null) return { on: 'call *' };
  if (tools.length > 0 && tools.every(isPlain))
    return { on: tools.length === 1 ? callOf(tools[0]!) : tools.map(callOf) };
  return { on: 'call *', when: `name in ${JSON.stringify(tools)}` };
}

function forbidRules(placed: readonly Placed[], convention: Convention): ImportedRule[] {
  return placed.flatMap((one) => {
    if (one.policy.effect !== 'forbid') return [];
    const condition = conditionOf(one, MAYBE, convention);
    if (condition === 'false') return [];
    return [
      {
        comment: `forbid ${one.id}`,
        rule: {
          id: `forbid-${one.id}`,
          ...about(one.grouped ? null : one.tools),
          deny: condition === 'true' ? true : condition,
          because: `Forbidden by the policy ${one.id}.`,
        },
      },
    ];
  });
}

/** For each tool that a policy names, and for all others: some permit must hold. */
function permitRules(placed: readonly Placed[], convention: Convention, open: boolean): ImportedRule[] {
  const permits = placed.filter(({ policy }) => policy.effect === 'permit');
  const named = [...new Set(placed.flatMap(({ tools }) => tools ?? []))];
  const rules: ImportedRule[] = [];
  const add = (id: string, subject: JsonObject, tool: string | null) => {
    const those = permits.filter(
      ({ tools, grouped }) => tools === null || grouped || (tool !== null && tools.includes(tool)),
    );
    const certain = those.filter(({ tools }) => tools === null || (tool !== null && tools.includes(tool)));
    const maybe = either(those.map((one) => conditionOf(one, MAYBE, convention)));
    const sure = either(certain.map((one) => conditionOf(one, SURE, convention)));
    const comment = `permit: ${those.map((one) => one.id).join(', ') || 'none'}`;
    const because =
      tool === null ? 'No policy permits this call.' : `No policy permits this call of ${tool}.`;
    if (maybe !== 'true')
      rules.push({
        comment,
        rule: { id, ...subject, ...(maybe === 'false' ? { deny: true } : { require: maybe }), because },
      });
    if (sure !== maybe)
      rules.push({
        comment: `${comment}; not all of it can be decided here`,
        rule: {
          id: `${id}-unsure`,
          ...subject,
          hold: sure === 'false' ? true : `!(${sure})`,
          because: 'Whether a policy permits this call cannot be decided here.',
        },
      });
    else if (maybe === 'true' && !open)
      // Without a rule that names it, the tool would be denied by default.
      rules.push({ comment, rule: { id, ...subject, require: true, because } });
  };
  named.forEach((tool, i) => {
    const slug = tool.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 50);
    add(`permit-${i}-${slug}`, about([tool]), tool);
  });
  if (open)
    add(
      'permit-others',
      { on: 'call *', ...(named.length === 0 ? {} : { when: `!(name in ${JSON.stringify(named)})` }) },
      null,
    );
  return rules;
}

function either(conditions: readonly string[]): string {
  if (conditions.includes('true')) return 'true';
  return anyOf([...new Set(conditions.filter((condition) => condition !== 'false'))]);
}

/** Examples for policies without conditions, and for a tool that nobody has heard of. */
function examples(placed: readonly Placed[], convention: Convention, open: boolean): JsonObject[] {
  const out: JsonObject[] = [];
  const forbids = placed.filter(({ policy }) => policy.effect === 'forbid');
  for (const one of placed) {
    const { principal } = one.policy;
    const who =
      principal.op === '=='
        ? convention.principal(principal.entity)
        : principal.op === 'All'
          ? 'user:x'
          : null;
    const plain =
      one.policy.conditions.length === 0 &&
      conditionOf(one, SURE, convention) === conditionOf(one, MAYBE, convention);
    if (
      who === null ||
      !plain ||
      one.tools === null ||
      one.grouped ||
      conditionOf(one, SURE, convention) === 'false'
    )
      continue;
    const permit = one.policy.effect === 'permit';
    const tool = one.tools[0];
    if (
      tool === undefined ||
      (permit && forbids.some(({ tools, grouped }) => tools === null || grouped || tools.includes(tool)))
    )
      continue;
    out.push({
      name: `${one.policy.effect} ${one.id}`,
      principal: who,
      steps: [{ call: tool, args: {}, expect: permit ? 'allow' : 'deny' }],
    });
  }
  if (!open)
    out.push({
      name: 'a tool of which no policy speaks',
      principal: 'user:x',
      steps: [{ call: 'unheard_of', args: {}, expect: 'deny' }],
    });
  return out;
}
