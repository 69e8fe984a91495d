// Protobuf's wire format (protobuf.dev/programming-guides/encoding): varints, fixed widths, lengths, unknown fields.
// Reads within bounds it is given and throws an OtlpFault beyond them; knows nothing of OTLP.
import { malformed } from './fault.ts';

/** Groups are long deprecated; unknown ones are skipped, nested at most this deep. */
const GROUP_DEPTH_MAX = 32;
const KEY_CACHE_SIZE = 1024;
const KEY_LENGTH_MAX = 64;

export interface WireReader {
  readonly bytes: Buffer;
  at: number;
  /** Low and high half of the last 64-bit value read. */
  low: number;
  high: number;
}

export function wireReader(bytes: Uint8Array): WireReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer, at: 0, low: 0, high: 0 };
}

/** A field's number and wire type as one number, `field << 3 | type`. Below `end`. */
export function readTag(reader: WireReader, end: number): number {
  const first = reader.bytes[reader.at]!;
  if (first < 0x80 && reader.at < end) {
    reader.at += 1;
    if (first < 8) throw bad(reader, 'a field number of 0');
    return first;
  }
  readVarint(reader, end);
  const tag = reader.low >>> 0;
  if (reader.high !== 0 || tag >>> 3 === 0) throw bad(reader, 'a field number out of range');
  return tag;
}

/** Sets `low` and `high`. At most ten bytes. */
export function readVarint(reader: WireReader, end: number): void {
  const { bytes } = reader;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (reader.at >= end) throw bad(reader, 'the message to go on: a number is cut off');
    const byte = bytes[reader.at++]!;
    const part = byte & 0x7f;
    if (shift < 28) low |= part << shift;
    else if (shift === 28) {
      low |= part << 28;
      high = part >>> 4;
    } else if (shift < 63) high |= part << (shift - 32);
    else high |= (part & 1) << 31;
    if (byte < 0x80) {
      reader.low = low;
      reader.high = high;
      return;
    }
  }
  throw bad(reader, 'a number of at most ten bytes');
}

/** Reads a length and answers where the field ends; never beyond `end`. */
export function readEnd(reader: WireReader, end: number): number {
  let length = reader.bytes[reader.at]!;
  if (length < 0x80 && reader.at < end) reader.at += 1;
  else {
    readVarint(reader, end);
    length = reader.high === 0 ? reader.low >>> 0 : Number.POSITIVE_INFINITY;
  }
  if (length > end - reader.at) {
    throw bad(reader, `at most ${end - reader.at} more bytes: a length of ${length} goes beyond them`);
  }
  return reader.at + length;
}

export function readFixed64(reader: WireReader, end: number): void {
  if (end - reader.at < 8) throw bad(reader, 'eight bytes');
  reader.low = reader.bytes.readUInt32LE(reader.at);
  reader.high = reader.bytes.readUInt32LE(reader.at + 4);
  reader.at += 8;
}

export function readDouble(reader: WireReader, end: number): number {
  if (end - reader.at < 8) throw bad(reader, 'eight bytes');
  const value = reader.bytes.readDoubleLE(reader.at);
  reader.at += 8;
  return value;
}

/** UTF-8; bytes that are not become U+FFFD, so that the text is always well-formed. */
export function readString(reader: WireReader, end: number): string {
  const stop = readEnd(reader, end);
  const start = reader.at;
  reader.at = stop;
  return shortAscii(reader.bytes, start, stop) ?? reader.bytes.toString('utf8', start, stop);
}

/** Bytes as text: ids in hex, values in base64. */
export function readBytes(reader: WireReader, end: number, encoding: 'hex' | 'base64'): string {
  const stop = readEnd(reader, end);
  const start = reader.at;
  reader.at = stop;
  return reader.bytes.toString(encoding, start, stop);
}

/** Most values are short: below about twenty bytes a loop is quicker than the call into the UTF-8 decoder. */
function shortAscii(bytes: Buffer, start: number, stop: number): string | null {
  if (stop - start > 20) return null;
  let text = '';
  for (let i = start; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

interface CachedKey {
  readonly bytes: Buffer;
  readonly text: string;
}
const keyCache: (CachedKey | undefined)[] = new Array(KEY_CACHE_SIZE);

/** A string out of a small set, such as an attribute's key: decoded once, then recognised by its bytes. Bounded. */
export function readKey(reader: WireReader, end: number): string {
  const stop = readEnd(reader, end);
  const { bytes, at: start } = reader;
  const length = stop - start;
  reader.at = stop;
  if (length > KEY_LENGTH_MAX) return bytes.toString('utf8', start, stop);
  let hash = length;
  for (let i = start; i < stop; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  const slot = (hash ^ (hash >>> 15)) & (KEY_CACHE_SIZE - 1);
  const cached = keyCache[slot];
  if (cached !== undefined && cached.bytes.length === length && sameBytes(cached.bytes, bytes, start)) {
    return cached.text;
  }
  const text = bytes.toString('utf8', start, stop);
  keyCache[slot] = { bytes: Buffer.from(bytes.subarray(start, stop)), text };
  return text;
}

function sameBytes(key: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/** Passes over a field nobody here knows, whatever its wire type. */
export function skipField(reader: WireReader, tag: number, end: number, depth = 0): void {
  switch (tag & 7) {
    case 0:
      readVarint(reader, end);
      return;
    case 1:
      skipBytes(reader, 8, end);
      return;
    case 2:
      reader.at = readEnd(reader, end);
      return;
    case 3:
      skipGroup(reader, tag, end, depth);
      return;
    case 5:
      skipBytes(reader, 4, end);
      return;
    default:
      throw bad(reader, `a wire type of 0, 1, 2, 3 or 5: found ${tag & 7}`);
  }
}

function skipBytes(reader: WireReader, count: number, end: number): void {
  if (end - reader.at < count) throw bad(reader, `${count} bytes`);
  reader.at += count;
}

function skipGroup(reader: WireReader, tag: number, end: number, depth: number): void {
  if (depth >= GROUP_DEPTH_MAX) throw bad(reader, `groups nested at most ${GROUP_DEPTH_MAX} deep`);
  const close = (tag & ~7) | 4;
  for (;;) {
    if (reader.at >= end) throw bad(reader, 'the end of a group');
    const inner = readTag(reader, end);
    // Tags reach 2^32 - 1 and the mask is signed: compare as unsigned.
    if (inner === close >>> 0) return;
    skipField(reader, inner, end, depth + 1);
  }
}

function bad(reader: WireReader, expected: string) {
  return malformed(`byte ${reader.at} of the body: expected ${expected}`);
}
