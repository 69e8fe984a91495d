// Information flow: what content a rule follows, and whether a value carries it. Values are followed through spelling
// and encoding: whole identifiers (a token with a digit or @ and five characters or more) and runs of four words.
// What a model puts in its own words is not followed by value; `track: context` is for that. Pure.
import { nearest } from '../step/nearest.ts';
import { tokenize } from '../step/normal-forms.ts';
import type { Value } from './cel/value.ts';
import { decodings } from './decode.ts';
import type { FlowClause } from './document.ts';
import { scalarsOf, selectorOf } from './origin.ts';
import { globMatches } from './pattern.ts';
import type { FlowPlan } from './program.ts';
import type { Run, Sighting, SourceInfo } from './run.ts';
import type { Source } from './source.ts';
import type { Evaluate } from './view.ts';

/** Words in a row that make a quotation. */
export const RUN_LENGTH = 4;
const MIN_IDENTIFIER = 5;
const MAX_TOKENS = 50_000;

export function compileFlow(
  source: Source,
  clause: FlowClause,
  id: number,
  look: Evaluate | null,
  tools: readonly string[],
): FlowPlan {
  for (const glob of clause.from.tools) {
    if (tools.length === 0 || tools.some((name) => globMatches(glob, name))) continue;
    source.error(
      'unknown-tool',
      clause.range,
      `no declared tool matches \`${glob}\``,
      nearest(glob, tools) ?? undefined,
    );
  }
  const { from } = clause;
  const free = clause.free.map((text) => {
    const selector = selectorOf(text);
    if (selector === null)
      source.error('origin', clause.range, `\`${text}\` is no source, as in origin(...).within([...])`);
    return selector ?? (() => false);
  });
  return {
    id,
    track: clause.track,
    look,
    from: (info) =>
      from.labels.some((label) => info.labels.includes(label)) ||
      (from.untrusted && !info.trusted) ||
      (info.tool !== undefined && from.tools.some((glob) => globMatches(glob, info.tool!))),
    free: (info) => free.some((selector) => selector(info)),
    text: [...from.labels, ...(from.untrusted ? ['untrusted'] : []), ...from.tools].join(', '),
  };
}

export interface Carried {
  readonly sighting: Sighting;
  /** The tokens that gave it away. */
  readonly text: string;
}

/** Where followed content stands in the value: null when nowhere, `unknown` when the session holds too much to say. */
export function carried(run: Run, value: Value, plan: FlowPlan): Carried | null | 'unknown' {
  const scalars = scalarsOf(value);
  if (scalars === null) return 'unknown';
  let left = MAX_TOKENS;
  for (const scalar of scalars) {
    const texts = typeof scalar === 'number' ? [String(scalar)] : [scalar, ...decodings(scalar)];
    for (const text of texts) {
      const tokens = tokenize(text);
      left -= tokens.length;
      if (left < 0) return 'unknown';
      const found = carriedTokens(run, tokens, plan);
      if (found !== null) return found;
    }
  }
  return null;
}

function carriedTokens(run: Run, tokens: readonly string[], plan: FlowPlan): Carried | null | 'unknown' {
  let length = 1;
  for (let i = 0; i < tokens.length; i++) {
    if (isIdentifier(tokens[i]!)) {
      const single = followed(run, [tokens[i]!], plan);
      if (single === 'unknown') return single;
      if (single !== null) return { sighting: single, text: tokens[i]! };
    }
    if (i === 0) continue;
    const pair = followed(run, [tokens[i - 1]!, tokens[i]!], plan);
    if (pair === 'unknown') return pair;
    length = pair === null ? 1 : length + 1;
    if (pair !== null && length >= RUN_LENGTH)
      return { sighting: pair, text: tokens.slice(i + 1 - length, i + 1).join(' ') };
  }
  return null;
}

/** A sighting in followed content of tokens that no free source has too. */
function followed(run: Run, tokens: readonly string[], plan: FlowPlan): Sighting | null | 'unknown' {
  const sightings = run.origins.find(tokens);
  if (sightings === null) return 'unknown';
  // Too common to know every source of it: it may be one that is followed.
  const hit = sightings.find((sighting) => plan.from(sighting.source) || sighting.source.name === 'many');
  if (hit === undefined || sightings.some((sighting) => plan.free(sighting.source))) return null;
  return hit;
}

function isIdentifier(token: string): boolean {
  if (token.length < MIN_IDENTIFIER) return false;
  for (let i = 0; i < token.length; i++) {
    const code = token.charCodeAt(i);
    if ((code >= 48 && code <= 57) || code === 64) return true;
  }
  return false;
}

/** What a step brings in, for `track: context`. */
export function contentInfo(base: SourceInfo, untrusted: boolean): SourceInfo {
  return { ...base, trusted: !untrusted };
}
