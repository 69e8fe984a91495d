// Static types of values in specs. Pure data and functions.

export interface Field {
  readonly type: Type;
  readonly required: boolean;
}
export type Type =
  /** Anything: checked when it is evaluated. `number` is a JSON number: a double whose arithmetic is decimal. */
  | {
      readonly t:
        | 'dyn'
        | 'null'
        | 'bool'
        | 'number'
        | 'int'
        | 'uint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'timestamp'
        | 'duration'
        | 'type';
    }
  | { readonly t: 'list'; readonly of: Type }
  | { readonly t: 'map'; readonly of: Type }
  /** `open`: may hold fields that are not listed. */
  | { readonly t: 'object'; readonly fields: ReadonlyMap<string, Field>; readonly open: boolean };

export const DYN: Type = { t: 'dyn' };
export const BOOL: Type = { t: 'bool' };
export const STRING: Type = { t: 'string' };
export const NUMBER: Type = { t: 'number' };
export const INT: Type = { t: 'int' };

const NUMERIC = new Set(['number', 'int', 'uint', 'double']);

export function isNumeric(type: Type): boolean {
  return NUMERIC.has(type.t);
}

/** The type of a value that has one of two types. */
export function join(a: Type, b: Type): Type {
  if (a === b || sameType(a, b)) return a;
  if (a.t === 'list' && b.t === 'list') return { t: 'list', of: join(a.of, b.of) };
  return DYN;
}

export function sameType(a: Type, b: Type): boolean {
  if (a.t !== b.t) return false;
  if (a.t === 'list' || a.t === 'map') return sameType(a.of, (b as typeof a).of);
  if (a.t !== 'object') return true;
  const other = b as typeof a;
  if (a.open !== other.open || a.fields.size !== other.fields.size) return false;
  return [...a.fields].every(([name, field]) => {
    const match = other.fields.get(name);
    return match !== undefined && match.required === field.required && sameType(field.type, match.type);
  });
}

/** Whether a value of one type can ever equal a value of the other. */
export function comparable(a: Type, b: Type): boolean {
  if (a.t === 'dyn' || b.t === 'dyn' || a.t === 'null' || b.t === 'null') return true;
  if (isNumeric(a) && isNumeric(b)) return true;
  const shape = (type: Type) => (type.t === 'object' ? 'map' : type.t);
  return shape(a) === shape(b);
}

/** As a reader of a message knows it. */
export function showType(type: Type): string {
  if (type.t === 'list') return `list of ${showType(type.of)}`;
  if (type.t === 'map' || type.t === 'object') return 'map';
  return type.t === 'dyn' ? 'any value' : type.t;
}
