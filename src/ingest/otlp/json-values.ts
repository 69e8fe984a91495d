// Attributes of OTLP/JSON (`[{ key, value: { stringValue | intValue | … } }]`) as a plain map. Bounded in count and depth.
import { describe } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';
import { malformed, refuseDeeper, refuseMore } from './fault.ts';
import { InexactNumber, isInteger, isRecord, readList, readText } from './json-fields.ts';
import type { OtlpLimits } from './types.ts';
import { bytesValue, doubleValue, type Fillable, setAttribute } from './values.ts';

export function readAttributes(value: Json | undefined, at: string, limits: OtlpLimits, depth = 0): Fillable {
  const attributes: Fillable = {};
  const entries = readList(value, at);
  for (let i = 0; i < entries.length; i++) {
    refuseMore(i, limits.attributesMax, 'attributes');
    const entry = entries[i];
    if (!isRecord(entry)) throw malformed(`expected { key, value }, found ${describe(entry)}`, `${at}[${i}]`);
    const key =
      typeof entry.key === 'string' ? readText(entry.key, at) : readText(entry.key, `${at}[${i}].key`);
    setAttribute(attributes, key, readValue(entry.value, `${at}[${i}].value`, limits, depth));
  }
  return attributes;
}

/** Some writers spell out the kinds a value is not, as null. */
function isPresent(value: Json | undefined): value is Json {
  return value !== undefined && value !== null;
}

/** AnyValue: the first kind present counts; none is null. */
function readValue(value: Json | undefined, at: string, limits: OtlpLimits, depth: number): Json {
  if (value === undefined || value === null) return null;
  if (!isRecord(value))
    throw malformed(`expected { stringValue: … } or its like, found ${describe(value)}`, at);
  if (isPresent(value.stringValue)) return readText(value.stringValue, `${at}.stringValue`);
  if (isPresent(value.boolValue)) return readBoolean(value.boolValue, `${at}.boolValue`);
  if (isPresent(value.intValue)) return readInt64(value.intValue, `${at}.intValue`);
  if (isPresent(value.doubleValue)) return readDouble(value.doubleValue, `${at}.doubleValue`);
  if (isPresent(value.bytesValue)) return readBase64(value.bytesValue, `${at}.bytesValue`);
  if (isPresent(value.arrayValue)) {
    refuseDeeper(depth + 1, limits.depthMax);
    const list = isRecord(value.arrayValue) ? value.arrayValue.values : [];
    return readList(list, `${at}.arrayValue.values`).map((item, index) =>
      readValue(item, `${at}.arrayValue.values[${index}]`, limits, depth + 1),
    );
  }
  if (isPresent(value.kvlistValue)) {
    refuseDeeper(depth + 1, limits.depthMax);
    const list = isRecord(value.kvlistValue) ? value.kvlistValue.values : [];
    return readAttributes(list, `${at}.kvlistValue.values`, limits, depth + 1);
  }
  return null;
}

function readBoolean(value: Json, at: string): boolean {
  if (typeof value !== 'boolean') throw malformed(`expected true or false, found ${describe(value)}`, at);
  return value;
}

function readInt64(value: Json, at: string): Json {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value;
    if (Number.isInteger(value)) throw new InexactNumber();
  } else if (typeof value === 'string' && isInteger(value)) {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    const exact = BigInt(value);
    if (BigInt.asIntN(64, exact) === exact) return String(exact);
  }
  throw malformed(`expected a 64-bit integer, found ${describe(value)}`, at);
}

function readDouble(value: Json, at: string): Json {
  if (typeof value === 'number') return doubleValue(value);
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw malformed(`expected a number, found ${describe(value)}`, at);
  return doubleValue(number);
}

/** Standard or URL-safe base64, padded or not, as protobuf's JSON mapping allows; written back as standard. */
function readBase64(value: Json, at: string): Json {
  const text = readText(value, at);
  const bytes = Buffer.from(text, 'base64');
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (bytes.length !== Math.floor((digits * 3) / 4)) {
    throw malformed(`expected base64, found ${describe(value)}`, at);
  }
  return bytesValue(bytes.toString('base64'));
}
