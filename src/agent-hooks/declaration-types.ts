// A host declaration (agent-hooks-declaration/1.0, section 7.7) in its resolved form, what a host's code can honour of one,
// and its refusal. Data only.
import type { FieldProblem } from '../step/json.ts';
import type { Json } from '../step/types.ts';
import type { EmitterOptions } from './emitter.ts';
import type { AgentContext, ApprovalResolver, Composition, Interceptor, Mode, Point } from './types.ts';

export const DECLARATION_VERSION = 'agent-hooks-declaration/1.0';

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
