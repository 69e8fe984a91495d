// The MCP room's door: what the command line, a server or a test mounts.
export { ConfigInvalid, parseUpstream, parseUpstreams, type UpstreamConfig } from './config.ts';
export { askTools, type ListedTool, ServerSilent } from './doors/ask-tools.ts';
export { createMcpDoor, type Identity, isMcpPath, type McpDoor, type McpDoorOptions } from './doors/http.ts';
export { runStdio, type StdioOptions } from './doors/stdio.ts';
export type { Upstream } from './doors/upstream.ts';
export { type GuardedSession, guardedSession, type SessionOptions } from './guard/session.ts';
export { type SpecText, type SpecView, specViews } from './guard/spec-view.ts';
export type { Guarded } from './guard/types.ts';
export { type Catalogue, createCatalogue } from './tools/catalogue.ts';
export { FINDING_KINDS, type FindingKind, type ToolFinding } from './tools/finding.ts';
export { acceptSeen, openPins, type PinStore, PinsUnreadable } from './tools/pins.ts';
