// Expressions as values: CEL text that knows it is CEL, and fields that read like the data they stand for. Text in, text
// out: nothing is parsed or evaluated here, the compiler does that. Pure.

const TEXT: unique symbol = Symbol('cel text');
const WHOLE: unique symbol = Symbol('needs parentheses');

/** A CEL expression. Made by {@link cel}, or a field such as `args.amount`; as text it is itself: `${args.amount}`. */
export interface Cel {
  readonly [TEXT]: string;
}

/** What may stand in a {@link cel} template: expressions stand as they are, everything else as a CEL literal. */
export type CelValue =
  | Cel
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | readonly CelValue[]
  | { readonly [key: string]: CelValue }
  | undefined;

/**
 * A CEL expression with values in it. Fields and expressions keep their text; strings, numbers, lists and maps become
 * literals, so that no value can change what the expression means.
 *
 * @throws TypeError for a value that CEL cannot write: undefined, NaN, a function.
 * @example
 * cel`${args.to}.endsWith(${'@corp.example'}) || ${args.amount} < 100`
 */
export function cel(strings: TemplateStringsArray, ...values: readonly CelValue[]): Cel {
  const alone = strings.every((text) => text.trim() === '');
  const text = strings.reduce((out, part, i) => {
    const value = values[i];
    return out + part + (i < values.length ? show(value, !alone) : '');
  }, '');
  return expression(text.trim(), true);
}

/** The text of an expression. */
export function celText(value: Cel): string {
  return value[TEXT];
}

export function isCel(value: unknown): value is Cel {
  return typeof value === 'object' && value !== null && TEXT in value;
}

export function expression(text: string, compound: boolean): Cel {
  return new Text(text, compound);
}

class Text implements Cel {
  readonly [TEXT]: string;
  readonly [WHOLE]: boolean;
  constructor(text: string, compound: boolean) {
    this[TEXT] = text;
    this[WHOLE] = compound;
  }
  toString(): string {
    return this[TEXT];
  }
}

/**
 * A value whose fields are read by name: `field('args').order.id` is the expression `args.order.id`. `own` are names that
 * mean something else than a field.
 */
export function field<F extends Cel>(text: string, own: Readonly<Record<string, unknown>> = {}): F {
  const target = { [TEXT]: text, [WHOLE]: false };
  return new Proxy(target, {
    get(_, key) {
      if (key === TEXT) return text;
      if (key === WHOLE) return false;
      if (key === Symbol.toPrimitive) return () => text;
      if (typeof key === 'symbol') return undefined;
      return Object.hasOwn(own, key) ? own[key] : field(text + access(key));
    },
  }) as unknown as F;
}

function access(key: string): string {
  if (/^\d+$/.test(key)) return `[${key}]`;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** A value as a CEL literal; expressions as they are, in parentheses when they would fall apart beside others. */
function show(value: unknown, beside: boolean): string {
  if (isCel(value)) {
    const compound = beside && (value as { readonly [WHOLE]?: boolean })[WHOLE] === true;
    return compound ? `(${value[TEXT]})` : value[TEXT];
  }
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isFinite(value)) return String(value);
      break;
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Date) return `timestamp(${JSON.stringify(value.toISOString())})`;
      if (Array.isArray(value)) return `[${value.map((item) => show(item, false)).join(', ')}]`;
      return `{${Object.entries(value)
        .map(([key, item]) => `${JSON.stringify(key)}: ${show(item, false)}`)
        .join(', ')}}`;
  }
  throw new TypeError(`${String(value)} cannot stand in a CEL expression`);
}
