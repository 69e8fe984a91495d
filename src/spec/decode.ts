// Encoded spellings of text inside text: base64, hexadecimal, percent escapes. A value must not leave by being encoded.
// Pure, linear in the text, without RegExp over it.

const MIN_RUN = 16;
const MAX_DECODED = 262_144;
const MAX_ROUNDS = 3;

/** Characters that one text may be decoded to, all rounds together: past it the rest stays encoded. */
const MAX_TOTAL = 1_000_000;

/** The texts that encoded parts of `text` stand for, encodings of encodings included. */
export function decodings(text: string): string[] {
  const out: string[] = [];
  let total = 0;
  let round = [text];
  for (let i = 0; i < MAX_ROUNDS && round.length > 0; i++) {
    const next: string[] = [];
    for (const encoded of round) {
      for (const decoded of decodedOnce(encoded)) {
        total += decoded.length;
        if (total > MAX_TOTAL) return out;
        next.push(decoded);
        out.push(decoded);
      }
    }
    round = next;
  }
  return out;
}

function decodedOnce(text: string): string[] {
  const out: string[] = [];
  const percent = percentDecoded(text);
  if (percent !== null) out.push(percent);
  for (const run of runsOf(text)) {
    out.push(...base64Decoded(run));
    for (const from of [0, 1]) {
      const hex = hexDecoded(run.slice(run.startsWith('0x') ? 2 : from));
      if (hex !== null) out.push(...printableRuns(hex));
    }
  }
  return out;
}

/** Maximal runs of base64 characters that are long enough to hide something. */
function runsOf(text: string): string[] {
  const runs: string[] = [];
  let start = -1;
  for (let i = 0; i <= text.length; i++) {
    const inside = i < text.length && isBase64(text.charCodeAt(i));
    if (inside && start < 0) start = i;
    if (!inside && start >= 0) {
      for (let at = start; i - at >= MIN_RUN; at += MAX_DECODED)
        runs.push(text.slice(at, Math.min(i, at + MAX_DECODED)));
      start = -1;
    }
  }
  return runs;
}

function isBase64(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 43 ||
    code === 47 ||
    code === 45 ||
    code === 95
  );
}

/** From each of the four places at which the encoding may begin: characters put in front must not hide it. */
function base64Decoded(run: string): string[] {
  const body = run.replaceAll('-', '+').replaceAll('_', '/');
  const out: string[] = [];
  for (let start = 0; start < 4; start++) {
    const whole = body.slice(start, start + 4 * Math.floor((body.length - start) / 4));
    const rest = (body.length - start) % 4;
    const tail = rest < 2 ? '' : body.slice(start + whole.length);
    try {
      out.push(...printableRuns(Uint8Array.from(atob(whole + tail), (c) => c.charCodeAt(0))));
    } catch {
      // Not base64 from here.
    }
  }
  return out;
}

function hexDecoded(run: string): Uint8Array | null {
  const bytes = new Uint8Array(run.length >> 1);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(run.charCodeAt(2 * i));
    const low = hexDigit(run.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return null;
    bytes[i] = 16 * high + low;
  }
  return bytes;
}

const MIN_PRINTABLE = 5;

/** Runs of UTF-8 text in bytes; what ordinary words decode to has none, or none that means anything. */
function printableRuns(bytes: Uint8Array): string[] {
  const runs: string[] = [];
  let run = '';
  for (const c of new TextDecoder().decode(bytes)) {
    const code = c.codePointAt(0)!;
    if (code >= 32 && code !== 127 && code !== 0xfffd) run += c;
    else {
      if (run.length >= MIN_PRINTABLE) runs.push(run);
      run = '';
    }
  }
  if (run.length >= MIN_PRINTABLE) runs.push(run);
  return runs;
}

function percentDecoded(text: string): string | null {
  if (!text.includes('%') || text.length > MAX_DECODED) return null;
  const source = new TextEncoder().encode(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    const high = source[i] === 37 ? hexDigit(source[i + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(source[i + 2]);
    if (low < 0) bytes[length++] = source[i]!;
    else {
      bytes[length++] = 16 * high + low;
      i += 2;
    }
  }
  return length === source.length ? null : new TextDecoder().decode(bytes.subarray(0, length));
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
