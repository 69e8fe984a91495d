// RE2 as the engine of patterns. Pure.
import { RE2JS } from '@bufbuild/re2';
import type { Patterns } from '../engines.ts';

export const RE2: Patterns = { compile: (pattern) => RE2JS.compile(pattern) };
