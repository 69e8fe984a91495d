// The nearest known word to a misspelt one, for "did you mean" in every error. Pure.

const LENGTH_MAX = 64;

/** The closest of `known` to `word` by optimal string alignment, or null when none is near enough to be meant. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > LENGTH_MAX) return null;
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = alignment(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Edits between two words where swapping two neighbours counts as one edit. */
function alignment(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, beforePrevious[j - 2]! + 1);
      row.push(edits);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}
