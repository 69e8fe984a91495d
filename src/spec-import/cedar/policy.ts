// A Cedar policy as data, in the shape of Cedar's JSON policy format (https://docs.cedarpolicy.com/policies/json-format.html). Data only.

export interface EntityRef {
  /** With its namespace: `App::User`. */
  readonly type: string;
  readonly id: string;
}

export type ScopeConstraint =
  | { readonly op: 'All' }
  | { readonly op: '=='; readonly entity: EntityRef }
  | { readonly op: 'in'; readonly entity: EntityRef }
  | { readonly op: 'in'; readonly entities: readonly EntityRef[] }
  | { readonly op: 'is'; readonly entity_type: string; readonly in?: { readonly entity: EntityRef } };

export type PatternElement = 'Wildcard' | { readonly Literal: string };

export const BINARY = ['==', '!=', '<', '<=', '>', '>=', '&&', '||', '+', '-', '*', 'in'] as const;
export type Binary = (typeof BINARY)[number];

export type Expr =
  | { readonly t: 'value'; readonly value: string | number | boolean }
  | { readonly t: 'entity'; readonly entity: EntityRef }
  | { readonly t: 'var'; readonly name: 'principal' | 'action' | 'resource' | 'context' }
  | { readonly t: 'not' | 'neg'; readonly arg: Expr }
  | { readonly t: 'binary'; readonly op: Binary; readonly left: Expr; readonly right: Expr }
  | { readonly t: 'attr'; readonly left: Expr; readonly attr: string }
  | { readonly t: 'has'; readonly left: Expr; readonly attrs: readonly string[] }
  | { readonly t: 'like'; readonly left: Expr; readonly pattern: readonly PatternElement[] }
  | { readonly t: 'is'; readonly left: Expr; readonly type: string; readonly in: Expr | null }
  | { readonly t: 'if'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly t: 'set'; readonly items: readonly Expr[] }
  | { readonly t: 'record'; readonly fields: readonly (readonly [string, Expr])[] }
  /** Dogwood: what is asked of the history. */
  | { readonly t: 'temporal'; readonly formula: Temporal }
  /** A function, or a method with its receiver first. */
  | { readonly t: 'call'; readonly name: string; readonly args: readonly Expr[] };

/**
 * A condition on history in Dogwood, which extends Cedar (its guide, part 4, "Temporal expressions", and its grammar:
 * https://github.com/dogwood-policy/dogwood). Past only; each operator has its window, in seconds, both ends included.
 */
export type Temporal =
  | { readonly t: 'and'; readonly parts: readonly Temporal[] }
  | { readonly t: 'not'; readonly arg: Temporal }
  | { readonly t: 'formerly' | 'previous'; readonly seconds: number; readonly body: Temporal }
  | {
      readonly t: 'since';
      readonly left: Temporal;
      readonly seconds: number;
      readonly right: Temporal;
    }
  | { readonly t: 'exists'; readonly variable: string; readonly body: Temporal }
  | {
      readonly t: 'event';
      readonly action: EntityRef;
      /** `request` or `response`; others are the author's own. */
      readonly kind: string;
      readonly fields: readonly (readonly [path: readonly string[], value: Term])[];
    }
  | { readonly t: 'tp'; readonly variable: string }
  | { readonly t: 'compare'; readonly op: string; readonly left: Term; readonly right: Term };

export type Term =
  | { readonly t: 'value'; readonly value: string | number | boolean }
  | { readonly t: 'context' | 'principal' | 'resource'; readonly path: readonly string[] }
  | { readonly t: 'variable'; readonly name: string }
  | { readonly t: 'any' }
  | { readonly t: 'count'; readonly variables: readonly string[]; readonly body: Temporal }
  | {
      readonly t: 'sum';
      readonly variable: string;
      readonly variables: readonly string[];
      readonly body: Temporal;
    }
  /** Entities, decimals and lists. */
  | { readonly t: 'other' };

export interface Policy {
  readonly effect: 'permit' | 'forbid';
  readonly principal: ScopeConstraint;
  readonly action: ScopeConstraint;
  readonly resource: ScopeConstraint;
  readonly conditions: readonly { readonly kind: 'when' | 'unless'; readonly body: Expr }[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Offset in the source. */
  readonly at: number;
}
