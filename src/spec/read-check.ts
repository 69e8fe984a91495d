// Reads `checks`, the outside evidence a spec knows how to get, and rules that ask for it. Pure; expressions stay text.
import { nearest } from '../step/nearest.ts';
import type { CheckClause, CheckDeclaration, CheckMeans, Expression } from './document.ts';
import { durationFrom, expressionFrom } from './read-forms.ts';
import { fieldsOf, type MapEntry, type Source, textOf, textsOf } from './source.ts';

const MEANS = ['command', 'get', 'attestation'] as const;
const MAX_CHECKS = 200;
const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 3_600_000;
const SUBJECT = '{{ subject }}';

export function readChecks(source: Source, entry: MapEntry | undefined): Map<string, CheckDeclaration> {
  const checks = new Map<string, CheckDeclaration>();
  if (!entry) return checks;
  if (entry.node.t !== 'map' || entry.node.entries.length > MAX_CHECKS) {
    source.error(
      'type',
      entry.node.range,
      `\`checks\` maps at most ${MAX_CHECKS} names to a \`command\`, a \`get\` or an \`attestation\``,
    );
    return checks;
  }
  for (const item of entry.node.entries) {
    const check = readCheck(source, item);
    if (check !== null) checks.set(item.key, check);
  }
  return checks;
}

function readCheck(source: Source, item: MapEntry): CheckDeclaration | null {
  const fields = fieldsOf(source, item.node, 'a check', [...MEANS, 'pass', 'timeout']);
  if (!fields) return null;
  const present = MEANS.filter((means) => fields.has(means));
  if (present.length !== 1) {
    source.error('form', item.keyRange, `check \`${item.key}\` needs exactly one of ${MEANS.join(', ')}`);
    return null;
  }
  const means = readMeans(source, present[0]!, fields.get(present[0]!)!);
  const timeoutMs = durationFrom(source, fields.get('timeout'), '`timeout`') ?? DEFAULT_TIMEOUT_MS;
  if (timeoutMs > MAX_TIMEOUT_MS)
    source.error('type', fields.get('timeout')!.node.range, '`timeout` is at most 1h');
  if (means === null) return null;
  return {
    name: item.key,
    means,
    pass: expressionFrom(source, fields.get('pass'), '`pass`'),
    timeoutMs,
    range: item.keyRange,
    source,
  };
}

function readMeans(source: Source, means: (typeof MEANS)[number], entry: MapEntry): CheckMeans | null {
  switch (means) {
    case 'command': {
      const argv = textsOf(source, entry.node, '`command`');
      if (argv.length === 0 || argv[0]!.includes('{{')) {
        source.error('type', entry.node.range, '`command` is a program and its arguments: [npm, test]');
        return null;
      }
      for (const part of argv) checkTemplate(source, entry, part);
      return { t: 'command', argv };
    }
    case 'get': {
      const url = textOf(source, entry.node, '`get`');
      if (url === undefined) return null;
      checkTemplate(source, entry, url);
      if (isFixedOrigin(url)) return { t: 'probe', url };
      source.error(
        'type',
        entry.node.range,
        '`get` is an http or https address whose host is fixed, such as https://ledger.example/payments/{{ subject }}',
      );
      return null;
    }
    case 'attestation': {
      const fields = fieldsOf(source, entry.node, '`attestation`', ['type', 'keys']);
      const type = fields?.get('type');
      const keys = fields?.get('keys');
      if (!fields || !type || !keys) {
        if (fields)
          source.error(
            'missing',
            entry.keyRange,
            '`attestation` needs `type`, the predicate type, and `keys`, the public keys (PEM) that may sign it',
          );
        return null;
      }
      return {
        t: 'attestation',
        type: textOf(source, type.node, '`type`') ?? '',
        keys: textsOf(source, keys.node, '`keys`'),
      };
    }
  }
}

/** Whether scheme, host and port stand before anything that is filled in. */
function isFixedOrigin(url: string): boolean {
  const fixed = url.split('{{', 1)[0]!;
  if (!URL.canParse(fixed)) return false;
  const { protocol, origin, username, password } = new URL(fixed);
  return (
    (protocol === 'https:' || protocol === 'http:') &&
    username === '' &&
    password === '' &&
    (fixed === url || fixed.startsWith(`${origin}/`))
  );
}

function checkTemplate(source: Source, entry: MapEntry, text: string): void {
  if (!text.replaceAll(SUBJECT, '').includes('{{')) return;
  source.error('check', entry.node.range, `only \`${SUBJECT}\` is filled in here`);
}

/** `check: unit-tests`, or `check: { name, subject, fresh }`. */
export function readCheckRule(
  source: Source,
  entry: MapEntry,
  checks: ReadonlyMap<string, CheckDeclaration>,
): CheckClause | null {
  const isShort = entry.node.t === 'scalar';
  const fields = isShort ? null : fieldsOf(source, entry.node, '`check`', ['name', 'subject', 'fresh']);
  const nameNode = isShort ? entry.node : fields?.get('name')?.node;
  if (nameNode === undefined) {
    if (fields !== undefined) source.error('missing', entry.keyRange, '`check` needs the `name` of a check');
    return null;
  }
  const name = textOf(source, nameNode, '`check`');
  if (name === undefined) return null;
  if (!checks.has(name)) {
    const names = [...checks.keys()];
    source.error(
      'check',
      nameNode.range,
      names.length === 0
        ? `the spec declares no \`checks\`, so there is no \`${name}\``
        : `there is no check \`${name}\`; there are ${names.join(', ')}`,
      nearest(name, names) ?? undefined,
    );
    return null;
  }
  const subject = expressionFrom(source, fields?.get('subject'), '`subject`');
  const freshMs = durationFrom(source, fields?.get('fresh'), '`fresh`');
  return { name, subject, freshMs, proof: proofOf(name, subject, freshMs, entry) };
}

/** What the rule requires: the latest check on the subject has passed. */
function proofOf(
  name: string,
  subject: Expression | null,
  freshMs: number | null,
  entry: MapEntry,
): Expression {
  const about = subject === null ? 'true' : `c.args.subject == (${subject.text})`;
  const window = freshMs === null ? '' : `.within(duration("${freshMs / 1000}s"))`;
  const text = `past.last(${JSON.stringify(`check ${name}`)}, c, ${about})${window}.result.passed == true`;
  return { text, range: subject?.range ?? entry.node.range, at: null };
}
