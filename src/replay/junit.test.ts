// The XML is read back by a strict little parser: what was put in comes out, and nothing is not well-formed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeXml, junitOf, type TestSuite } from './junit.ts';
import { type Element, parseXml } from './testing/xml.ts';

const SUITES: readonly TestSuite[] = [
  {
    name: 'refunds',
    file: 'refunds.yaml',
    cases: [
      { name: 'a small one', file: 'refunds.yaml', line: 3, failures: [] },
      {
        name: '"<&>\' and \n more',
        file: 'refunds.test.yaml',
        line: 9,
        failures: [
          {
            message: 'step 1: expected deny, found allow',
            text: 'refunds.test.yaml:11: <deny> & "allow"\nsecond line',
          },
          { message: 'step 2', text: 'refunds.test.yaml:12: other' },
        ],
      },
    ],
    errors: ['refunds.yaml:1:1 error test: no\n  at ]]> it'],
  },
  { name: 'empty', file: 'empty.yaml', cases: [], errors: [] },
];

test('suites, cases, failures and errors', () => {
  const root = parseXml(junitOf(SUITES));
  assert.deepEqual(
    [root.name, root.attributes],
    ['testsuites', { tests: '3', failures: '1', errors: '1', skipped: '0' }],
  );
  const [suite, empty] = root.children as [Element, Element];
  assert.deepEqual(suite.attributes, {
    name: 'refunds',
    file: 'refunds.yaml',
    tests: '3',
    failures: '1',
    errors: '1',
    skipped: '0',
  });
  assert.deepEqual(empty.children, []);
  const [passed, failed, broken] = suite.children as [Element, Element, Element];
  assert.deepEqual(passed.attributes, {
    classname: 'refunds',
    name: 'a small one',
    file: 'refunds.yaml',
    line: '3',
  });
  assert.deepEqual(passed.children, []);
  assert.equal(failed.attributes.name, '"<&>\' and \n more');
  assert.equal(failed.children.length, 1, 'one failure a case');
  assert.equal(failed.children[0]!.attributes.message, 'step 1: expected deny, found allow');
  assert.equal(
    failed.children[0]!.text,
    'refunds.test.yaml:11: <deny> & "allow"\nsecond line\nrefunds.test.yaml:12: other',
  );
  assert.equal(broken.children[0]!.name, 'error');
  assert.equal(broken.children[0]!.text, SUITES[0]!.errors[0]);
});

test('law: any text comes back, but for characters that XML does not have', () => {
  const isXml = (text: string) =>
    [...text].every((c) => {
      const code = c.codePointAt(0)!;
      return code > 31
        ? !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff
        : [9, 10, 13].includes(code);
    });
  const property = fc.property(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }),
    (name, message) => {
      const root = parseXml(
        junitOf([
          {
            name,
            file: name,
            cases: [{ name, file: name, line: 1, failures: [{ message, text: message }] }],
            errors: [],
          },
        ]),
      );
      const failure = root.children[0]!.children[0]!.children[0]!;
      if (isXml(name)) assert.equal(root.children[0]!.attributes.name, name);
      if (isXml(message)) assert.deepEqual([failure.attributes.message, failure.text], [message, message]);
      else assert.ok(escapeXml(message).includes('\ufffd'));
    },
  );
  fc.assert(property);
});
