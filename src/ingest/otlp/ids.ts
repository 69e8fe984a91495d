// Trace and span ids: their one form, lower-case hex, and what makes one invalid (W3C Trace Context section 3.2.2).
import { malformed } from './fault.ts';

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/** An id out of protobuf bytes, in hex already. */
export function idOfHex(hex: string, size: number, field: string): string {
  if (hex.length !== size * 2) {
    throw malformed(`expected ${size} bytes, found ${hex === '' ? 'none' : hex.length / 2}`, field);
  }
  return refuseZero(hex, field);
}

/** An id out of OTLP/JSON: hex in either case. Base64, protobuf's own JSON form for bytes, is told apart by its length. */
export function idOfText(value: unknown, size: number, field: string): string {
  if (typeof value !== 'string' || value.length !== size * 2 || !isHex(value)) {
    const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(typeof value);
    throw malformed(
      `expected ${size * 2} hex digits (OTLP/JSON ids are hex, not base64), found ${found}`,
      field,
    );
  }
  return refuseZero(value.toLowerCase(), field);
}

/** No parent is an absent or empty id; some senders write zeros instead. */
export function isNoId(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'string' && value.length === SPAN_ID_BYTES * 2 && isZero(value);
}

function refuseZero(id: string, field: string): string {
  if (isZero(id)) throw malformed('expected an id that is not all zeros', field);
  return id;
}

function isZero(id: string): boolean {
  for (let i = 0; i < id.length; i++) if (id.charCodeAt(i) !== 0x30) return false;
  return true;
}

function isHex(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const digit = unit >= 0x30 && unit <= 0x39;
    const letter = (unit >= 0x61 && unit <= 0x66) || (unit >= 0x41 && unit <= 0x46);
    if (!digit && !letter) return false;
  }
  return true;
}
