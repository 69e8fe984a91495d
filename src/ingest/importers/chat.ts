// OpenAI chat transcripts, one session a line: `{ id, agent, domain, messages: [...], labels }`.
// Reads today's `tool_calls`, the older `function_call`, content as text or parts, and Responses items. No I/O.
import { parseJsonText } from '../../step/json.ts';
import type { Agent, Step } from '../../step/types.ts';
import { buildSession, isPlain, type Recorded, type SessionBuilder } from './builder.ts';
import {
  callArguments,
  contentText,
  type Fields,
  isObject,
  otherFields,
  rawArguments,
  text,
  timeMs,
} from './fields.ts';
import type { Import, Where } from './types.ts';

const KNOWN = new Set(['id', 'agent', 'messages', 'principal', 'tenant']);

/** One line of a chat transcript as a session. What a message says is never dropped: what cannot be read is a problem. */
export function importChat(line: string, where: Where): Import {
  const parsed = parseJsonText(line);
  if (!parsed.ok) {
    const { column, expected, found } = parsed.problem;
    return refuse(
      where,
      `not JSON at column ${column}: expected ${expected}, found ${found}`,
      'Write one JSON object a line.',
    );
  }
  const record = parsed.value;
  if (!isObject(record) || !Array.isArray(record.messages)) {
    return refuse(where, 'no "messages" list', 'A chat record is { "id", "agent", "messages": [...] }.');
  }
  const session = buildSession(
    {
      session: sessionId(record.id, where),
      agent: agentOf(record.agent),
      principal: plainText(record.principal),
      tenant: plainText(record.tenant),
      startMs: firstTime(record.messages),
    },
    where,
  );
  for (const [i, message] of (record.messages as readonly unknown[]).entries()) {
    if (isObject(message)) addMessage(session, message, i);
    else session.problem(`message ${i} is not an object`, 'A message is { "role", "content" }.');
  }
  return session.finish(otherFields(record, KNOWN));
}

function refuse(where: Where, what: string, mend: string): Import {
  return { session: null, problems: [{ ...where, what, mend }] };
}

function plainText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && isPlain(value) ? value : undefined;
}

/** The record's id, or the place it stands in when it has none. */
function sessionId(id: unknown, where: Where): string {
  if (Number.isSafeInteger(id)) return String(id);
  return plainText(id) ?? `${where.file.split(/[\\/]/).at(-1)}:${where.line}`.slice(-200);
}

function agentOf(agent: unknown): Agent {
  if (!isObject(agent)) return { name: plainText(agent) ?? 'unknown' };
  const version = plainText(agent.version);
  const name = plainText(agent.name) ?? 'unknown';
  return version === undefined ? { name } : { name, version };
}

function messageTime(message: Fields): number | undefined {
  return timeMs(message.timestamp ?? message.created_at ?? message.created);
}

function firstTime(messages: readonly unknown[]): number | undefined {
  for (const message of messages) {
    const ms = isObject(message) ? messageTime(message) : undefined;
    if (ms !== undefined) return ms;
  }
  return undefined;
}

function addMessage(session: SessionBuilder, message: Fields, index: number): void {
  const at: Recorded = {
    message: index,
    timeMs: messageTime(message),
  };
  switch (message.type) {
    case 'function_call':
      addCall(session, message.call_id ?? message.id, message.name, message.arguments, at);
      return;
    case 'function_call_output':
      session.addResult(message.call_id, message.name, contentText(message.output) ?? '', at);
      return;
    case 'reasoning':
      session.add('model.response', 'reasoning', {
        ...at,
        content: contentText(message.summary ?? message.content) ?? '',
      });
      return;
  }
  switch (message.role) {
    case 'system':
    case 'developer':
      session.add('input', 'system', { ...at, content: contentText(message.content) ?? '' });
      return;
    case 'user':
      session.add('input', 'user', { ...at, content: contentText(message.content) ?? '' });
      return;
    case 'assistant':
      addAssistant(session, message, at);
      return;
    case 'tool':
    case 'function':
      session.addResult(message.tool_call_id, message.name, contentText(message.content) ?? '', at);
      return;
  }
  session.problem(
    `message ${index} has the role ${JSON.stringify(message.role) ?? 'nothing'}`,
    'Roles are system, developer, user, assistant, tool; it is replayed as input of unknown origin.',
  );
  session.add('input', 'other', { ...at, content: contentText(message.content) ?? '' });
}

/** What the model said, then the calls it made in the same turn, in their order. */
function addAssistant(session: SessionBuilder, message: Fields, at: Recorded): void {
  const thought = contentText(message.reasoning_content);
  if (thought) session.add('model.response', 'reasoning', { ...at, content: thought });
  const said = contentText(message.content) || text(message.refusal);
  if (said) session.add('output', '', { ...at, content: said });
  const calls: readonly unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  for (const call of calls) {
    const details = isObject(call) ? (call.function ?? call.custom ?? call) : undefined;
    if (!isObject(call) || !isObject(details)) {
      session.problem(
        `message ${at.message} has a tool call that is not an object`,
        'A call is { "id", "function" }.',
      );
      continue;
    }
    addCall(session, call.id, details.name, details.arguments ?? details.input ?? details.args, at);
  }
  if (isObject(message.function_call)) {
    addCall(session, undefined, message.function_call.name, message.function_call.arguments, at);
  }
}

/** A call whose arguments cannot be read is still a call: it keeps their text and says so. */
export function addCall(
  session: SessionBuilder,
  id: unknown,
  name: unknown,
  raw: unknown,
  at: Recorded,
): void {
  const args = callArguments(raw);
  if (args !== null) {
    session.addCall(id, name, { ...at, args });
    return;
  }
  session.addCall(id, name, { ...at, args: {}, content: rawArguments(raw), error: MALFORMED_ARGUMENTS });
}

const MALFORMED_ARGUMENTS: NonNullable<Step['error']> = {
  message: 'the arguments are not one JSON object with distinct keys',
  type: 'malformed-arguments',
};
