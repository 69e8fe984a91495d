// OpenAI chat transcripts, one session a line: `{ id, agent, domain, messages: [...], labels }`.
// Reads today's `tool_calls`, the older `function_call`, content as text or parts, and Responses items. No I/O.
import { buildSession, type Recorded, type SessionBuilder } from './builder.ts';
import { contentText, type Fields, isObject, otherFields, text, timeMs } from './fields.ts';
import { agentOf, plainText, readRecord, recordId, unreadable } from './record.ts';
import type { Import, Where } from './types.ts';

const KNOWN = new Set(['id', 'agent', 'messages', 'principal', 'tenant']);

/** One line of a chat transcript as a session. What a message says is never dropped: what cannot be read is a problem. */
export function importChat(line: string, where: Where): Import {
  const read = readRecord(line, where);
  if (!read.ok) return unreadable(read.problem);
  const { record } = read;
  if (!Array.isArray(record.messages)) {
    const mend = 'A chat record is { "id", "agent", "messages": [...] }.';
    return unreadable({ ...where, what: 'no "messages" list', mend });
  }
  const session = buildSession(
    {
      session: recordId(record.id, where),
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
      session.addCall(message.call_id ?? message.id, message.name, message.arguments, at);
      return;
    case 'function_call_output':
      session.addResult(message.call_id, message.name, contentText(message.output) ?? '', at);
      return;
    case 'reasoning':
      session.addThought({
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
    'Roles are system, developer, user, assistant, tool; it is replayed as untrusted content.',
  );
  session.add('retrieval', 'other', { ...at, content: contentText(message.content) ?? '' });
}

/** What the model said, then the calls it made in the same turn, in their order. */
function addAssistant(session: SessionBuilder, message: Fields, at: Recorded): void {
  const thought = contentText(message.reasoning_content);
  if (thought) session.addThought({ ...at, content: thought });
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
    session.addCall(call.id, details.name, details.arguments ?? details.input ?? details.args, at);
  }
  if (isObject(message.function_call)) {
    session.addCall(undefined, message.function_call.name, message.function_call.arguments, at);
  }
}
