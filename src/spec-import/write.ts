// Writes an imported spec: its head, each rule below the words that say where it comes from, its examples. Pure.
import { stringify } from 'yaml';
import type { Json, JsonObject } from '../step/types.ts';
import type { ImportedRule, Remark } from './types.ts';

export interface ImportedSpec {
  readonly comment: string;
  readonly head: JsonObject;
  readonly rules: readonly ImportedRule[];
  readonly tests: readonly JsonObject[];
  readonly remarks: readonly Remark[];
}

export function writeSpec({ comment, head, rules, tests, remarks }: ImportedSpec): string {
  const list = (kind: Remark['kind'], words: string) => {
    const those = remarks.filter((remark) => remark.kind === kind);
    const lines = those.map(({ file, line, message }) => `- ${baseOf(file)}:${line} ${message}`);
    return lines.length === 0 ? [] : ['', words, ...lines];
  };
  const notExact = [
    ...list('missing', 'NOT IN THIS SPEC:'),
    ...list('stricter', 'Stricter than the source:'),
  ];
  const parts = [comments([comment, ...notExact].join('\n'), ''), yaml({ interlock: 1, ...head })];
  if (rules.length > 0) parts.push(`\nrules:\n${rules.map(writeRule).join('')}`);
  if (tests.length > 0) parts.push(`\n${yaml({ tests })}`);
  return parts.join('');
}

function writeRule({ comment, rule }: ImportedRule): string {
  return comments(comment, '  ') + indent(yaml([rule]));
}

function yaml(value: Json): string {
  return stringify(value, { lineWidth: 110, aliasDuplicateObjects: false });
}

/** Text of the source in a comment stays in it, whatever it holds. */
function comments(text: string, margin: string): string {
  if (text === '') return '';
  const lines = text.split(/[\n\r\u0085\u2028\u2029]/);
  return lines.map((line) => `${`${margin}# ${clean(line)}`.trimEnd()}\n`).join('');
}

function clean(line: string): string {
  let out = '';
  for (const c of line) {
    const code = c.codePointAt(0)!;
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? '�' : c;
  }
  return out;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function baseOf(file: string): string {
  return file.split('/').at(-1) ?? file;
}
