// Durations as people write them in specs: `90s`, `30m`, `24h`, `7d`, `1h30m`. Pure.

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds, or null when the text is no duration. */
export function parseDuration(text: string): number | null {
  let at = 0;
  let total = 0;
  while (at < text.length) {
    const numberStart = at;
    while (at < text.length && isDigitOrDot(text.charCodeAt(at))) at++;
    const unitStart = at;
    while (at < text.length && !isDigitOrDot(text.charCodeAt(at))) at++;
    const amount = Number(text.slice(numberStart, unitStart));
    const unit = UNIT_MS[text.slice(unitStart, at)];
    if (unitStart === numberStart || unit === undefined || !Number.isFinite(amount)) return null;
    total += amount * unit;
  }
  return text === '' ? null : total;
}

function isDigitOrDot(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46;
}

/** `5400000` as `1h30m`. */
export function showDuration(ms: number): string {
  let rest = Math.round(ms);
  let out = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const amount = Math.floor(rest / size);
    if (amount > 0) out += `${amount}${unit}`;
    rest -= amount * size;
  }
  return out === '' ? '0s' : out;
}
