// The string formats that are checked; every other format is an annotation (JSON Schema 2020-12 validation, section 7). Pure.

export function checkFormat(format: string, text: string): boolean {
  switch (format) {
    case 'date':
      return isDate(text);
    case 'date-time':
      return (
        text.length <= 40 &&
        isDate(text.slice(0, 10)) &&
        (text[10] === 'T' || text[10] === 't') &&
        isTime(text.slice(11))
      );
    case 'email':
      return isEmail(text);
    case 'uri':
      return text.length <= 4096 && text.includes(':') && URL.canParse(text);
    case 'ipv4': {
      const parts = text.split('.');
      return (
        parts.length === 4 &&
        parts.every(
          (part) => isDigits(part, 1, 3) && Number(part) <= 255 && (part === '0' || part[0] !== '0'),
        )
      );
    }
    case 'uuid': {
      const parts = text.split('-');
      return (
        parts.map((part) => part.length).join() === '8,4,4,4,12' &&
        [...parts.join('')].every((c) => '0123456789abcdefABCDEF'.includes(c))
      );
    }
    default:
      return true;
  }
}

function isDigits(text: string, least: number, most: number): boolean {
  return text.length >= least && text.length <= most && [...text].every((c) => c >= '0' && c <= '9');
}

function isDate(text: string): boolean {
  const [year, month, day, ...rest] = text.split('-');
  if (
    rest.length > 0 ||
    !isDigits(year ?? '', 4, 4) ||
    !isDigits(month ?? '', 2, 2) ||
    !isDigits(day ?? '', 2, 2)
  )
    return false;
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(day)));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(month) >= 1;
}

function isTime(text: string): boolean {
  const zone = text.search(/[Zz+-]/);
  if (zone < 0) return false;
  const [clock, fraction] = text.slice(0, zone).split('.', 2);
  const parts = (clock ?? '').split(':');
  const inRange =
    parts.length === 3 &&
    parts.every((part, i) => isDigits(part, 2, 2) && Number(part) <= (i === 0 ? 23 : 59));
  if (!inRange || (fraction !== undefined && !isDigits(fraction, 1, 9))) return false;
  const offset = text.slice(zone);
  if (offset === 'Z' || offset === 'z') return true;
  const [hours, minutes, ...more] = offset.slice(1).split(':');
  return (
    more.length === 0 &&
    isDigits(hours ?? '', 2, 2) &&
    isDigits(minutes ?? '', 2, 2) &&
    Number(hours) <= 23 &&
    Number(minutes) <= 59
  );
}

/** One `@`, a local part of at most 64 characters without spaces or quotes, a host name (RFC 5321 section 4.5.3.1). */
function isEmail(text: string): boolean {
  const at = text.indexOf('@');
  if (at < 1 || at > 64 || text.indexOf('@', at + 1) >= 0 || text.length > 254) return false;
  const local = text.slice(0, at);
  const host = text.slice(at + 1).split('.');
  if (
    local.startsWith('.') ||
    local.endsWith('.') ||
    local.includes('..') ||
    [...local].some((c) => c <= ' ' || '"(),:;<>[]\\'.includes(c))
  )
    return false;
  return (
    host.length > 1 &&
    host.every(
      (part) =>
        part.length > 0 &&
        part.length <= 63 &&
        !part.startsWith('-') &&
        !part.endsWith('-') &&
        [...part].every((c) => /[\p{L}\p{N}-]/u.test(c)),
    )
  );
}
