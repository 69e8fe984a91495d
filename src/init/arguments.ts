// Which arguments of a tool matter to rules: where something goes, how much, which command. Told by their names.
import type { JsonObject } from '../step/types.ts';
import { wordsOf } from './effects.ts';

export interface Argument {
  readonly name: string;
  readonly optional: boolean;
  readonly schema: JsonObject;
}

const RECIPIENT = new Set(
  'to cc bcc recipient recipients receiver receivers email emails mail address addresses phone iban channel participants attendees invitees webhook destination payee beneficiary'.split(
    ' ',
  ),
);
const AMOUNT = new Set('amount total price sum cents'.split(' '));
const COMMAND = new Set('command cmd'.split(' '));
/** Names that an expression can select: `args.NAME`. */
const SELECTABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that CEL keeps to itself (its grammar, RESERVED). */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

export function recipientsOf(input: JsonObject | null): Argument[] {
  return argumentsOf(input).filter(({ name, schema }) => lastWordIn(name, RECIPIENT) && isText(schema));
}

export function amountOf(input: JsonObject | null): Argument | null {
  return argumentsOf(input).find(({ name, schema }) => lastWordIn(name, AMOUNT) && isNumber(schema)) ?? null;
}

export function commandOf(input: JsonObject | null): Argument | null {
  const found = argumentsOf(input).find(
    ({ name, schema }) => lastWordIn(name, COMMAND) && schema.type === 'string',
  );
  return found === undefined || found.optional ? null : found;
}

function argumentsOf(input: JsonObject | null): Argument[] {
  const required = new Set((input?.required ?? []) as string[]);
  return Object.entries((input?.properties ?? {}) as Record<string, JsonObject>)
    .filter(([name]) => SELECTABLE.test(name) && !RESERVED.has(name))
    .map(([name, schema]) => ({ name, optional: !required.has(name), schema }));
}

function lastWordIn(name: string, words: ReadonlySet<string>): boolean {
  return words.has(wordsOf(name).at(-1) ?? '');
}

function isText({ type, items, enum: values }: JsonObject): boolean {
  if (values !== undefined) return false;
  if (type === 'array') return isText((items ?? {}) as JsonObject);
  return type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'));
}

function isNumber({ type }: JsonObject): boolean {
  return type === 'number' || type === 'integer';
}
