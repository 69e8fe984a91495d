// Reads one rule: its form, its step patterns and its words. Pure; expressions stay text.

import { nearest } from '../step/nearest.ts';
import { ENFORCEABILITY } from '../step/types.ts';
import type {
  ApproveClause,
  Expression,
  LimitClause,
  RuleClause,
  RuleForm,
  TransformClause,
} from './document.ts';
import { parseDuration } from './duration.ts';
import { PATTERN_WORDS, parsePattern, type StepPattern } from './pattern.ts';
import { readExpression } from './read.ts';
import {
  fieldsOf,
  type MapEntry,
  type Source,
  type SourceNode,
  textOf,
  textsOf,
  toJson,
  wordOf,
} from './source.ts';
import { MODES, type Mode } from './terms.ts';

const FORMS = ['require', 'deny', 'hold', 'limit', 'transform'] as const;
const RULE_KEYS = [
  'id',
  'on',
  'when',
  'unless',
  ...FORMS,
  'otherwise',
  'approve',
  'because',
  'repair',
  'controls',
  'mode',
];
const LIMIT_KEYS = ['count', 'sum', 'max', 'per', 'window', 'by'];
const APPROVE_KEYS = ['by', 'quorum', 'not', 'expires'];
const OTHERWISE = ['deny', 'hold', 'halt'] as const;
const DEFAULT_APPROVE: ApproveClause = {
  by: ['reviewer'],
  quorum: 1,
  notPrincipal: false,
  expiresMs: 3_600_000,
};
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.';

export function readRule(source: Source, node: SourceNode, specMode: Mode): RuleClause | null {
  const fields = fieldsOf(source, node, 'a rule', RULE_KEYS);
  if (!fields) return null;
  const idEntry = fields.get('id');
  const id = idEntry ? textOf(source, idEntry.node, '`id`') : undefined;
  if (!idEntry)
    source.error('missing', { start: node.range.start, end: node.range.start + 1 }, 'a rule needs an `id`');
  if (id === undefined) return null;
  if (id === '' || id.length > 100 || [...id].some((c) => !ID_CHARACTERS.includes(c))) {
    source.error('name', idEntry!.node.range, 'a rule id has 1 to 100 letters, digits, `-`, `_` or `.`');
    return null;
  }
  const onEntry = fields.get('on');
  if (!onEntry) {
    source.error(
      'missing',
      idEntry!.keyRange,
      `rule \`${id}\` needs \`on\`: which steps it is about, e.g. \`on: call refund\``,
    );
    return null;
  }
  const on = readPatterns(source, onEntry);
  const form = readForm(source, id, idEntry!, fields);
  if (!form) return null;
  const otherwiseEntry = fields.get('otherwise');
  const otherwise = otherwiseEntry
    ? wordOf(source, otherwiseEntry.node, '`otherwise`', OTHERWISE)
    : undefined;
  const verdict = otherwise ?? (form.t === 'hold' ? 'hold' : 'deny');
  checkEnforceable(source, onEntry, on, form, verdict);
  const modeEntry = fields.get('mode');
  const because = fields.get('because');
  const repair = fields.get('repair');
  const controls = fields.get('controls');
  return {
    id,
    on,
    onRange: onEntry.node.range,
    when: expressionFrom(source, fields.get('when'), '`when`'),
    unless: expressionFrom(source, fields.get('unless'), '`unless`'),
    form,
    otherwise: verdict,
    approve: readApprove(source, fields.get('approve')),
    because: (because && textOf(source, because.node, '`because`')) ?? '',
    repair: (repair && textOf(source, repair.node, '`repair`')) ?? null,
    repairRange: repair?.node.range ?? node.range,
    controls: controls ? textsOf(source, controls.node, '`controls`') : [],
    mode: (modeEntry && wordOf(source, modeEntry.node, '`mode`', MODES)) ?? specMode,
    range: idEntry!.node.range,
  };
}

function expressionFrom(source: Source, entry: MapEntry | undefined, what: string): Expression | null {
  return entry ? readExpression(source, entry.node, what) : null;
}

function readPatterns(source: Source, entry: MapEntry): StepPattern[] {
  return textsOf(source, entry.node, '`on`').flatMap((text) => {
    const parsed = parsePattern(text);
    if ('pattern' in parsed) return [parsed.pattern];
    source.error(
      'pattern',
      entry.node.range,
      parsed.message,
      nearest(parsed.word, PATTERN_WORDS) ?? undefined,
    );
    return [];
  });
}

function readForm(
  source: Source,
  id: string,
  idEntry: MapEntry,
  fields: ReadonlyMap<string, MapEntry>,
): RuleForm | null {
  const present = FORMS.filter((form) => fields.has(form));
  if (present.length !== 1) {
    const found = present.length === 0 ? 'none' : present.join(' and ');
    source.error(
      'form',
      idEntry.node.range,
      `rule \`${id}\` needs exactly one of ${FORMS.join(', ')}; it has ${found}`,
    );
    return null;
  }
  const form = present[0]!;
  const entry = fields.get(form)!;
  switch (form) {
    case 'require':
    case 'deny': {
      const expression = readExpression(source, entry.node, `\`${form}\``);
      return expression && { t: form, expression };
    }
    case 'hold': {
      if (toJson(entry.node) === true) return { t: 'hold', expression: null };
      const expression = readExpression(source, entry.node, '`hold`');
      return expression && { t: 'hold', expression };
    }
    case 'limit': {
      const limit = readLimit(source, entry);
      return limit && { t: 'limit', limit };
    }
    case 'transform': {
      const transform = readTransform(source, entry);
      return transform && { t: 'transform', transform };
    }
  }
}

