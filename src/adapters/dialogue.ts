// What passes between user, program and model, as steps: what the user said since the model last spoke, the request, the reply.
// For frameworks that let a guard stand around their model calls.
import { type Session, StepDenied } from '../sdk/index.ts';
import type { Json } from '../step/types.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'other';
  readonly text: string;
}

export interface ReplyUsage {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
}

export interface DialogueOptions {
  /**
   * `result` (the default): a reply that may not be said is replaced by the reason. `throw`: the model call fails with
   * `StepDenied`.
   */
  readonly onDeny?: 'throw' | 'result';
  readonly signal?: AbortSignal | undefined;
}

export interface Dialogue {
  /** Records what is new in the conversation and decides whether the model may be asked. Throws like a guarded call. */
  asks(model: string, messages: readonly Message[], args?: Readonly<Record<string, Json>>): Promise<void>;
  /** Decides what the model said; the text that may go on to the user. */
  says(text: string, options?: DialogueOptions): Promise<string>;
  /** Records how much a reply took. */
  took(model: string, usage: ReplyUsage): Promise<void>;
}

export function dialogueOf(session: Session): Dialogue {
  let known = 0;
  let last = '';
  return {
    async asks(model, messages, args = {}) {
      for (const text of fresh(messages)) await session.input(text);
      await session.permit({ kind: 'model.request', name: nameOf(model), args });
    },
    async says(text, { onDeny = 'result', signal } = {}) {
      if (text === '') return text;
      try {
        await session.output(text, signal === undefined ? {} : { signal });
        return text;
      } catch (error) {
        if (onDeny === 'throw' || !(error instanceof StepDenied)) throw error;
        return withheld(error);
      }
    },
    async took(model, { inputTokens, outputTokens }) {
      const usage = {
        ...(inputTokens === undefined ? {} : { inputTokens }),
        ...(outputTokens === undefined ? {} : { outputTokens }),
      };
      await session.permit({ kind: 'model.response', name: nameOf(model), usage });
    },
  };

  /**
   * The user's words that this session has not had: those after the last word of anybody else, unless the same request comes
   * again; all of them when the conversation is another one.
   */
  function fresh(messages: readonly Message[]): string[] {
    const said = messages.filter(({ role }) => role === 'user').map(({ text }) => text);
    const key = JSON.stringify(said.slice(0, known));
    const continued = said.length >= known && key === last;
    const news = continued ? said.slice(known) : trailing(messages);
    known = said.length;
    last = JSON.stringify(said);
    return news.filter((text) => text !== '');
  }
}

function trailing(messages: readonly Message[]): string[] {
  const at = messages.findLastIndex(({ role }) => role === 'other');
  return messages.slice(at + 1).flatMap(({ role, text }) => (role === 'user' ? [text] : []));
}

function withheld({ because, repair }: StepDenied): string {
  return repair === undefined ? `[withheld: ${because}]` : `[withheld: ${because} ${repair}]`;
}

function nameOf(model: string): string {
  return model.trim() === '' ? 'unnamed' : model.slice(0, 200);
}
