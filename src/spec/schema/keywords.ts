// The keywords of the subset and the form each one's value must have. A keyword that is misspelt, or whose value has
// the wrong form, would constrain nothing: it is a problem, never skipped in silence. Pure.
import { nearest } from '../../step/nearest.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { isObject, type SchemaProblem, shown } from './check.ts';

export const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];
const TRUST = ['trusted', 'untrusted'];

interface Form {
  /** Completes "`keyword` must be …". */
  readonly words: string;
  fits(value: Json): boolean;
}

const isText = (value: Json) => typeof value === 'string';
const isSchema = (value: Json) => isObject(value) || typeof value === 'boolean';

const ANY: Form = { words: 'anything', fits: () => true };
const TEXT: Form = { words: 'a text', fits: isText };
const BOOLEAN: Form = { words: 'true or false', fits: (value) => typeof value === 'boolean' };
const NUMBER: Form = { words: 'a number', fits: (value) => typeof value === 'number' };
const POSITIVE: Form = { words: 'a number above 0', fits: (value) => typeof value === 'number' && value > 0 };
const COUNT: Form = {
  words: 'a whole number from 0',
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const SCHEMA: Form = { words: 'a schema: an object, true or false', fits: isSchema };
const SCHEMAS: Form = {
  words: 'a list of at least one schema',
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every((item) => isSchema(item as Json)),
};
const SCHEMA_MAP: Form = {
  words: 'an object of schemas',
  fits: (value) => isObject(value) && Object.values(value).every((item) => isSchema(item as Json)),
};
const NAMES: Form = {
  words: 'a list of texts',
  fits: (value) => Array.isArray(value) && value.every((item) => isText(item as Json)),
};
const OPTIONS: Form = {
  words: 'a list of at least one value',
  fits: (value) => Array.isArray(value) && value.length > 0,
};
const TYPE_NAMES: Form = {
  words: `one of ${TYPES.join(', ')}, or a list of them`,
  fits: (value) =>
    Array.isArray(value) ? value.length > 0 && value.every((item) => isType(item as Json)) : isType(value),
};
const TRUST_NAME: Form = {
  words: TRUST.join(' or '),
  fits: (value) => isText(value) && TRUST.includes(value as string),
};

function isType(value: Json): boolean {
  return typeof value === 'string' && TYPES.includes(value);
}

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['type', TYPE_NAMES],
  ['nullable', BOOLEAN],
  ['enum', OPTIONS],
  ['const', ANY],
  ['properties', SCHEMA_MAP],
  ['patternProperties', SCHEMA_MAP],
  ['additionalProperties', SCHEMA],
  ['propertyNames', SCHEMA],
  ['required', NAMES],
  ['minProperties', COUNT],
  ['maxProperties', COUNT],
  ['items', SCHEMA],
  ['prefixItems', SCHEMAS],
  ['minItems', COUNT],
  ['maxItems', COUNT],
  ['uniqueItems', BOOLEAN],
  ['anyOf', SCHEMAS],
  ['oneOf', SCHEMAS],
  ['allOf', SCHEMAS],
  ['not', SCHEMA],
  ['$ref', TEXT],
  ['minimum', NUMBER],
  ['maximum', NUMBER],
  ['exclusiveMinimum', NUMBER],
  ['exclusiveMaximum', NUMBER],
  ['multipleOf', POSITIVE],
  ['minLength', COUNT],
  ['maxLength', COUNT],
  ['pattern', TEXT],
  ['format', TEXT],
  ['$defs', SCHEMA_MAP],
  ['definitions', SCHEMA_MAP],
  ['trust', TRUST_NAME],
  ['labels', NAMES],
  ...[
    'title',
    'description',
    'default',
    'examples',
    'deprecated',
    'readOnly',
    'writeOnly',
    '$comment',
    '$schema',
    '$id',
    'contentEncoding',
    'contentMediaType',
  ].map((name): [string, Form] => [name, ANY]),
]);

/** Of JSON Schema, and not of this subset: ignoring one would weaken the schema. */
const UNSUPPORTED = new Set([
  'if',
  'then',
  'else',
  'contains',
  'minContains',
  'maxContains',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'additionalItems',
  'unevaluatedItems',
  'unevaluatedProperties',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$vocabulary',
  'contentSchema',
]);

/** The schema without what is wrong in it; each wrong keyword is a problem. `x-…` keywords are anybody's. */
export function readKeywords(schema: JsonObject, where: string, problems: SchemaProblem[]): JsonObject {
  const wrong = new Set<string>();
  for (const [key, value] of Object.entries(schema)) {
    const form = FORMS.get(key);
    if (form?.fits(value) || (form === undefined && key.startsWith('x-'))) continue;
    wrong.add(key);
    problems.push(problemOf(key, value, form, where));
  }
  return wrong.size === 0
    ? schema
    : Object.fromEntries(Object.entries(schema).filter(([key]) => !wrong.has(key)));
}

function problemOf(key: string, value: Json, form: Form | undefined, path: string): SchemaProblem {
  if (UNSUPPORTED.has(key)) return { path, message: `the schema keyword \`${key}\` is not supported` };
  if (form === undefined) return suggest(path, `unknown schema keyword \`${key}\``, key, FORMS.keys());
  const known = form === TYPE_NAMES ? TYPES : form === TRUST_NAME ? TRUST : [];
  const word = Array.isArray(value) ? value.find((item) => !isType(item as Json)) : value;
  return suggest(
    path,
    `\`${key}\` must be ${form.words}, and it is ${shown(value)}`,
    typeof word === 'string' ? word : '',
    known,
  );
}

function suggest(path: string, message: string, word: string, known: Iterable<string>): SchemaProblem {
  const near = nearest(word, known);
  return near === null ? { path, message } : { path, message, suggestion: near };
}
