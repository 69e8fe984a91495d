// Reads `handoff`: who may hand what to whom, and what must be so first. Pure; expressions stay text.
import type { HandoffClause } from './document.ts';
import { parsePattern, type StepPattern } from './pattern.ts';
import { readBoolean } from './read.ts';
import { expressionFrom } from './read-forms.ts';
import { fieldsOf, type MapEntry, type Source, textsOf, toJson } from './source.ts';

const KEYS = ['to', 'allow', 'input', 'proven', 'settled'];
const MAX_AGENTS = 500;

export function readHandoff(source: Source, entry: MapEntry): HandoffClause | null {
  const fields = fieldsOf(source, entry.node, '`handoff`', KEYS);
  if (!fields) return null;
  const to = fields.get('to');
  const receivers = to ? textsOf(source, to.node, '`to`') : ['*'];
  const on = receivers.flatMap((name): StepPattern[] => {
    const parsed = parsePattern(`handoff ${name}`);
    if ('pattern' in parsed && parsed.pattern.name.t === 'glob') return [parsed.pattern];
    source.error('pattern', to!.node.range, `\`${name}\` is no name of an agent, nor a glob`);
    return [];
  });
  const input = fields.get('input');
  const clause: HandoffClause = {
    on,
    allow: readAllow(source, fields.get('allow')),
    input: input ? toJson(input.node) : null,
    proven: expressionFrom(source, fields.get('proven'), '`proven`'),
    settled: readBoolean(source, fields.get('settled'), '`settled`', false),
  };
  if (clause.allow || clause.input !== null || clause.proven || clause.settled) return clause;
  source.error(
    'missing',
    entry.keyRange,
    '`handoff` needs `allow: { triage: [billing] }`, `input`, `proven` or `settled: true`',
  );
  return null;
}

function readAllow(source: Source, entry: MapEntry | undefined): HandoffClause['allow'] {
  if (!entry) return null;
  if (entry.node.t !== 'map' || entry.node.entries.length > MAX_AGENTS) {
    source.error(
      'type',
      entry.node.range,
      '`allow` maps each agent to those it may hand to: { triage: [billing, refunds] }',
    );
    return null;
  }
  return new Map(
    entry.node.entries.map(({ key, node }) => [key, textsOf(source, node, `\`${key}\``)] as const),
  );
}
