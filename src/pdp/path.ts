// Paths of requests and the patterns that routes give for them. A path that two servers could read differently has no
// parse: it cannot be told which route it takes. Pure.

/** `{name}` stands for one segment, `**` at the end for any number of them. */
export type PathPattern = readonly PatternSegment[];
type PatternSegment =
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'parameter'; readonly name: string }
  | { readonly t: 'rest' };

const SEGMENTS_MAX = 64;
const PARAMETER = /^\{[a-z_][a-z0-9_]*\}$/i;

export function parsePattern(text: string): PathPattern | null {
  if (!text.startsWith('/')) return null;
  const segments = text.slice(1).split('/');
  const names = new Set<string>();
  const pattern: PatternSegment[] = [];
  for (const [i, segment] of segments.entries()) {
    if (segment === '**') {
      if (i !== segments.length - 1) return null;
      pattern.push({ t: 'rest' });
    } else if (PARAMETER.test(segment)) {
      const name = segment.slice(1, -1);
      if (names.has(name)) return null;
      names.add(name);
      pattern.push({ t: 'parameter', name });
    } else if (/[{}*]/.test(segment)) return null;
    else pattern.push({ t: 'text', text: segment });
  }
  return pattern.length > SEGMENTS_MAX ? null : pattern;
}

/**
 * The decoded segments of a path, or null for one that is not in its normal form (RFC 3986 section 6.2.2): dot segments,
 * empty segments, an encoded slash, a backslash, a control character, a broken escape.
 */
export function segmentsOf(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const raw = path.slice(1).split('/', SEGMENTS_MAX + 1);
  if (raw.length > SEGMENTS_MAX) return null;
  const segments: string[] = [];
  for (const [i, text] of raw.entries()) {
    const segment = decoded(text);
    if (segment === null || segment === '.' || segment === '..') return null;
    // Only the last may be empty: `/orders/`.
    if (segment === '' && i !== raw.length - 1) return null;
    for (let at = 0; at < segment.length; at++) {
      const unit = segment.charCodeAt(at);
      if (unit < 0x20 || unit === 0x7f || unit === 0x2f || unit === 0x5c) return null;
    }
    segments.push(segment);
  }
  return segments;
}

function decoded(text: string): string | null {
  // `;` begins parameters that some servers cut off before they route.
  if (text.includes(';')) return null;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The parameters of the path when it fits the pattern. */
export function matchPath(
  pattern: PathPattern,
  segments: readonly string[],
): Readonly<Record<string, string>> | null {
  const hasRest = pattern.at(-1)?.t === 'rest';
  const fixed = hasRest ? pattern.length - 1 : pattern.length;
  if (hasRest ? segments.length < fixed : segments.length !== fixed) return null;
  const parameters: Record<string, string> = {};
  for (let i = 0; i < fixed; i++) {
    const wanted = pattern[i]!;
    const found = segments[i]!;
    if (wanted.t === 'parameter') {
      if (found === '') return null;
      parameters[wanted.name] = found;
    } else if (wanted.t === 'text' && wanted.text !== found) return null;
  }
  return parameters;
}
