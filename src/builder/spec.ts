// Specs written in TypeScript: the same document as the YAML, so the same canonical form and digest. Each method gives a new
// builder; nothing is checked here that the compiler checks. Pure.
import type { CompileOptions } from '../spec/index.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { type BuiltResult, compileBuilt } from './compile.ts';
import { documentOf, plain } from './document.ts';
import type { Pattern, ToolName, ToolsLike } from './fields.ts';
import type { Example, Handoff, Head, Obligation, Order, StepRule } from './rule.ts';
import { writeYaml } from './write.ts';

/** A spec under construction. */
export interface SpecBuilder<T extends ToolsLike, N extends string, Checks extends string> {
  readonly name: string;
  /** Adds a rule about the steps of `on`: `require`, `deny`, `hold`, `limit`, `transform`, `flow`, `check` or `metric`. */
  rule<const P extends Pattern<N>>(id: string, rule: StepRule<T, N, Checks, P>): SpecBuilder<T, N, Checks>;
  /** Adds an obligation: after such a step, another is owed. */
  owe<const A extends Pattern<N>, const D extends Pattern<N>>(
    id: string,
    rule: Obligation<T, N, A, D>,
  ): SpecBuilder<T, N, Checks>;
  /** Adds a state machine over steps. */
  order<const S extends string>(id: string, rule: Order<N, S>): SpecBuilder<T, N, Checks>;
  /** Adds a contract on hand-offs. */
  handoff(id: string, rule: Handoff<T, N>): SpecBuilder<T, N, Checks>;
  /** Adds an example session for `spec test`. */
  test(
    name: string,
    steps: readonly Example<N>[],
    session?: { readonly principal?: string; readonly agent?: string },
  ): SpecBuilder<T, N, Checks>;
  /** The document: what the YAML would say. */
  toJson(): JsonObject;
  /** The document as YAML, with an optional comment at its head. */
  toYaml(comment?: string): string;
  /** Checks and compiles, as `compileSpec` does; problems say which part of the builder they are about. */
  compile(options?: Pick<CompileOptions, 'readRef'>): BuiltResult;
}

type ToolsOf<H extends Head> = H extends { readonly tools: infer T extends ToolsLike }
  ? T
  : Readonly<Record<never, never>>;
type ChecksOf<H extends Head> = H extends { readonly checks: infer C } ? keyof C & string : string;
type Imports<H extends Head> = H extends { readonly imports: unknown } ? true : false;

/**
 * Begins a spec. Names of tools complete in patterns, and arguments in conditions, from the JSON Schemas given here.
 *
 * @example
 * export default spec('support-refunds', {
 *   tools: {
 *     refund: { effect: 'write', input: { type: 'object', properties: { amount: { type: 'number' } } } },
 *   },
 * }).rule('at-most', {
 *   on: 'call refund',
 *   require: ({ args }) => cel`${args.amount} <= 500`,
 *   because: 'Refunds go up to 500.',
 * });
 */
export function spec<const H extends Head>(
  name: string,
  head: H,
): SpecBuilder<ToolsOf<H>, ToolName<ToolsOf<H>, Imports<H>>, ChecksOf<H>> {
  return builder(documentOf({ interlock: 1, name, ...head })) as SpecBuilder<
    ToolsOf<H>,
    ToolName<ToolsOf<H>, Imports<H>>,
    ChecksOf<H>
  >;
}

function builder(document: JsonObject): SpecBuilder<ToolsLike, string, string> {
  const list = (key: 'rules' | 'tests') => (document[key] ?? []) as readonly Json[];
  const rule = (id: string, body: object) =>
    builder({ ...document, rules: [...list('rules'), documentOf({ id, ...body })] });
  return {
    name: String(document.name),
    rule,
    owe: (id, { owed, ...body }) => rule(id, Object.fromEntries([...Object.entries(body), ['then', owed]])),
    order: rule,
    handoff: rule,
    test: (name, steps, session = {}) =>
      builder({ ...document, tests: [...list('tests'), plain({ name, ...session, steps })] }),
    toJson: () => document,
    toYaml: (comment) => writeYaml(document, comment),
    compile: (options = {}) => compileBuilt(document, options),
  };
}
