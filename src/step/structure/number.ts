// Which numbers survive a double, and which unquoted words are numbers. Every YAML dialect and Python must agree, and the decimal must survive a double:
// ids with leading zeros, `1e5`, `12:30`, `1_000` and integers past 2^53 are words.

/** The number an unquoted word stands for, or undefined when it is a word. Bounded work: long words are not numbers. */
export function numberOf(word: string): number | undefined {
  if (word.length > 25) return undefined;
  const shape = SHAPE.exec(word);
  if (shape === null) return undefined;
  const value = Number(word);
  if (Object.is(value, -0) || !Number.isFinite(value)) return undefined;
  const fraction = shape[1];
  if (fraction === undefined) return Number.isSafeInteger(value) ? value : undefined;
  const digits = shape[2] === undefined ? word.length - 1 : word.indexOf('e') - 1;
  // Up to 15 significant digits always survive a double (IEEE 754); more survive only in its shortest spelling.
  if (digits <= 15 || String(value) === word) return value;
  return undefined;
}

/** An exponent counts only after a fraction and with a sign: YAML 1.1 reads `1e5` as a word, YAML 1.2 as a number. */
const SHAPE = /^-?(?:0|[1-9]\d*)(?:(\.\d+)(e[+-]\d+)?)?$/;

/** Whether a double may have lost digits of the number it was read from. */
export function isRounded(value: number): boolean {
  return Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
}
