// The public face of agent-hooks: Interlock as an interceptor in any host of the contract, and a host to build agents on.
// What is not exported here is not promised.
export {
  type ContextAgent,
  type ContextBuilder,
  type ContextOptions,
  createContexts,
  type ModelReply,
  type ToolCall,
} from './context.ts';
export { applyDeclaration, loadDeclaration, readDeclaration } from './declaration.ts';
export { resolveDeclaration } from './declaration-resolve.ts';
export {
  DECLARATION_VERSION,
  type DeclarationClass,
  type DeclarationHost,
  DeclarationRefused,
  type ResolvedDeclaration,
} from './declaration-types.ts';
export {
  createEmitter,
  type Emission,
  type Emitter,
  type EmitterOptions,
  type Registration,
} from './emitter.ts';
export { contextProblem } from './envelope.ts';
export { contextIdentity } from './identity.ts';
export { type InterlockHooks, type InterlockHooksOptions, interlockHooks } from './interceptor.ts';
export { transformContext } from './path.ts';
export { type AgentResult, type AgentRun, type Model, type ModelEvent, runAgent } from './run.ts';
export { sessionOf } from './steps.ts';
export {
  type AgentContext,
  type ApprovalRequest,
  type ApprovalResolution,
  type ApprovalResolver,
  type Composition,
  type IdentityProvider,
  type InterceptionRecord,
  type Interceptor,
  type Mode,
  POINTS,
  type Point,
  SPEC_VERSION,
  type Verdict,
  type VerdictSummary,
} from './types.ts';
