// CEL text for imports: literals, and conditions joined so that each keeps together. Pure.

export function literal(value: string): string {
  return JSON.stringify(value);
}

/** `false` when there is none. */
export function anyOf(conditions: readonly string[]): string {
  return joined(conditions, ' || ', 'false');
}

/** `true` when there is none. */
export function allOf(conditions: readonly string[]): string {
  return joined(conditions, ' && ', 'true');
}

function joined(conditions: readonly string[], by: string, none: string): string {
  if (conditions.length === 0) return none;
  if (conditions.length === 1) return conditions[0]!;
  return conditions
    .map((condition) =>
      (by === ' || ' ? / && | \? / : / \|\| | \? /).test(condition) ? `(${condition})` : condition,
    )
    .join(by);
}

export function matches(value: string, pattern: string): string {
  return `${value}.matches(${literal(pattern)})`;
}

const SPECIAL = new Set('\\^$.|?*+()[]{}');

/** The text as an RE2 pattern that matches it alone. */
export function quote(text: string): string {
  let out = '';
  for (const c of text) out += SPECIAL.has(c) ? `\\${c}` : c;
  return out;
}
