// Reads the forms of a rule: limits, transforms, flows, orders, obligations, approvals. Pure; expressions stay text.
import { nearest } from '../step/nearest.ts';
import type {
  ApproveClause,
  Expression,
  FlowClause,
  LimitClause,
  ObligationClause,
  OrderClause,
  TransformClause,
} from './document.ts';
import { TRUST } from './document.ts';
import { parseDuration } from './duration.ts';
import { byExactness, PATTERN_WORDS, parsePattern, type StepPattern } from './pattern.ts';
import { readExpression } from './read.ts';
import { SHARED_SCOPES } from './shared.ts';
import { fieldsOf, type MapEntry, type Source, textOf, textsOf, toJson, wordOf } from './source.ts';

const LIMIT_KEYS = ['count', 'sum', 'max', 'per', 'of', 'window', 'by'];
const LIMIT_SCOPES = ['session', ...SHARED_SCOPES] as const;
const APPROVE_KEYS = ['by', 'quorum', 'not', 'expires', 'escalate'];
const ESCALATE_KEYS = ['after', 'to'];
const DEFAULT_APPROVE: ApproveClause = {
  by: ['reviewer'],
  quorum: 1,
  notPrincipal: false,
  expiresMs: 3_600_000,
};

export function expressionFrom(source: Source, entry: MapEntry | undefined, what: string): Expression | null {
  return entry ? readExpression(source, entry.node, what) : null;
}

