// What was said, out of the shapes dialects give messages: the text of an answer, the words of a user. Pure.
import type { Span } from '../../engine/types.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { define, type Fillable } from '../otlp/values.ts';
import { isObject, unwrapJson, unwrapStructure } from './json-text.ts';
import type { Dialect } from './types.ts';

/** Parts that are not the answer itself. */
const SILENT_TYPES: readonly Json[] = [
  'reasoning',
  'thinking',
  'tool_call',
  'tool_call_response',
  'tool-call',
];
/** Members that hold what a message says, the nearest to its text first. */
const SPEAKING_MEMBERS = [
  'text',
  'content',
  'contents',
  'parts',
  'message',
  'object',
  'output',
  'candidates',
];
const ASKING_MEMBERS = ['messages', 'prompt', 'new_message', 'input', 'query', 'question', 'contents'];

/** The text of messages, of their parts, or of one of them; '' where there is none. */
export function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    return value
      .map(textOf)
      .filter((text) => text !== '')
      .join('\n');
  }
  if (!isObject(value) || SILENT_TYPES.includes(value.type ?? null)) return '';
  for (const member of SPEAKING_MEMBERS) {
    const text = textOf(value[member]);
    if (text !== '') return text;
  }
  return '';
}

/** What the user said last, out of a prompt in any shape; '' where no user speaks. */
export function askedBy(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    // Some writers give tool results the role of the user too: those say nothing, and are passed over.
    const users = value.filter((message) => isObject(message) && message.role === 'user').map(textOf);
    return users.findLast((text) => text !== '') ?? '';
  }
  if (!isObject(value)) return '';
  for (const member of ASKING_MEMBERS) {
    const asked = askedBy(value[member]);
    if (asked !== '') return asked;
  }
  return textOf(value);
}

/** Messages a span carries as events, as the older GenAI conventions have it; undefined where it has none. */
export function messagesOfEvents(
  span: Span,
  dialect: Dialect,
  field: 'model.input' | 'model.output',
): Json | undefined {
  const messages: Json[] = [];
  for (const { name, attributes } of span.events) {
    if (dialect.messageEvents[name] === field) messages.push(message(name, attributes));
  }
  for (const attribute of dialect.messageEventLists) {
    const list = unwrapJson(span.attributes[attribute] ?? null);
    if (!Array.isArray(list)) continue;
    for (const event of list) {
      if (!isObject(event)) continue;
      const name = event['event.name'];
      if (typeof name === 'string' && dialect.messageEvents[name] === field)
        messages.push(message(name, event));
    }
  }
  return messages.length === 0 ? undefined : messages;
}

/** The role is the middle of the event's name (`gen_ai.user.message`) unless the event says another. */
function message(event: string, attributes: JsonObject): JsonObject {
  const copy: Fillable = event.endsWith('.message') ? { role: event.split('.')[1] ?? '' } : {};
  for (const key of Object.keys(attributes)) {
    if (key !== 'event.name') define(copy, key, unwrapStructure(attributes[key]!));
  }
  return copy;
}
