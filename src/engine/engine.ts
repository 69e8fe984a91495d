// Live sessions: owns their state, decides each step in memory, and answers when the decision is durable.
import type { EngineOptions } from './options.ts';
import { refuse } from './problem.ts';
import type { Engine } from './types.ts';

/** Opens an engine on a store. Rejects with an `EngineError` when the store cannot be used. */
export async function createEngine(_options: EngineOptions): Promise<Engine> {
  throw refuse('invalid', 'the engine is being assembled');
}
