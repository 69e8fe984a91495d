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

/** Types nest through shared references; beyond this depth they are compared no further. */
const MAX_COMPARED = 16;

/** The type of a value that has one of two types. */
export function join(a: Type, b: Type): Type {
  return joinAt(a, b, 0);
}

function joinAt(a: Type, b: Type, depth: number): Type {
  if (a === b) return a;
  if (depth > MAX_COMPARED || a.t !== b.t) return DYN;
  if ((a.t === 'list' || a.t === 'map') && b.t === a.t) return { t: a.t, of: joinAt(a.of, b.of, depth + 1) };
  return a.t === 'object' && b.t === 'object' ? joinObjects(a, b, depth) : a;
}

type ObjectType = Type & { readonly t: 'object' };

/** Fields that either has: one that the other's schema leaves open may hold anything there. */
function joinObjects(a: ObjectType, b: ObjectType, depth: number): Type {
  const fields = new Map<string, Field>();
  for (const name of new Set([...a.fields.keys(), ...b.fields.keys()])) {
    const [x, y] = [a.fields.get(name), b.fields.get(name)];
    const type =
      x !== undefined && y !== undefined
        ? joinAt(x.type, y.type, depth + 1)
        : (x === undefined && !a.open) || (y === undefined && !b.open)
          ? (x ?? y)!.type
          : DYN;
    fields.set(name, { type, required: x?.required === true && y?.required === true });
  }
  return { t: 'object', fields, open: a.open || b.open };
}

/** The type of a value that has both types, as under `allOf` or beside `$ref`. */
export function both(a: Type, b: Type): Type {
  return bothAt(a, b, 0);
}

function bothAt(a: Type, b: Type, depth: number): Type {
  if (a === b || b.t === 'dyn' || depth > MAX_COMPARED) return a;
  if (a.t === 'dyn') return b;
  if (a.t === 'list' && b.t === 'list') return { t: 'list', of: bothAt(a.of, b.of, depth + 1) };
  // A map's names are not known, so none of them may be called unknown: it wins over a list of fields.
  if (a.t === 'object' && b.t === 'map') return b;
  if (a.t !== 'object' || b.t !== 'object') return a;
  const fields = new Map(a.fields);
  for (const [name, field] of b.fields) {
    const known = fields.get(name);
    const type = known === undefined ? field.type : bothAt(known.type, field.type, depth + 1);
    fields.set(name, { type, required: field.required || known?.required === true });
  }
  return { t: 'object', fields, open: a.open && b.open };
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
