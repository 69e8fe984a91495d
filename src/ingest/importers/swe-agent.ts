// SWE-agent trajectories: one JSON document a session, `{ trajectory: [{ thought, action, observation }], history, info }`.
// An action is a shell-like command; its first word is the tool, the whole command its argument. No I/O.
import { buildSession, type SessionBuilder } from './builder.ts';
import { contentText, isObject, otherFields, text } from './fields.ts';
import { fileStem, plainText, readRecord, unreadable } from './record.ts';
import type { Import } from './types.ts';

const KNOWN = new Set(['trajectory', 'history', 'query']);

export function importSweAgent(content: string, file: string): Import {
  const where = { file, line: 1 };
  const read = readRecord(content, where);
  if (!read.ok) return unreadable(read.problem);
  const { trajectory, history } = read.record;
  if (!Array.isArray(trajectory)) {
    return unreadable({
      ...where,
      what: 'no "trajectory" list',
      mend: 'A .traj file is { "trajectory": [...] }.',
    });
  }
  const id = plainText(read.record.instance_id) ?? fileStem(file);
  const builder = buildSession({ session: id, agent: { name: 'swe-agent' } }, where);
  if (Array.isArray(history)) addPrompt(builder, history);
  for (const [i, turn] of (trajectory as readonly unknown[]).entries()) addTurn(builder, turn, i);
  return builder.finish(otherFields(read.record, KNOWN));
}

/** What stands in the history before the agent's first word. Demonstrations belong to the scaffold, not to the user. */
function addPrompt(builder: SessionBuilder, history: readonly unknown[]): void {
  for (const entry of history) {
    if (!isObject(entry) || entry.role === 'assistant') return;
    const demonstration = entry.is_demo === true || entry.message_type === 'demonstration';
    const name = entry.role === 'user' && !demonstration ? 'user' : 'system';
    builder.add('input', name, { message: null, content: contentText(entry.content) ?? '' });
  }
}

function addTurn(builder: SessionBuilder, turn: unknown, index: number): void {
  if (!isObject(turn)) {
    builder.problem(`turn ${index} is not an object`, 'A turn is { "action", "observation" }.');
    return;
  }
  const at = { message: index };
  const thought = text(turn.thought) ?? text(turn.response);
  if (thought) builder.addThought({ ...at, content: thought });
  const action = text(turn.action) ?? '';
  const observation = contentText(turn.observation);
  const command = action.trim();
  if (command === '') {
    if (observation) builder.add('retrieval', 'harness', { ...at, content: observation });
    return;
  }
  const word = /^\S{1,200}/.exec(command)?.[0] ?? command;
  const call = builder.addCall(undefined, word, { command: action.toWellFormed() }, at);
  if (observation !== undefined) builder.addResult(call.callId, undefined, observation, at);
}
