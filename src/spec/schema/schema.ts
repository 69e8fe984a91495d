// JSON Schema (draft 2020-12, the subset tool contracts use) compiled to closures: a check and a static type. Patterns
// are RE2; work, depth and size are bounded, whatever the schema and the value. Pure, no eval.

import type { Json, JsonObject } from '../../step/types.ts';
import type { Engines } from '../engines.ts';
import {
  type Check,
  type Context,
  fail,
  isDone,
  isObject,
  MAX_DEPTH,
  MAX_VIOLATIONS,
  MAX_WORK,
  type Node,
  type SchemaProblem,
  type SchemaViolation,
} from './check.ts';
import { addArrayChecks, addObjectChecks, type Sub } from './container-checks.ts';
import { readKeywords } from './keywords.ts';
import { alternatives, ownType } from './static-type.ts';
import { both, DYN, type Type } from './type.ts';
import { addValueChecks, typeCheck, typesOf } from './value-checks.ts';

export type { SchemaProblem, SchemaViolation } from './check.ts';

export interface CompiledSchema {
  readonly type: Type;
  /** The first violations, or null when the value is valid. */
  validate(value: Json): readonly SchemaViolation[] | null;
  /** What is wrong with the schema itself. While there are any, `validate` checks less than was meant. */
  readonly problems: readonly SchemaProblem[];
}

const MAX_NODES = 10_000;

/**
 * Compiles a schema. `where` names it in problems, e.g. `refund.input`.
 *
 * @example
 * const { validate } = compileSchema({ type: 'object', required: ['amount'] }, 'refund.input', ENGINES);
 * validate({}); // [{ path: '/amount', expected: 'a value, as it is required', found: 'nothing' }]
 */
export function compileSchema(
  schema: Json,
  where: string,
  { patterns }: Pick<Engines, 'patterns'>,
): CompiledSchema {
  const root = isObject(schema) ? schema : {};
  const context: Context = { patterns, root, problems: [], refs: new Map(), nodes: 0, work: 0 };
  const compiled = compileNode(schema, where, context, 0);
  for (const key of ['$defs', 'definitions'])
    if (isObject(root[key]))
      for (const name of Object.keys(root[key])) reference(`#/${key}/${escaped(name)}`, where, context, 0);
  return {
    type: compiled.type,
    problems: context.problems,
    validate(value) {
      context.work = 0;
      const valid = compiled.check(value, '', null, 0);
      // Told apart from the answer: under `not`, a check that gave up would count as passed.
      if (valid && context.work <= MAX_WORK) return null;
      const violations: SchemaViolation[] = [];
      if (context.work <= MAX_WORK) {
        context.work = 0;
        compiled.check(value, '', violations, 0);
      }
      if (violations.length === 0) fail(violations, '', `a value that ${MAX_WORK} checks can judge`, value);
      return violations.slice(0, MAX_VIOLATIONS);
    },
  };
}

const ANYTHING: Node = { type: DYN, check: () => true };
const NOTHING: Node = { type: DYN, check: (value, path, into) => fail(into, path, 'nothing', value) };

function compileNode(schema: Json, where: string, context: Context, depth: number): Node {
  if (schema === true) return ANYTHING;
  if (schema === false) return NOTHING;
  if (!isObject(schema)) {
    context.problems.push({ path: where, message: 'a schema is an object, true or false' });
    return ANYTHING;
  }
  if (depth > MAX_DEPTH || ++context.nodes > MAX_NODES) {
    const message = `the schema is nested deeper than ${MAX_DEPTH} or larger than ${MAX_NODES} nodes`;
    context.problems.push({ path: where, message });
    return ANYTHING;
  }
  const node = readKeywords(schema, where, context.problems);
  const checks: Check[] = [];
  const types = typesOf(node);
  if (types !== null) checks.push(typeCheck(types));
  const sub: Sub = (child, name) => compileNode(child, `${where}.${name}`, context, depth + 1);
  addValueChecks(node, where, context, checks);
  const shape = addObjectChecks(node, where, context, checks, sub);
  const item = addArrayChecks(node, context, checks, sub);
  const combined = addCombinators(node, checks, sub);
  const referred = addReference(node, where, context, depth, checks);
  const type = [combined, referred].reduce(both, ownType(node, types, shape, item));
  return { type, check: all(checks) };
}

function all(checks: readonly Check[]): Check {
  if (checks.length === 0) return ANYTHING.check;
  if (checks.length === 1) return checks[0]!;
  return (value, path, into, depth) => {
    let ok = true;
    for (const check of checks) {
      if (check(value, path, into, depth)) continue;
      if (isDone(into)) return false;
      ok = false;
    }
    return ok;
  };
}

function addCombinators(schema: JsonObject, checks: Check[], sub: Sub): Type {
  const list = (key: string) =>
    ((schema[key] ?? []) as readonly Json[]).map((child, i) => sub(child, `${key}[${i}]`));
  const [every, some, one] = [list('allOf'), list('anyOf'), list('oneOf')];
  for (const node of every) checks.push(node.check);
  if (some.length > 0)
    checks.push(
      (value, path, into, depth) =>
        some.some((node) => node.check(value, path, null, depth)) ||
        fail(into, path, 'one of the allowed forms', value),
    );
  if (one.length > 0)
    checks.push(
      (value, path, into, depth) =>
        one.filter((node) => node.check(value, path, null, depth)).length === 1 ||
        fail(into, path, 'exactly one of the allowed forms', value),
    );
  if (schema.not !== undefined) {
    const not = sub(schema.not, 'not');
    checks.push(
      (value, path, into, depth) =>
        !not.check(value, path, null, depth) || fail(into, path, 'something else', value),
    );
  }
  const types = [...every.map((node) => node.type), alternatives(some), alternatives(one)];
  return types.reduce(both);
}

function addReference(
  schema: JsonObject,
  where: string,
  context: Context,
  depth: number,
  checks: Check[],
): Type {
  if (typeof schema.$ref !== 'string') return DYN;
  const target = reference(schema.$ref, where, context, depth);
  checks.push((value, path, into, level) => {
    if (level > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value);
    if (++context.work > MAX_WORK) return false;
    return target.check === null || target.check(value, path, into, level + 1);
  });
  return target.type;
}

/** What a local `$ref` names, compiled once; its check is filled in last, so that schemas may be recursive. */
function reference(
  ref: string,
  where: string,
  context: Context,
  depth: number,
): { readonly check: Check | null; readonly type: Type } {
  const known = context.refs.get(ref);
  if (known !== undefined) return known;
  const entry: { check: Check | null; type: Type } = { check: null, type: DYN };
  context.refs.set(ref, entry);
  const target = follow(context.root, ref);
  if (target === undefined) {
    context.problems.push({ path: where, message: `\`$ref: ${ref}\` names nothing in this schema` });
    return entry;
  }
  const node = compileNode(target, `${where}(${ref})`, context, depth + 1);
  entry.check = node.check;
  entry.type = node.type;
  return entry;
}

/** The value at a JSON Pointer fragment (RFC 6901 section 6); undefined when there is none. */
function follow(root: Json, ref: string): Json | undefined {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const part of ref.slice(2).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(name)] as Json | undefined;
    else at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