/** A rule must be able to do what it says: what has happened cannot be denied or held (Basin et al. 2013). */
function checkEnforceable(
  source: Source,
  entry: MapEntry,
  on: readonly StepPattern[],
  form: RuleForm,
  verdict: string,
): void {
  for (const pattern of on) {
    const kind = ENFORCEABILITY[pattern.kind];
    if (kind === 'suppressable') continue;
    if (verdict === 'halt' && form.t !== 'transform') continue;
    const asks = form.t === 'transform' ? 'transform' : verdict;
    source.error(
      'unenforceable',
      entry.node.range,
      `\`${pattern.text}\` has already happened when a verdict is given, so it cannot be ${asks === 'transform' ? 'changed' : asks === 'hold' ? 'held' : 'denied'}; put the rule on the next call, or say \`otherwise: halt\` to stop the session`,
    );
  }
}

function readLimit(source: Source, entry: MapEntry): LimitClause | null {
  const fields = fieldsOf(source, entry.node, '`limit`', LIMIT_KEYS);
  if (!fields) return null;
  const count = numberFrom(source, fields.get('count'), '`count`');
  const max = numberFrom(source, fields.get('max'), '`max`');
  const sum = expressionFrom(source, fields.get('sum'), '`sum`');
  if ((count === null) === (sum === null)) {
    source.error(
      'limit',
      entry.keyRange,
      '`limit` needs either `count: N`, or `sum: EXPRESSION` with `max: N`',
    );
    return null;
  }
  if ((sum === null) !== (max === null)) {
    source.error(
      'limit',
      entry.keyRange,
      '`sum` and `max` go together: `limit: { sum: args.amount, max: 500 }`',
    );
    return null;
  }
  const perEntry = fields.get('per');
  const perText = perEntry ? readExpression(source, perEntry.node, '`per`') : null;
  if (perText && ['principal', 'agent', 'tenant'].includes(perText.text.trim())) {
    source.error(
      'scope',
      perEntry!.node.range,
      `\`per: ${perText.text}\` counts across sessions, which this version cannot; use \`session\` or an expression over the step`,
    );
    return null;
  }
  const byEntry = fields.get('by');
  return {
    count,
    sum,
    max,
    per: perText === null || perText.text.trim() === 'session' ? 'session' : perText,
    windowMs: durationFrom(source, fields.get('window'), '`window`'),
    by: (byEntry && wordOf(source, byEntry.node, '`by`', ['success', 'attempt'] as const)) ?? 'success',
  };
}

function readTransform(source: Source, entry: MapEntry): TransformClause | null {
  const fields = fieldsOf(source, entry.node, '`transform`', ['set', 'drop']);
  if (!fields) return null;
  const set: { path: string[]; value: Expression }[] = [];
  const setEntry = fields.get('set');
  if (setEntry && setEntry.node.t !== 'map')
    source.error('type', setEntry.node.range, '`set` maps argument paths to expressions');
  if (setEntry?.node.t === 'map') {
    for (const item of setEntry.node.entries) {
      const value = readExpression(source, item.node, `\`${item.key}\``);
      const path = argumentPath(source, item.key, item);
      if (value && path) set.push({ path, value });
    }
  }
  const dropEntry = fields.get('drop');
  const drop = (dropEntry ? textsOf(source, dropEntry.node, '`drop`') : []).flatMap((text) => {
    const path = argumentPath(source, text, dropEntry!);
    return path ? [path] : [];
  });
  if (set.length + drop.length === 0) {
    source.error('transform', entry.keyRange, '`transform` needs `set` or `drop`');
    return null;
  }
  return { set, drop };
}

function argumentPath(source: Source, text: string, entry: MapEntry): string[] | null {
  const parts = text.split('.');
  if (parts[0] === 'args' && parts.length > 1 && parts.every((part) => part !== '')) return parts.slice(1);
  source.error('path', entry.keyRange, `\`${text}\` is not a path into the arguments, e.g. \`args.amount\``);
  return null;
}

function readApprove(source: Source, entry: MapEntry | undefined): ApproveClause {
  if (!entry) return DEFAULT_APPROVE;
  const fields = fieldsOf(source, entry.node, '`approve`', APPROVE_KEYS);
  if (!fields) return DEFAULT_APPROVE;
  const by = fields.get('by');
  const roles = by ? textsOf(source, by.node, '`by`') : DEFAULT_APPROVE.by;
  const quorum = numberFrom(source, fields.get('quorum'), '`quorum`') ?? 1;
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > 20)
    source.error('type', entry.keyRange, '`quorum` is a whole number from 1 to 20');
  const not = fields.get('not');
  if (not) wordOf(source, not.node, '`not`', ['principal'] as const);
  return {
    by: roles.length > 0 ? roles : DEFAULT_APPROVE.by,
    quorum,
    notPrincipal: not !== undefined,
    expiresMs: durationFrom(source, fields.get('expires'), '`expires`') ?? DEFAULT_APPROVE.expiresMs,
  };
}

function numberFrom(source: Source, entry: MapEntry | undefined, what: string): number | null {
  if (!entry) return null;
  const value = toJson(entry.node);
  if (typeof value === 'number' && value >= 0) return value;
  source.error('type', entry.node.range, `${what} must be a number of at least 0`);
  return null;
}

function durationFrom(source: Source, entry: MapEntry | undefined, what: string): number | null {
  if (!entry) return null;
  const text = textOf(source, entry.node, what);
  const ms = text === undefined ? null : parseDuration(text);
  if (ms === null || ms <= 0) {
    source.error('type', entry.node.range, `${what} must be a duration such as 30m, 24h or 7d`);
    return null;
  }
  return ms;
}