export function readPatterns(source: Source, entry: MapEntry): StepPattern[] {
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

export function readLimit(source: Source, entry: MapEntry): LimitClause | null {
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
  const ofEntry = fields.get('of');
  const of = ofEntry ? wordOf(source, ofEntry.node, '`of`', LIMIT_SCOPES) : undefined;
  const perScope = LIMIT_SCOPES.find((word) => word === perText?.text.trim());
  if (of !== undefined && perScope !== undefined && of !== perScope)
    source.error(
      'scope',
      ofEntry!.keyRange,
      `\`per: ${perScope}\` says already which sessions share the limit`,
    );
  const byEntry = fields.get('by');
  return {
    count,
    sum,
    max,
    per: perScope === undefined ? perText : null,
    of: of ?? perScope ?? 'session',
    windowMs: durationFrom(source, fields.get('window'), '`window`'),
    by: (byEntry && wordOf(source, byEntry.node, '`by`', ['success', 'attempt'] as const)) ?? 'success',
  };
}

export function readTransform(source: Source, entry: MapEntry): TransformClause | null {
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
  // The order of keys means nothing: a whole is set before its parts.
  set.sort((a, b) => a.path.length - b.path.length || (a.path.join('.') < b.path.join('.') ? -1 : 1));
  return { set, drop };
}

function argumentPath(source: Source, text: string, entry: MapEntry): string[] | null {
  const parts = text.split('.');
  if (parts[0] === 'args' && parts.length > 1 && parts.every((part) => part !== '')) return parts.slice(1);
  source.error('path', entry.keyRange, `\`${text}\` is not a path into the arguments, e.g. \`args.amount\``);
  return null;
}

export function readApprove(source: Source, entry: MapEntry | undefined): ApproveClause {
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
  const expiresMs = durationFrom(source, fields.get('expires'), '`expires`') ?? DEFAULT_APPROVE.expiresMs;
  const escalate = readEscalate(source, fields.get('escalate'), expiresMs);
  return {
    by: roles.length > 0 ? roles : DEFAULT_APPROVE.by,
    quorum,
    notPrincipal: not !== undefined,
    expiresMs,
    ...(escalate === null ? {} : { escalate }),
  };
}

function readEscalate(
  source: Source,
  entry: MapEntry | undefined,
  expiresMs: number,
): NonNullable<ApproveClause['escalate']> | null {
  const fields = entry ? fieldsOf(source, entry.node, '`escalate`', ESCALATE_KEYS) : undefined;
  if (!entry || !fields) return null;
  const afterMs = durationFrom(source, fields.get('after'), '`after`');
  const to = fields.get('to');
  const roles = to ? textsOf(source, to.node, '`to`') : [];
  if (!fields.has('after') || roles.length === 0)
    source.error('type', entry.keyRange, '`escalate` needs `after`, a duration, and `to`, roles');
  if (afterMs !== null && afterMs >= expiresMs)
    source.error(
      'type',
      entry.keyRange,
      'the hold expires before it escalates: `after` is shorter than `expires`',
    );
  return afterMs === null || roles.length === 0 ? null : { afterMs, to: roles };
}

function numberFrom(source: Source, entry: MapEntry | undefined, what: string): number | null {
  if (!entry) return null;
  const value = toJson(entry.node);
  if (typeof value === 'number' && value >= 0) return value;
  source.error('type', entry.node.range, `${what} must be a number of at least 0`);
  return null;
}

export function durationFrom(source: Source, entry: MapEntry | undefined, what: string): number | null {
  if (!entry) return null;
  const text = textOf(source, entry.node, what);
  const ms = text === undefined ? null : parseDuration(text);
  if (ms === null || ms <= 0) {
    source.error('type', entry.node.range, `${what} must be a duration such as 30m, 24h or 7d`);
    return null;
  }
  return ms;
}

export function readFlow(source: Source, entry: MapEntry): FlowClause | null {
  const fields = fieldsOf(source, entry.node, '`flow`', ['from', 'track', 'in', 'free']);
  const fromEntry = fields?.get('from');
  if (!fields || !fromEntry) {
    if (fields)
      source.error(
        'missing',
        entry.keyRange,
        '`flow` needs `from`: { labels: [...] }, { trust: untrusted } or { tools: [...] }',
      );
    return null;
  }
  const from = fieldsOf(source, fromEntry.node, '`from`', ['labels', 'trust', 'tools']);
  if (!from) return null;
  const labels = from.get('labels');
  const tools = from.get('tools');
  const trust = from.get('trust');
  const word = trust ? wordOf(source, trust.node, '`trust`', TRUST) : undefined;
  if (word === 'trusted')
    source.error('type', trust!.node.range, 'a flow starts from untrusted content, a label or a tool');
  if (from.size === 0)
    source.error('missing', fromEntry.keyRange, '`from` names labels, tools or `trust: untrusted`');
  const track = fields.get('track');
  const free = fields.get('free');
  return {
    from: {
      labels: labels ? textsOf(source, labels.node, '`labels`') : [],
      untrusted: word === 'untrusted',
      tools: tools ? textsOf(source, tools.node, '`tools`') : [],
    },
    track: (track && wordOf(source, track.node, '`track`', ['context', 'value'] as const)) ?? 'value',
    in: expressionFrom(source, fields.get('in'), '`in`'),
    free: free ? textsOf(source, free.node, '`free`') : [],
    range: entry.node.range,
  };
}

const MAX_STATES = 200;

export function readOrder(source: Source, entry: MapEntry): OrderClause | null {
  const fields = fieldsOf(source, entry.node, '`order`', ['start', 'states']);
  const startEntry = fields?.get('start');
  const statesEntry = fields?.get('states');
  if (!fields || !startEntry || statesEntry?.node.t !== 'map') {
    if (fields)
      source.error(
        'missing',
        entry.keyRange,
        '`order` needs `start: STATE` and `states: { STATE: { "call search": NEXT } }`',
      );
    return null;
  }
  const start = textOf(source, startEntry.node, '`start`');
  const states = new Map<string, { pattern: StepPattern; to: string }[]>();
  const names = statesEntry.node.entries.map((state) => state.key);
  if (names.length > MAX_STATES)
    source.error('too-many', statesEntry.keyRange, `more than ${MAX_STATES} states`);
  const known = (name: string | undefined, at: MapEntry) => {
    if (name === undefined || names.includes(name)) return;
    source.error(
      'order',
      at.node.range,
      `\`${name}\` is no state; there are ${names.join(', ')}`,
      nearest(name, names) ?? undefined,
    );
  };
  known(start, startEntry);
  for (const state of statesEntry.node.entries) {
    const moves: { pattern: StepPattern; to: string }[] = [];
    if (state.node.t === 'scalar' && state.node.value === null) {
      states.set(state.key, moves);
      continue;
    }
    if (state.node.t !== 'map') {
      source.error(
        'type',
        state.node.range,
        `state \`${state.key}\` maps step patterns to the state they lead to`,
      );
      continue;
    }
    for (const move of state.node.entries) {
      const parsed = parsePattern(move.key);
      const to = textOf(source, move.node, `\`${move.key}\``);
      known(to, move);
      if (!('pattern' in parsed))
        source.error(
          'pattern',
          move.keyRange,
          parsed.message,
          nearest(parsed.word, PATTERN_WORDS) ?? undefined,
        );
      else if (to !== undefined) moves.push({ pattern: parsed.pattern, to });
    }
    // The order of keys means nothing: what is more exact comes first.
    states.set(
      state.key,
      moves.sort((a, b) => byExactness(a.pattern, b.pattern)),
    );
  }
  return start === undefined ? null : { start, states };
}

export function readObligation(
  source: Source,
  entry: MapEntry,
  fields: ReadonlyMap<string, MapEntry>,
): ObligationClause | null {
  const then = readPatterns(source, entry);
  const before = fields.get('before');
  const terms = before ? fieldsOf(source, before.node, '`before`', ['within', 'event']) : null;
  const event = terms?.get('event');
  if (then.length !== 1) {
    if (then.length > 1) source.error('type', entry.node.range, '`then` is one step pattern');
    return null;
  }
  return {
    due: then[0]!,
    where: expressionFrom(source, fields.get('where'), '`where`'),
    withinMs: durationFrom(source, terms?.get('within'), '`within`'),
    event: event ? (readPatterns(source, event)[0] ?? null) : null,
  };
}
