// The canonical bytes of a JSON value: RFC 8785 (JCS), so that a digest means the same to everyone who computes it.
// Pure. Text without a UTF-8 form and numbers without a JSON form are refused, never mended.

/**
 * Canonical JSON text: keys in order of their UTF-16 code units, numbers as ECMAScript writes them, no white space.
 * Object members that are `undefined` are left out, as in `JSON.stringify`.
 *
 * @throws TypeError for what JSON cannot carry: lone surrogates, NaN, infinities, functions, `undefined` in a list.
 * @example
 * canonicalize({ b: [1e21, -0], a: 'é' }); // {"a":"é","b":[1e+21,0]}
 */
export function canonicalize(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      // RFC 8785 section 3.2.2.3: NaN and infinities are an error.
      if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no form for ${value}`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value);
    default:
      throw new TypeError(`canonical JSON has no form for a ${typeof value}`);
  }
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('canonical JSON has no form for a lone surrogate');
  return JSON.stringify(text);
}

function canonicalList(items: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += canonicalize(items[i]);
  }
  return `${text}]`;
}

function canonicalObject(object: object): string {
  const members = object as Readonly<Record<string, unknown>>;
  let text = '{';
  // Without a comparator `sort` orders by UTF-16 code units, which is what RFC 8785 section 3.2.3 asks for.
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member === undefined) continue;
    if (text !== '{') text += ',';
    text += `${canonicalString(key)}:${canonicalize(member)}`;
  }
  return `${text}}`;
}
