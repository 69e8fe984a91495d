// The engine room's door: what servers, SDKs and tests import.
export { createEngine } from './engine.ts';
export {
  type CompiledSpecLike,
  ENGINE_LIMITS,
  type EngineLimits,
  type EngineLogLine,
  type EngineOptions,
} from './options.ts';
export { EngineError } from './problem.ts';
