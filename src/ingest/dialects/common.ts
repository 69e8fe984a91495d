// What every dialect says alike: whose session, on whose behalf. Looked up on the span, then on its resource.
import type { Dialect } from './types.ts';

export const COMMON_FIELDS = {
  session: [
    'interlock.session',
    'gen_ai.conversation.id',
    'session.id',
    'gcp.vertex.agent.session_id',
    'ai.telemetry.metadata.sessionId',
    'ai.telemetry.metadata.threadId',
    'ai.telemetry.metadata.chatId',
    'langfuse.session.id',
    'traceloop.association.properties.session_id',
    'traceloop.association.properties.thread_id',
    // `thread.id` is the operating system's thread in OpenTelemetry, never a conversation.
    'thread_id',
    'metadata#session_id',
    'metadata#thread_id',
  ],
  principal: [
    'interlock.principal',
    'user.id',
    'enduser.id',
    'ai.telemetry.metadata.userId',
    'langfuse.user.id',
    'traceloop.association.properties.user_id',
  ],
  tenant: ['interlock.tenant', 'tenant.id'],
} as const satisfies Dialect['fields'];
