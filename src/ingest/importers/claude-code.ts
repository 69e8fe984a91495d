// Claude Code session logs: JSON Lines, one event a line, tool calls and results as content blocks. No I/O.
// What the harness or another agent writes in the user's place is not the user's word: it becomes untrusted `retrieval`.
import type { Agent, Json, Usage } from '../../step/types.ts';
import { buildSession, type Recorded, type SessionBuilder } from './builder.ts';
import { callArguments, contentText, type Fields, isObject, text, timeMs } from './fields.ts';
import { fileStem, plainText, readRecord } from './record.ts';
import type { Import, ImportProblem } from './types.ts';

interface Log {
  readonly builder: SessionBuilder;
  readonly agent: Agent;
  /** Ids of model messages whose tokens have been counted: one message may be spread over several lines. */
  readonly counted: Set<string>;
}

/** A whole log file. Lines of several sessions are told apart by `sessionId`; a line that cannot be read is a problem. */
export function importClaudeCode(content: string, file: string): Import[] {
  const logs = new Map<string, Log>();
  const problems: ImportProblem[] = [];
  for (const [i, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = readRecord(line, { file, line: i + 1 });
    if (!read.ok) problems.push(read.problem);
    else if (typeof read.record.type !== 'string') {
      const mend = 'Each line of a Claude Code log has a "type", e.g. "user" or "assistant".';
      problems.push({ file, line: i + 1, what: 'no "type"', mend });
    } else if (read.record.message !== undefined || read.record.type === 'system') {
      addEvent(logOf(logs, read.record, file, i + 1), read.record, i);
    }
  }
  const sessions: Import[] = [...logs.values()].map(({ builder }) => builder.finish({}));
  return problems.length === 0 ? sessions : [...sessions, { session: null, problems }];
}

function logOf(logs: Map<string, Log>, event: Fields, file: string, line: number): Log {
  const session = plainText(event.sessionId) ?? fileStem(file);
  const known = logs.get(session);
  if (known !== undefined) {
    known.builder.moveTo(line);
    return known;
  }
  const version = plainText(event.version);
  const agent = version === undefined ? { name: 'claude-code' } : { name: 'claude-code', version };
  const builder = buildSession({ session, agent, startMs: timeMs(event.timestamp) }, { file, line });
  const log = { builder, agent, counted: new Set<string>() };
  logs.set(session, log);
  return log;
}

function addEvent(log: Log, event: Fields, index: number): void {
  const sidechain = event.isSidechain === true;
  const at: Recorded = {
    message: index,
    timeMs: timeMs(event.timestamp),
    agent: sidechain ? { ...log.agent, name: `${log.agent.name}/sidechain` } : undefined,
  };
  if (event.type === 'system') {
    const words = contentText(event.content);
    if (words) log.builder.add('retrieval', 'harness', { ...at, content: words });
    return;
  }
  const message = event.message;
  const content = isObject(message) ? message.content : undefined;
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (!Array.isArray(blocks) || (event.type !== 'user' && event.type !== 'assistant')) {
    log.builder.problem(
      `a ${JSON.stringify(event.type)} line without message content`,
      'A message is { "role", "content" }, its content text or a list of blocks.',
    );
    return;
  }
  const spoken = event.type === 'user' ? speakerOf(event, sidechain) : 'assistant';
  let usage = isObject(message) && event.type === 'assistant' ? usageOnce(log, message) : undefined;
  for (const block of blocks as readonly unknown[]) {
    const model = isObject(message) ? plainText(message.model) : undefined;
    addBlock(log.builder, block, spoken, { ...at, usage }, { model, structured: event.toolUseResult });
    usage = undefined;
  }
}

type Speaker = 'user' | 'harness' | 'agent' | 'assistant';

/** Who wrote a user turn: the person, the harness around the agent, or the agent that started this one. */
function speakerOf(event: Fields, sidechain: boolean): Speaker {
  if (sidechain || event.isCompactSummary === true) return 'agent';
  return event.isMeta === true ? 'harness' : 'user';
}

/** Output of commands the person ran, which the log keeps in their turn. */
const COMMAND_OUTPUT = /^\s*<(?:local-command|bash)-(?:stdout|stderr)>/;

function addBlock(
  builder: SessionBuilder,
  block: unknown,
  speaker: Speaker,
  at: Recorded,
  more: { readonly model: string | undefined; readonly structured: unknown },
): void {
  const type = isObject(block) ? text(block.type) : undefined;
  if (!isObject(block) || type === undefined) {
    builder.problem(
      'a content block that is not an object with a "type"',
      'A block is { "type": "text", "text" }.',
    );
  } else if (type.endsWith('tool_use')) {
    builder.addCall(block.id, block.name, block.input, at);
  } else if (type.endsWith('tool_result')) {
    const words = contentText(block.content) ?? '';
    const error =
      block.is_error === true
        ? { message: words.slice(0, 500).toWellFormed(), type: 'tool-error' }
        : undefined;
    builder.addResult(block.tool_use_id, undefined, words, {
      ...at,
      error,
      result: structuredResult(more.structured),
    });
  } else if (type === 'thinking') {
    builder.addThought({ ...at, model: more.model, content: text(block.thinking) ?? '' });
  } else {
    addText(builder, contentText([block]) ?? '', speaker, at);
  }
}

function addText(builder: SessionBuilder, content: string, speaker: Speaker, at: Recorded): void {
  if (speaker === 'assistant') builder.add('output', '', { ...at, content });
  else if (speaker !== 'user') builder.add('retrieval', speaker, { ...at, content });
  else if (COMMAND_OUTPUT.test(content.slice(0, 200)))
    builder.add('retrieval', 'harness', { ...at, content });
  else builder.add('input', 'user', { ...at, content });
}

/** The harness's own record of a result, where it is one object that can be read in one way only. */
function structuredResult(value: unknown): Json | undefined {
  return isObject(value) ? (callArguments(value) ?? undefined) : undefined;
}

const USAGE_KEYS = {
  input_tokens: 'inputTokens',
  cache_read_input_tokens: 'cacheReadTokens',
  cache_creation_input_tokens: 'cacheWriteTokens',
  output_tokens: 'outputTokens',
} as const;

/** Tokens of a model message, on the first of the lines it is spread over. */
function usageOnce(log: Log, message: Fields): Usage | undefined {
  const id = text(message.id);
  if (!isObject(message.usage) || (id !== undefined && log.counted.has(id))) return undefined;
  if (id !== undefined) log.counted.add(id);
  const usage: { -readonly [K in keyof Usage]: number } = {};
  for (const [recorded, bucket] of Object.entries(USAGE_KEYS)) {
    const tokens = message.usage[recorded];
    if (Number.isSafeInteger(tokens) && (tokens as number) >= 0) usage[bucket] = tokens as number;
  }
  return usage;
}
