// Example sessions as JUnit XML, in the subset that CI systems agree on: suites, cases, failures, errors. Pure.

export interface TestCase {
  readonly name: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** What was not as expected; none: it passed. */
  readonly failures: readonly { readonly message: string; readonly text: string }[];
}

export interface TestSuite {
  readonly name: string;
  readonly file: string;
  readonly cases: readonly TestCase[];
  /** Why examples could not be run. */
  readonly errors: readonly string[];
}

/** One `testsuite` per spec; examples that could not be run are one case with an `error` each. No times: they are not repeatable. */
export function junitOf(suites: readonly TestSuite[]): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', open('testsuites', totalsOf(suites))];
  for (const suite of suites) {
    const { name, file, cases, errors } = suite;
    lines.push(`  ${open('testsuite', { name, file, ...totalsOf([suite]) })}`);
    for (const one of cases) lines.push(...caseOf(name, one));
    for (const error of errors)
      lines.push(
        `    ${open('testcase', { classname: name, name: 'the spec can be tested', file })}`,
        `      ${open('error', { message: firstLine(error), type: 'problem' })}${escapeXml(error)}</error>`,
        '    </testcase>',
      );
    lines.push('  </testsuite>');
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

function totalsOf(suites: readonly TestSuite[]): Record<string, string | number> {
  const cases = suites.flatMap((suite) => suite.cases);
  const errors = suites.flatMap((suite) => suite.errors).length;
  const failures = cases.filter((one) => one.failures.length > 0).length;
  return { tests: cases.length + errors, failures, errors, skipped: 0 };
}

function caseOf(classname: string, { name, file, line, failures }: TestCase): string[] {
  const start = open('testcase', { classname, name, file, line });
  if (failures.length === 0) return [`    ${start.slice(0, -1)}/>`];
  // One `failure` a case is all that some readers take: the first names it, the text has the others.
  const text = failures.map((failure) => failure.text).join('\n');
  const failure = open('failure', { message: failures[0]!.message, type: 'verdict' });
  return [`    ${start}`, `      ${failure}${escapeXml(text)}</failure>`, '    </testcase>'];
}

function open(tag: string, attributes: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${attributeXml(String(value))}"`);
  return `<${tag}${pairs.join('')}>`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** A reader turns line ends and tabs of an attribute into spaces unless they are written as references (section 3.3.3). */
function attributeXml(text: string): string {
  return escapeXml(text).replace(/[\t\n]/g, (space) => `&#${space.charCodeAt(0)};`);
}

/** Characters that XML 1.0 does not have (section 2.2) become U+FFFD. */
export function escapeXml(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const entity = ENTITIES[character];
    if (entity !== undefined) out += entity;
    else if (code === 13) out += '&#13;';
    else if (
      (code < 32 && code !== 9 && code !== 10) ||
      (code >= 0xd800 && code <= 0xdfff) ||
      code === 0xfffe ||
      code === 0xffff
    )
      out += '\ufffd';
    else out += character;
  }
  return out;
}
