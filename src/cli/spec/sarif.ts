// Problems and findings as SARIF 2.1.0 (OASIS, sections 3.13 to 3.55), the form that code review reads.
import { relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FINDING_CODES, type Finding } from '../../spec/analysis/index.ts';
import type { Problem } from '../../spec/index.ts';
import { ENGINE_VERSION } from '../../step/version.ts';
import type { Checked } from './check.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

export function sarifOf(checked: readonly Checked[]): object {
  const all = checked.flatMap(({ problems, findings }) => [...problems, ...findings]);
  const codes = [...new Set(all.map(({ code }) => code))].sort();
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'interlock', version: ENGINE_VERSION, rules: codes.map(descriptor) },
        },
        columnKind: 'utf16CodeUnits',
        artifacts: [...new Set([...checked, ...all].map(({ file }) => file))].map((file) => ({
          location: { uri: uriOf(file) },
        })),
        results: all.map((one) => resultOf(one, codes)),
      },
    ],
  };
}

function descriptor(code: string): object {
  const known = Object.hasOwn(FINDING_CODES, code) ? FINDING_CODES[code as Finding['code']] : null;
  return {
    id: code,
    shortDescription: { text: known?.text ?? `The spec does not check: ${code.replaceAll('-', ' ')}.` },
    defaultConfiguration: { level: known?.severity ?? 'error' },
  };
}

function resultOf(one: Problem | Finding, codes: readonly string[]): object {
  const { code, severity, message, suggestion, file, line, column, endColumn, excerpt } = one;
  const region = { startLine: line, startColumn: column, endColumn };
  const hint = suggestion === undefined ? '' : ` Did you mean \`${suggestion}\`?`;
  const other = 'other' in one ? one.other : undefined;
  // What is marked may be more than the word that is meant: then the suggestion is for a person.
  const replaces = suggestion !== undefined && /^[\w.-]+$/.test(excerpt.slice(column - 1, endColumn - 1));
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: `${message}${hint}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, region } }],
    ...(other === undefined
      ? {}
      : {
          relatedLocations: [
            {
              id: 0,
              message: { text: `Rule ${other.rule}` },
              physicalLocation: {
                artifactLocation: { uri: uriOf(other.file) },
                region: { startLine: other.line },
              },
            },
          ],
        }),
    ...(replaces
      ? {
          fixes: [
            {
              description: { text: `Write \`${suggestion}\`.` },
              artifactChanges: [
                {
                  artifactLocation: { uri: uriOf(file) },
                  replacements: [{ deletedRegion: region, insertedContent: { text: suggestion } }],
                },
              ],
            },
          ],
        }
      : {}),
  };
}

/** A URI reference: relative to where the command runs, with `/` on every system. */
function uriOf(file: string): string {
  const path = relative(process.cwd(), file);
  if (path.startsWith('..')) return pathToFileURL(file).href;
  return path.split(sep).map(encodeURIComponent).join('/');
}
