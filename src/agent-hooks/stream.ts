// Section 12.1, the exception: a stream is decided piece by piece, each time over everything so far, and text goes out
// only under a verdict that covers it. What no verdict covers at the end goes nowhere.
import type { ModelReply } from './context.ts';
import type { Emission } from './emitter.ts';
import type { AgentRun, ModelEvent } from './run.ts';
import type { Verdict } from './types.ts';

/** Of one answer; longer ones are cut off and denied. */
export const STREAM_CHARACTERS_MAX = 4 << 20;

/** An answer as its verdict left it. */
export interface Decided {
  readonly reply: ModelReply;
  readonly verdict: Verdict;
}

/**
 * The whole answer, or null when it was ended: then nothing more goes out, nothing of it may be kept, and no more of it is
 * read. Without `release` the pieces are put together and decided once.
 */
export async function streamed(
  events: AsyncIterable<ModelEvent>,
  run: Pick<AgentRun, 'emitter' | 'contexts' | 'modelId' | 'release'>,
): Promise<Decided | null> {
  const { emitter, contexts, modelId, release } = run;
  let text = '';
  /** How much of the text a verdict covers. */
  let covered = 0;
  /** What has gone out, as the verdicts left it. */
  let released = '';

  /** One emission over all there is; the reply as the verdict left it, or null when it may not go out. */
  async function decide(reply: ModelReply): Promise<Decided | null> {
    const emission: Emission = await emitter.emit(contexts.postModel(modelId, reply));
    if (!emission.proceeds) return null;
    covered = text.length;
    const permitted = emission.context.response as unknown as ModelReply;
    const decided = { reply: permitted, verdict: emission.verdict };
    if (release === undefined) return decided;
    const { content } = permitted;
    // What is out cannot be changed: a rewriting of it ends the stream.
    if (typeof content !== 'string' || !content.startsWith(released)) return null;
    if (content.length > released.length) release(content.slice(released.length));
    released = content;
    return decided;
  }

  const incomplete = () => {
    const reply = { content: text, tool_calls: [], finish_reason: 'stream_incomplete' };
    emitter.deny(contexts.postModel(modelId, reply), 'streaming_unsupported');
    return null;
  };

  try {
    for await (const event of events) {
      switch (event.t) {
        case 'text':
          text += event.text;
          if (text.length > STREAM_CHARACTERS_MAX) return incomplete();
          break;
        case 'boundary': {
          if (release === undefined || text.length === covered) break;
          const reply = { content: text, tool_calls: [], finish_reason: 'incremental' };
          if ((await decide(reply)) === null) return null;
          break;
        }
        case 'end':
          return await decide({
            content: text,
            tool_calls: event.tool_calls,
            finish_reason: event.finish_reason,
          });
      }
    }
  } catch (error) {
    // Nothing is out and nothing is kept: a failed call of the model like any other.
    if (release === undefined) throw error;
  }
  return incomplete();
}
