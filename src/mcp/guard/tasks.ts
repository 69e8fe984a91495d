// Calls that end later: the server answers with a task, and the client asks for its result (`tasks/result` in 2025-11-25,
// `tasks/get` and notifications in the extension since). The result is decided like that of any call, whenever it comes.
import { type Fields, field, type Id, isFields } from '../wire/message.ts';
import { type Refusal, refusedCall } from './answers.ts';
import { asksOfServer } from './asks.ts';
import { settle } from './calls.ts';
import { callOutcome } from './steps.ts';
import type { Guarded, Peer, Pending } from './types.ts';

const TASKS_MAX = 2_000;

interface Task {
  readonly callId: string;
  readonly name: string;
  /** The result that was let through, as text: polling brings it again. */
  passed: string | null;
}

export interface Tasks {
  /** True when the answer to a call is a task, whose result is still to come. */
  begins(call: Extract<Pending, { t: 'call' }>, result: Fields): boolean;
  /** What the client gets instead of an answer about a task; null: the answer as it is. */
  judge(id: Id, what: Extract<Pending, { t: 'task' }>, result: Fields, peer: Peer): Promise<string | null>;
  /** Why a notification may not go on, or null. */
  notified(method: string, params: Fields, peer: Peer): Promise<Refusal | null>;
}

export function createTasks(guarded: Guarded): Tasks {
  const tasks = new Map<string, Task>();

  async function decided(taskId: string, result: Fields): Promise<Refusal | null> {
    const task = tasks.get(taskId);
    if (task === undefined)
      return {
        t: 'failed',
        code: 'unknown-task',
        message: 'The task was not begun through this connection.',
      };
    const text = JSON.stringify(result);
    if (task.passed === text) return null;
    const refusal = await settle(guarded, task.name, task.callId, callOutcome(result));
    if (refusal === null) task.passed = text;
    return refusal;
  }

  return {
    begins({ callId, name }, result) {
      const taskId = field(result.task, 'taskId') ?? result.taskId;
      if (typeof taskId !== 'string' || 'content' in result || 'structuredContent' in result) return false;
      if (tasks.size >= TASKS_MAX) tasks.delete(tasks.keys().next().value!);
      tasks.set(taskId, { callId, name, passed: null });
      return true;
    },
    async judge(id, { taskId, whole, stateless }, result, peer) {
      const asked = await asksOfServer(guarded, result, peer);
      const ended = whole ? result : result.result;
      const refusal = asked ?? (isFields(ended) ? await decided(taskId, ended) : null);
      return refusal === null ? null : refusedCall({ id, stateless, ran: asked === null }, refusal);
    },
    async notified(method, params, peer) {
      if (!method.startsWith('notifications/tasks')) return null;
      const asked = await asksOfServer(guarded, params, peer);
      if (asked !== null || !isFields(params.result)) return asked;
      return decided(typeof params.taskId === 'string' ? params.taskId : '', params.result);
    },
  };
}
