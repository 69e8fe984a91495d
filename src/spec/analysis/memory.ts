// What a rule makes the monitor remember, and how much that can become: read off the rule compiled alone, so that it is
// what is really kept (src/spec/view.ts, src/monitor/remember.ts). Pure.
import { compileProgram } from '../compile.ts';
import type { RuleClause, SpecDocument } from '../document.ts';
import { showDuration } from '../duration.ts';
import type { RulePlan } from '../program.ts';
import { Source } from '../source.ts';
import { MAX_CELLS, MAX_ENTRIES, type ViewPlan } from '../view.ts';
import { textOfShape } from './shape-text.ts';

/** The monitor's own limits: past them a rule cannot be decided, and fires. */
export interface StateBounds {
  /** Keys one limit may track. */
  readonly slotsMax: number;
  /** Calls one windowed counter may remember. */
  readonly windowEntriesMax: number;
  /** Duties one obligation may have open. */
  readonly dutiesMax: number;
  /** Held acts that may wait for an answer. */
  readonly holdsMax: number;
  /** Tokens, and pairs of them, whose origin is remembered. */
  readonly originsMax: number;
  /** Keys that all histories wider than a session may have. */
  readonly sharedCellsMax: number;
}

/** One thing that is kept. */
export interface Kept {
  readonly what: 'history' | 'limit' | 'obligation' | 'order' | 'context' | 'origins' | 'holds';
  /** The steps, limit or content it is about. */
  readonly of: string;
  readonly scope: 'session' | 'principal' | 'agent' | 'tenant';
  /** Expressions whose values it is kept by; none: once. */
  readonly keys: readonly string[];
  readonly keysMax: number;
  /** Entries of constant size that each key may have. */
  readonly entriesPerKeyMax: number;
  /** Milliseconds after which an entry is let go; null: none is. */
  readonly windowMs: number | null;
}

export interface RuleMemory {
  readonly rule: string;
  /** `constant`: does not grow. `window`: grows with the steps in a window. `keys`: grows with the values of its keys, or what is open. */
  readonly grows: 'constant' | 'window' | 'keys';
  /** In words. */
  readonly bound: string;
  readonly kept: readonly Kept[];
}

/** What each rule keeps; a spec that checks has one for each. */
export function memoriesOf(document: SpecDocument, bounds: StateBounds): RuleMemory[] {
  // Schemas give types, and no type changes what is kept: compiling them once more for each rule would be in vain.
  const tools = [...document.tools].map(
    ([name, tool]) => [name, { ...tool, input: null, output: null }] as const,
  );
  const bare = { ...document, tools: new Map(tools) };
  return document.rules.map((rule) => memoryOf(rule, bare, bounds)).filter((memory) => memory !== null);
}

function memoryOf(rule: RuleClause, document: SpecDocument, bounds: StateBounds): RuleMemory | null {
  // Its problems, if any, are those of the whole spec and reported there.
  const program = compileProgram(
    new Source(rule.source.file, rule.source.text, [], rule.source.engines),
    { ...document, rules: [rule] },
    { canonical: '', digest: '' },
  );
  if (program === null) return null;
  const plan = program.rules[0];
  const kept = [
    ...[...program.views, ...program.sharedViews].map((view) => historyOf(view, bounds)),
    ...(plan === undefined ? [] : formOf(rule, plan, bounds)),
    ...(program.usesOrigins ? [table('origins', 'tokens of what came in', bounds.originsMax)] : []),
    ...(plan?.verdict === 'hold' ? [table('holds', 'held acts', bounds.holdsMax)] : []),
  ];
  return { rule: rule.id, grows: growthOf(kept), bound: wordsFor(kept), kept };
}

function historyOf(view: ViewPlan, { sharedCellsMax }: StateBounds): Kept {
  return {
    what: 'history',
    of: view.pattern.text,
    scope: view.shared?.scope ?? 'session',
    keys: keysOf(view),
    keysMax: view.keys.length === 0 ? 1 : view.shared === null ? MAX_CELLS : sharedCellsMax,
    entriesPerKeyMax: view.entries ? MAX_ENTRIES : 1,
    windowMs: view.windowMs,
  };
}

