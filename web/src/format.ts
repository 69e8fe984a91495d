// How numbers, times and digests are written on the page. Pure: the clock comes in as an argument.

const count = new Intl.NumberFormat('en');

/** `12345` → `12,345`. */
export function formatCount(n: number): string {
  return count.format(n);
}

/** `1 step`, `2 steps`. */
export function plural(n: number, noun: string, many = `${noun}s`): string {
  return `${formatCount(n)} ${n === 1 ? noun : many}`;
}

/** How long ago `time` was, in the largest unit that fits: `now`, `42 s`, `3 min`, `5 h`, `12 d`. Milliseconds in. */
export function formatAgo(time: number, now: number): string {
  const s = Math.max(0, Math.floor((now - time) / 1000));
  if (s < 5) return 'now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${formatCount(Math.floor(s / 86_400))} d ago`;
}

/** A length of time in milliseconds: `820 ms`, `4.2 s`, `3 min 07 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (s < 60) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(s / 60);
  if (s < 3600) return s % 60 === 0 ? `${minutes} min` : `${minutes} min ${pad(s % 60)} s`;
  const hours = Math.floor(s / 3600);
  if (s < 86_400) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${pad(minutes % 60)} min`;
  const days = formatCount(Math.floor(s / 86_400));
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** Time since the session began, one width per magnitude so a column of them aligns: `+4.210`, `+2:05.700`, `+1:02:05`. */
export function formatOffset(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const abs = Math.abs(Math.round(ms));
  const s = Math.floor(abs / 1000);
  const milli = String(abs % 1000).padStart(3, '0');
  if (s < 60) return `${sign}${s}.${milli}`;
  if (s < 3600) return `${sign}${Math.floor(s / 60)}:${pad(s % 60)}.${milli}`;
  return `${sign}${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

/** A time in full, in the reader's zone: `2 Mar 2026, 09:14:03.120 UTC`. */
export function formatExact(time: number): string {
  return exact.format(time);
}

const exact = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hour12: false,
  timeZoneName: 'short',
});

/** `sha256:9f86d081884c…` → `9f86d081884c`: enough to tell two apart by eye; the whole is one copy away. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/**
 * Text as it really is: control, bidirectional and zero-width characters are spelt out, so that what a reader approves
 * is what will run (CVE-2021-42574). Joiners stay, since scripts and emoji need them, and so do tab and newline.
 */
export function revealHidden(text: string): string {
  return text.replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`);
}
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to reveal
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function pad(n: number): string {
  return String(n).padStart(2, '0');
}
