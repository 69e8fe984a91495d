// Step patterns: a kind word and a name glob (`call refund`, `result get_*`, `call effect:send`, `call!`). Pure.
import { STEP_KINDS, type StepKind } from '../step/types.ts';

const KIND_WORDS = {
  call: 'tool.call',
  result: 'tool.result',
  input: 'input',
  output: 'output',
  request: 'model.request',
  response: 'model.response',
  retrieval: 'retrieval',
  recall: 'memory.read',
  remember: 'memory.write',
  handoff: 'handoff',
  check: 'check',
  approval: 'approval',
  start: 'session.start',
  end: 'session.end',
} as const satisfies Record<string, StepKind>;
export const PATTERN_WORDS: readonly string[] = Object.keys(KIND_WORDS);

export interface StepPattern {
  readonly kind: StepKind;
  /** `call!`: attempts count too, allowed or not. */
  readonly attempts: boolean;
  /** A glob over names, or an effect that the called tool's contract declares. */
  readonly name:
    | { readonly t: 'glob'; readonly glob: string }
    | { readonly t: 'effect'; readonly effect: string };
  readonly text: string;
}

export type PatternResult =
  | { readonly pattern: StepPattern }
  | { readonly message: string; readonly word: string };

export function parsePattern(text: string): PatternResult {
  const parts = text.trim().split(/\s+/, 3);
  const rawWord = parts[0] ?? '';
  const attempts = rawWord.endsWith('!');
  const word = attempts ? rawWord.slice(0, -1) : rawWord;
  if (parts.length > 2) return { message: `\`${text}\` has more than a kind word and a name`, word };
  const named = (STEP_KINDS as readonly string[]).includes(word) ? (word as StepKind) : null;
  if (named === null && !Object.hasOwn(KIND_WORDS, word)) {
    return { message: `\`${word}\` is not a kind of step; known: ${PATTERN_WORDS.join(', ')}`, word };
  }
  const kind: StepKind = named ?? KIND_WORDS[word as keyof typeof KIND_WORDS];
  if (attempts && kind !== 'tool.call') return { message: '`!` (attempts) goes with `call` only', word };
  const name = parts[1] ?? '*';
  const effect = name.startsWith('effect:') ? name.slice(7) : null;
  if (effect !== null && kind !== 'tool.call' && kind !== 'tool.result') {
    return { message: '`effect:` goes with `call` and `result` only', word };
  }
  return {
    pattern: {
      kind,
      attempts,
      name: effect === null ? { t: 'glob', glob: name } : { t: 'effect', effect },
      text: text.trim(),
    },
  };
}

/** Whether a glob (`*` any run, `?` one character) matches the whole name. Linear: greedy with one point of return. */
export function globMatches(glob: string, name: string): boolean {
  let g = 0;
  let n = 0;
  let star = -1;
  let mark = 0;
  while (n < name.length) {
    if (g < glob.length && glob[g] === '*') {
      star = g++;
      mark = n;
    } else if (g < glob.length && (glob[g] === name[n] || glob[g] === '?')) {
      g++;
      n++;
    } else if (star >= 0) {
      g = star + 1;
      n = ++mark;
    } else return false;
  }
  while (g < glob.length && glob[g] === '*') g++;
  return g === glob.length;
}

export function patternMatches(
  pattern: StepPattern,
  kind: StepKind,
  name: string,
  effect: string | null,
): boolean {
  if (pattern.kind !== kind) return false;
  return pattern.name.t === 'effect' ? pattern.name.effect === effect : globMatches(pattern.name.glob, name);
}

/** For `sort`: exact names first, then effects, then globs, the longer first. */
export function byExactness(a: StepPattern, b: StepPattern): number {
  return rankOf(a) - rankOf(b) || b.text.length - a.text.length || (a.text < b.text ? -1 : 1);
}

function rankOf({ name }: StepPattern): number {
  if (name.t === 'effect') return 1;
  return name.glob.includes('*') || name.glob.includes('?') ? 2 : 0;
}