/** A view is named by what it remembers (src/spec/past.ts): its keys are in its name. */
function keysOf(view: ViewPlan): string[] {
  const remembered = (JSON.parse(view.identity) as [string, string[]])[1];
  return remembered.filter((part) => part.startsWith('key ')).map((part) => textOfShape(part.slice(4)));
}

function formOf(rule: RuleClause, plan: RulePlan, bounds: StateBounds): Kept[] {
  const { form } = plan;
  const once = { scope: 'session', keys: [], keysMax: 1, entriesPerKeyMax: 1, windowMs: null } as const;
  switch (form.t) {
    case 'limit': {
      const { limit } = form;
      // What is denied is not counted, and whole calls fill a count: then there are no more entries than it allows.
      const exact = limit.sum === null && plan.mode === 'enforce' && plan.verdict === 'deny';
      const counted = exact ? Math.floor(limit.max) : bounds.windowEntriesMax;
      return [
        {
          ...once,
          what: 'limit',
          of: limit.text,
          scope: limit.shared?.scope ?? 'session',
          keys:
            rule.form.t === 'limit' && rule.form.limit.per !== null ? [rule.form.limit.per.text.trim()] : [],
          keysMax: limit.key === null && limit.shared === null ? 1 : bounds.slotsMax,
          entriesPerKeyMax: limit.windowMs === null ? 1 : Math.min(counted, bounds.windowEntriesMax),
          windowMs: limit.windowMs,
        },
      ];
    }
    case 'order':
      return [{ ...once, what: 'order', of: `${form.order.states.size} states` }];
    case 'flow':
      return form.flow.track === 'context' ? [{ ...once, what: 'context', of: form.flow.text }] : [];
    case 'obligation':
      return [
        {
          ...once,
          what: 'obligation',
          of: form.obligation.due.text,
          keys: [],
          entriesPerKeyMax: bounds.dutiesMax,
        },
      ];
    default:
      return [];
  }
}

/** What all rules of the spec keep together. */
function table(what: 'origins' | 'holds', of: string, entriesPerKeyMax: number): Kept {
  return { what, of, scope: 'session', keys: [], keysMax: 1, entriesPerKeyMax, windowMs: null };
}

function growthOf(kept: readonly Kept[]): RuleMemory['grows'] {
  if (kept.some((item) => item.keysMax > 1 || (item.entriesPerKeyMax > 1 && item.windowMs === null)))
    return 'keys';
  return kept.some((item) => item.entriesPerKeyMax > 1) ? 'window' : 'constant';
}

function wordsFor(kept: readonly Kept[]): string {
  const parts = kept.filter((item) => !isConstant(item)).map(wordsOf);
  if (parts.length === 0) return kept.length === 0 ? 'nothing' : 'O(1)';
  return [...new Set(parts)].join('; ');
}

function isConstant({ keysMax, entriesPerKeyMax }: Kept): boolean {
  return keysMax === 1 && entriesPerKeyMax === 1;
}

function wordsOf({ what, of, scope, keys, keysMax, entriesPerKeyMax, windowMs }: Kept): string {
  const most = entriesPerKeyMax.toLocaleString('en');
  if (what === 'origins' || what === 'holds') return `≤ ${most} ${of} (one table for all rules)`;
  if (what === 'obligation') return `1 entry per \`${of}\` owed, at most ${most} open`;
  const owners = [...keys, ...(scope === 'session' ? [] : [scope])];
  const whose = owners.length === 0 ? '' : ` per ${owners.join(' and ')}`;
  const entries = entriesPerKeyMax === 1 ? '1 entry' : `≤ ${most} entries`;
  const within = windowMs !== null && entriesPerKeyMax > 1 ? ` in ${showDuration(windowMs)}` : '';
  const grows = keysMax === 1 ? '' : `, at most ${keysMax.toLocaleString('en')} keys`;
  return `${entries}${whose}${within}${grows}`;
}
