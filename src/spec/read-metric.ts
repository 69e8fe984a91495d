// Reads `metric`: a rate over steps with an error budget. It gives no verdict. Pure; expressions stay text.
import type { MetricClause } from './document.ts';
import { expressionFrom } from './read-forms.ts';
import { fieldsOf, type MapEntry, type Source, type SourceNode, toJson } from './source.ts';

/** How sure the drift test must be: one false alarm in a hundred metrics that keep their budget. */
const DEFAULT_ALARM = 0.01;

export function readMetric(source: Source, entry: MapEntry): MetricClause | null {
  const fields = fieldsOf(source, entry.node, '`metric`', ['bad', 'budget', 'alarm']);
  if (!fields) return null;
  const bad = expressionFrom(source, fields.get('bad'), '`bad`');
  const budget = shareOf(source, fields.get('budget'), '`budget`');
  if (bad === null || budget === null) {
    if (!fields.has('bad') || !fields.has('budget'))
      source.error('missing', entry.keyRange, '`metric` needs `bad: EXPRESSION` and `budget: 1%`');
    return null;
  }
  const alarm = fields.get('alarm');
  return {
    bad,
    budget,
    alarm: (alarm && shareOf(source, alarm, '`alarm`')) ?? DEFAULT_ALARM,
  };
}

/** A share strictly between 0 and 1: `1%`, or `0.01`. */
function shareOf(source: Source, entry: MapEntry | undefined, what: string): number | null {
  if (!entry) return null;
  const share = parseShare(entry.node);
  if (share !== null && share > 0 && share < 1) return share;
  source.error('type', entry.node.range, `${what} is a share above 0 and below 1, such as 1% or 0.01`);
  return null;
}

function parseShare(node: SourceNode): number | null {
  const value = toJson(node);
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !value.endsWith('%')) return null;
  const percent = Number(value.slice(0, -1));
  return value.length > 1 && Number.isFinite(percent) ? percent / 100 : null;
}
