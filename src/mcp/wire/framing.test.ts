// Lines and events come out the same however their bytes are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineTooLong, lineSplitter } from './lines.ts';
import { EventTooLong, messageEvent, sseSplitter, withData } from './sse.ts';

/** Cuts at the given places. */
function cut<T extends { slice(from: number, to: number): T; length: number }>(
  whole: T,
  at: readonly number[],
): T[] {
  const places = [0, ...at.map((n) => n % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((to, i) => whole.slice(places[i]!, to));
}

test('lines are the same for every way of cutting their bytes', () => {
  const line = fc
    .string({ unit: 'binary', maxLength: 20 })
    .map((text) => text.toWellFormed().replaceAll(/[\r\n]/g, ''));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 6 }), (lines, at) => {
      const split = lineSplitter(1_000);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'utf8');
      assert.deepEqual(
        cut(bytes, at).flatMap((part) => split(part as Buffer)),
        lines,
      );
    }),
  );
});

test('events are the same for every way of cutting their text, with every line end', () => {
  const field = fc.constantFrom(
    'data: {"a":1}',
    'data:x',
    'data',
    ': note',
    'id: 7',
    'retry: 5',
    'event: message',
  );
  const end = fc.constantFrom('\n', '\r\n', '\r');
  const event = fc.tuple(fc.array(field, { minLength: 1, maxLength: 4 }), end);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 6 }), (events, at) => {
      const text = `${events.map(([fields, end]) => fields.map((line) => line + end).join('') + end).join('')}: end\n`;
      const whole = sseSplitter(10_000)(text);
      const split = sseSplitter(10_000);
      assert.deepEqual(
        cut(text as never, at).flatMap((part) => split(part as never)),
        whole,
      );
      assert.equal(whole.length, events.length);
      assert.ok(text.startsWith(whole.map(({ raw }) => raw).join('')));
    }),
  );
});

test('an event keeps its id and retry when its data is replaced', () => {
  const [event] = sseSplitter(1_000)('id: 4\nretry: 10\ndata: {"a":\ndata: 1}\n\n');
  assert.equal(event?.data, '{"a":\n1}');
  assert.equal(withData(event!, '{}'), 'id: 4\nretry: 10\ndata: {}\n\n');
  assert.equal(messageEvent('{}'), 'event: message\ndata: {}\n\n');
});

test('what has no end is not kept without limit', () => {
  const lines = lineSplitter(100);
  assert.throws(() => {
    for (;;) lines(Buffer.from('xxxxxxxxxx'));
  }, LineTooLong);
  assert.throws(() => lineSplitter(10)(Buffer.from('xxxxxxxxxxxxxxxx\n')), LineTooLong);
  const events = sseSplitter(100);
  assert.throws(() => {
    for (;;) events('data: xxxxxx\n');
  }, EventTooLong);
});
