// The parts of timestamps and durations: in UTC, at a fixed offset such as `+02:00`, or in a zone of the IANA database
// as the runtime has it. Rules that must give one verdict on every runtime use the first two. Pure.
import { floorDiv, offsetSeconds } from './convert.ts';
import { overload } from './overload.ts';
import { celError, Duration, Timestamp, type Value } from './value.ts';

const DAY_MS = 86_400_000;

const OF_DATE: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - startOfYear(date)) / DAY_MS),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

/** A duration is given whole in the unit, but for milliseconds: those of its second (cel-spec, "Timestamps and Durations"). */
const OF_DURATION: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / 3_600_000_000_000n,
  getMinutes: (nanos) => nanos / 60_000_000_000n,
  getSeconds: (nanos) => nanos / 1_000_000_000n,
  getMilliseconds: (nanos) => (nanos / 1_000_000n) % 1000n,
};

/** Methods of a timestamp, and some of a duration; each may be given a time zone. */
export const DATE_GETTERS: readonly string[] = Object.keys(OF_DATE);

export function partOf(getter: string, args: readonly Value[]): Value {
  const [value, zone] = args;
  if (value instanceof Duration && zone === undefined)
    return OF_DURATION[getter]?.(value.nanos) ?? overload(getter, args);
  if (!(value instanceof Timestamp) || (zone !== undefined && typeof zone !== 'string'))
    return overload(getter, args);
  const ms = Number(floorDiv(value.nanos, 1_000_000n));
  const shift = zone === undefined ? 0 : zoneShiftMs(zone, ms);
  return shift === null
    ? celError('error', `unknown time zone: ${String(zone).slice(0, 40)}`)
    : BigInt(OF_DATE[getter]!(new Date(ms + shift)));
}

/** `Date.UTC` takes years below 100 for those of the twentieth century; `setUTCFullYear` does not. */
function startOfYear(date: Date): number {
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1);
}

const MAX_ZONES = 32;
const zones = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (zones.size >= MAX_ZONES) zones.delete(zones.keys().next().value as string);
  zones.set(zone, format);
  return format;
}

/** Milliseconds east of UTC at that moment; null for a zone that is not known. */
function zoneShiftMs(zone: string, ms: number): number | null {
  const fixed = offsetSeconds(zone);
  if (fixed !== null) return fixed * 1000;
  try {
    const part: Record<string, number> = {};
    for (const { type, value } of formatOf(zone).formatToParts(new Date(ms))) part[type] = Number(value);
    const local = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
    return local - Math.floor(ms / 1000) * 1000;
  } catch {
    return null;
  }
}
