// What every import gives: a spec as text, and all that it could not take over exactly. Data only.

import type { Problem } from '../spec/index.ts';
import type { JsonObject } from '../step/types.ts';

/** Something of the source that the spec says otherwise, or that stands outside of what is imported. */
export interface Remark {
  /** `stricter`: the spec takes more, or lets less through. `missing`: what it forbids is not forbidden here. */
  readonly kind: 'stricter' | 'missing';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type ImportResult =
  | {
      readonly ok: true;
      /** The spec, YAML, with comments and example sessions. */
      readonly text: string;
      readonly remarks: readonly Remark[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A rule of the spec, and the words that stand above it. */
export interface ImportedRule {
  readonly comment: string;
  readonly rule: JsonObject;
}

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}
