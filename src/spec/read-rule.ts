// Reads one rule: its form, its step patterns and its words. Pure; expressions stay text.

import { ENFORCEABILITY } from '../step/types.ts';
import type { CheckDeclaration, ObligationClause, OrderClause, RuleClause, RuleForm } from './document.ts';
import type { Let } from './let.ts';
import type { StepPattern } from './pattern.ts';
import { readExpression } from './read.ts';
import { readCheckRule } from './read-check.ts';
import {
  expressionFrom,
  readApprove,
  readFlow,
  readLimit,
  readObligation,
  readOrder,
  readPatterns,
  readTransform,
} from './read-forms.ts';
import { readHandoff } from './read-handoff.ts';
import { readMetric } from './read-metric.ts';
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

const FORMS = [
  'require',
  'deny',
  'hold',
  'limit',
  'transform',
  'flow',
  'order',
  'then',
  'handoff',
  'check',
  'metric',
] as const;
const RULE_KEYS = [
  'id',
  'on',
  'after',
  'where',
  'before',
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
/** Forms that say themselves which steps they are about. */
const OWN_PATTERNS = ['order', 'handoff'] as const;
const OTHERWISE = ['deny', 'hold', 'halt'] as const;
const HAVE_ARGS: readonly string[] = ['tool.call', 'model.request', 'handoff', 'memory.write'];
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.';

export function readRule(
  source: Source,
  node: SourceNode,
  specMode: Mode,
  lets: readonly Let[],
  checks: ReadonlyMap<string, CheckDeclaration>,
): RuleClause | null {
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
  const owed = fields.has('then');
  const onEntry = fields.get(owed ? 'after' : (OWN_PATTERNS.find((key) => fields.has(key)) ?? 'on'));
  if (!onEntry && owed) {
    source.error(
      'missing',
      idEntry!.keyRange,
      `rule \`${id}\` has \`then\` and needs \`after\`: the step that makes it owed`,
    );
    return null;
  }
  if (!onEntry) {
    source.error(
      'missing',
      idEntry!.keyRange,
      `rule \`${id}\` needs \`on\`: which steps it is about, e.g. \`on: call refund\``,
    );
    return null;
  }
  for (const key of ['where', 'before', 'after'] as const) {
    const stray = fields.get(key);
    if (stray && !owed) source.error('form', stray.keyRange, `\`${key}\` goes with \`then\``);
  }
  const on = fields.get('on');
  if (on && onEntry !== on && !owed)
    source.error('form', on.keyRange, `\`${onEntry.key}\` says itself which steps the rule is about`);
  const form = readForm(source, id, idEntry!, fields, checks);
  if (!form) return null;
  const patterns = patternsOf(source, form, onEntry);
  const otherwiseEntry = fields.get('otherwise');
  const otherwise = otherwiseEntry
    ? wordOf(source, otherwiseEntry.node, '`otherwise`', OTHERWISE)
    : undefined;
  const verdict = otherwise ?? (form.t === 'hold' ? 'hold' : 'deny');
  if (form.t === 'obligation') checkObligation(source, onEntry, form.obligation, verdict);
  else if (form.t === 'metric') checkMetric(source, fields);
  else checkEnforceable(source, onEntry, patterns, form, verdict);
  const modeEntry = fields.get('mode');
  const because = fields.get('because');
  const repair = fields.get('repair');
  const controls = fields.get('controls');
  return {
    id,
    on: patterns,
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
    source,
    lets,
  };
}

function readForm(
  source: Source,
  id: string,
  idEntry: MapEntry,
  fields: ReadonlyMap<string, MapEntry>,
  checks: ReadonlyMap<string, CheckDeclaration>,
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
    case 'flow': {
      const flow = readFlow(source, entry);
      return flow && { t: 'flow', flow };
    }
    case 'order': {
      const order = readOrder(source, entry);
      return order && { t: 'order', order };
    }
    case 'handoff': {
      const handoff = readHandoff(source, entry);
      return handoff && { t: 'handoff', handoff };
    }
    case 'check': {
      const check = readCheckRule(source, entry, checks);
      return check && { t: 'check', check };
    }
    case 'metric': {
      const metric = readMetric(source, entry);
      return metric && { t: 'metric', metric };
    }
    case 'then': {
      const obligation = readObligation(source, entry, fields);
      return obligation && { t: 'obligation', obligation };
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
    if (form.t === 'transform' && !HAVE_ARGS.includes(pattern.kind)) {
      source.error(
        'unenforceable',
        entry.node.range,
        `\`${pattern.text}\` has no arguments to change; \`transform\` is for calls, requests, hand-offs and memory writes`,
      );
      continue;
    }
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

function checkObligation(
  source: Source,
  entry: MapEntry,
  obligation: ObligationClause,
  verdict: string,
): void {
  const { event, withinMs } = obligation;
  if (event === null && withinMs === null) {
    source.error(
      'form',
      entry.keyRange,
      '`then` needs `before: { within: 60s }`, `before: { event: end }`, or both: by when is it owed?',
    );
  }
  if (event !== null && ENFORCEABILITY[event.kind] !== 'suppressable' && verdict !== 'halt') {
    source.error(
      'unenforceable',
      entry.node.range,
      `\`${event.text}\` has already happened when a verdict is given, so it cannot wait; choose an event that can be stopped, or \`otherwise: halt\``,
    );
  }
}

function patternsOf(source: Source, form: RuleForm, entry: MapEntry): readonly StepPattern[] {
  if (form.t === 'order') return orderPatterns(form.order);
  return form.t === 'handoff' ? form.handoff.on : readPatterns(source, entry);
}

/** A metric counts; what only a verdict needs does not belong to it. */
function checkMetric(source: Source, fields: ReadonlyMap<string, MapEntry>): void {
  for (const key of ['otherwise', 'approve', 'repair', 'mode'] as const) {
    const stray = fields.get(key);
    if (stray)
      source.error('form', stray.keyRange, `\`${key}\` is for rules with a verdict; a metric counts`);
  }
}

function orderPatterns(order: OrderClause): StepPattern[] {
  return [...order.states.values()].flatMap((moves) => moves.map((move) => move.pattern));
}
