// The room's door: what a look at a project gives, and the spec to start from.
export { OPENING } from './frameworks.ts';
export {
  type CodingAgent,
  lookAt,
  MANIFEST,
  MCP_SETTINGS,
  type Project,
  type ProjectFile,
  type Proposal,
  SOURCE,
  withServerTools,
} from './project.ts';
export { keptSchema } from './source/schema.ts';
export { specName, starterSpec } from './starter.ts';
export type { FoundTool, McpServer, Place } from './types.ts';
