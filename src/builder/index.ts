// What `interlock/spec` gives: the compiler for specs as text, and the builder for specs in TypeScript.
export * from '../spec/index.ts';
export type { BuiltProblem, BuiltResult } from './compile.ts';
export { type Cel, type CelValue, cel } from './expression.ts';
export { origin } from './history.ts';
export type { Approve, Example, Expr, Head, Names } from './rule.ts';
export { type SpecBuilder, spec } from './spec.ts';
