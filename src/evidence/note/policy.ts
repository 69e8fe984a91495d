// Which logs are trusted, and how many witnesses must have cosigned (C2SP tlog-policy). Pure.
import { KeyInvalid, parseVkey, type Verifier } from './keys.ts';

export interface Policy {
  readonly logs: readonly Verifier[];
  readonly witnesses: readonly Verifier[];
  /** Whether enough witnesses are among those who have signed. */
  isMet(by: readonly Verifier[]): boolean;
}

/** A line that means nothing, and why. */
export class PolicyInvalid extends Error {}

export const POLICY_MAX = 100_000;
const LINES_MAX = 2_000;

type Met = (by: ReadonlySet<Verifier>) => boolean;

/** Throws `PolicyInvalid` with the line. */
export function parsePolicy(text: string): Policy {
  if (text.length > POLICY_MAX) throw new PolicyInvalid(`a policy is at most ${POLICY_MAX} characters`);
  const logs: Verifier[] = [];
  const witnesses: Verifier[] = [];
  const named = new Map<string, Met>();
  let quorum: Met | null = null;
  for (const [i, line] of text.split('\n', LINES_MAX).entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#')) continue;
    const fail = (why: string): never => {
      throw new PolicyInvalid(`line ${i + 1}: ${why}`);
    };
    const key = (vkey: string | undefined): Verifier => {
      try {
        return parseVkey(vkey ?? '');
      } catch (error) {
        if (error instanceof KeyInvalid) return fail(error.message);
        throw error;
      }
    };
    const known = (name: string): Met => named.get(name) ?? fail(`there is no ${name} above`);
    const define = (name: string | undefined, met: Met) => {
      if (name === undefined || name === 'none' || named.has(name))
        fail(`${name ?? 'nothing'} cannot be defined here`);
      named.set(name!, met);
    };
    const [what, first, second, ...rest] = words;
    switch (what) {
      case 'log':
        logs.push(key(first));
        break;
      case 'witness': {
        const witness = key(second);
        define(first, (by) => by.has(witness));
        witnesses.push(witness);
        break;
      }
      case 'group': {
        const members = rest.map(known);
        const needed = second === 'all' ? members.length : second === 'any' ? 1 : Number(second);
        if (!Number.isInteger(needed) || needed < 1 || needed > members.length)
          fail(`a group needs all, any, or 1 to ${members.length} of its ${members.length} members`);
        define(first, (by) => members.filter((met) => met(by)).length >= needed);
        break;
      }
      case 'quorum':
        if (quorum !== null || first === undefined || second !== undefined)
          fail('a policy has one quorum, of one name');
        quorum = first === 'none' ? () => true : known(first!);
        break;
      default:
        fail('a line is log, witness, group or quorum');
    }
  }
  if (quorum === null) throw new PolicyInvalid('a policy has one line `quorum NAME`, or `quorum none`');
  const met: Met = quorum;
  return { logs, witnesses, isMet: (by) => met(new Set(by.map((one) => sameOf(witnesses, one)))) };
}

function sameOf(witnesses: readonly Verifier[], one: Verifier): Verifier {
  return witnesses.find((w) => w.name === one.name && String(w.publicKey) === String(one.publicKey)) ?? one;
}
