// What a tool seems to do, from its name and its description. A guess for a person to review, made so that a wrong one is
// on the careful side: a name that tells nothing is taken for something that writes and cannot be undone.

export type Effect = 'read' | 'write' | 'send' | 'delete' | 'execute';

export interface Guess {
  readonly effect: Effect;
  readonly reversible: boolean;
  /** What told it. */
  readonly from: 'name' | 'description' | 'server' | 'nothing';
  /** Money goes out. */
  readonly pays: boolean;
}

interface Meaning {
  readonly effect: Effect;
  readonly reversible: boolean;
  readonly pays?: boolean;
}

const READ: Meaning = { effect: 'read', reversible: true };
const WRITE: Meaning = { effect: 'write', reversible: true };
const PAY: Meaning = { effect: 'write', reversible: false, pays: true };
const SEND: Meaning = { effect: 'send', reversible: false };
const DELETE: Meaning = { effect: 'delete', reversible: false };
const EXECUTE: Meaning = { effect: 'execute', reversible: false };

/** Words that are verbs wherever they stand. */
const VERBS = words([
  [
    READ,
    'get gets list lists read reads find finds search searches fetch fetches look lookup query queries check checks view show describe count',
  ],
  [
    READ,
    'retrieve retrieves return returns calculate compute estimate verify validate compare browse inspect download convert translate',
  ],
  [
    READ,
    'summarize summarise analyze analyse classify detect extract parse preview peek resolve think plan explain recommend suggest',
  ],
  [
    WRITE,
    'create creates add adds update updates set sets edit edits write writes append insert save saves put modify modifies change changes',
  ],
  [
    WRITE,
    'rename move copy assign enable disable start open reschedule upsert replace toggle apply merge register link mark store remember increment',
  ],
  [PAY, 'pay pays refund refunds purchase buy buys withdraw deposit reimburse checkout'],
  [
    SEND,
    'send sends publish publishes notify notifies forward reply invite broadcast tweet respond transfer transfers wire export submit',
  ],
  [
    DELETE,
    'delete deletes remove removes drop purge destroy erase cancel cancels revoke terminate wipe uninstall unsubscribe truncate close',
  ],
  [
    EXECUTE,
    'run runs execute executes exec eval shell bash deploy deploys invoke spawn install restart reboot kill',
  ],
]);
/** Words that are as often nouns: they count in a name that has no verb. */
const NOUNS = words([
  [READ, 'lookup info status weather history details balance'],
  [WRITE, 'book reserve schedule order file note comment draft booking reservation log record tag label'],
  [PAY, 'charge payment invoice bill'],
  [SEND, 'email mail message sms post share upload push alert call page slack dm'],
  [EXECUTE, 'command terminal script python code interpreter sql job workflow'],
]);
/** After these the name says a second thing that it does. */
const JOINS = new Set(['and', 'or', 'then']);
const STRICTNESS: readonly Effect[] = ['read', 'write', 'send', 'delete', 'execute'];

export interface Hints {
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
}

/** A server's own word only makes a guess stricter, but where the name tells nothing. */
export function guessEffect(name: string, description: string | null, hints: Hints = {}): Guess {
  const told = guessFromWords(name, description);
  if (hints.readOnly === true && told.from === 'nothing') return guess(READ, 'server');
  if (hints.destructive === true && (told.reversible || told.from === 'nothing'))
    return guess(
      told.effect === 'read' || told.from === 'nothing' ? DELETE : { ...WRITE, reversible: false },
      'server',
    );
  return told;
}

function guessFromWords(name: string, description: string | null): Guess {
  const named = meaningOfName(wordsOf(name));
  if (named !== null) return guess(named, 'name');
  const first = wordsOf((description ?? '').slice(0, 200))[0];
  const described = first === undefined ? undefined : VERBS.get(first);
  if (described !== undefined) return guess(described, 'description');
  return { effect: 'write', reversible: false, pays: false, from: 'nothing' };
}

function guess(meaning: Meaning, from: Guess['from']): Guess {
  return { effect: meaning.effect, reversible: meaning.reversible, pays: meaning.pays ?? false, from };
}

/** Of `read_and_delete` the strictest; else the first verb, else the first noun that stands for one. */
function meaningOfName(name: readonly string[]): Meaning | null {
  let strictest: Meaning | null = null;
  let from = 0;
  for (let i = 0; i <= name.length; i++) {
    if (i < name.length && !JOINS.has(name[i]!)) continue;
    const part = name.slice(from, i);
    const meaning = first(VERBS, part) ?? first(NOUNS, part);
    if (meaning !== null && (strictest === null || rank(meaning) > rank(strictest))) strictest = meaning;
    from = i + 1;
  }
  return strictest;
}

function first(of: ReadonlyMap<string, Meaning>, name: readonly string[]): Meaning | null {
  for (const word of name) {
    const meaning = of.get(word);
    if (meaning !== undefined) return meaning;
  }
  return null;
}

function rank(meaning: Meaning): number {
  return STRICTNESS.indexOf(meaning.effect) * 2 + (meaning.reversible ? 0 : 1);
}

/** `getOrder`, `get-order`, `crm.get_order2` as lower-case words. */
export function wordsOf(name: string): string[] {
  return name
    .slice(0, 300)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
}

function words(groups: readonly (readonly [Meaning, string])[]): ReadonlyMap<string, Meaning> {
  return new Map(
    groups.flatMap(([meaning, list]) => list.split(' ').map((word) => [word, meaning] as const)),
  );
}
