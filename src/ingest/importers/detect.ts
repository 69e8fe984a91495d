// Which format a file is in, from its first line and its name. Pure.
import type { Format } from './types.ts';

const CLAUDE_CODE_TYPES = new Set([
  'user',
  'assistant',
  'summary',
  'system',
  'file-history-snapshot',
  'queue-operation',
]);

/** The format, or null when neither the line nor the name tells: then the caller must ask. */
export function detectFormat(firstLine: string, filename: string): Format | null {
  if (filename.endsWith('.traj')) return 'swe-agent';
  let first: unknown;
  try {
    first = JSON.parse(firstLine);
  } catch {
    return null;
  }
  if (typeof first !== 'object' || first === null) return null;
  if ('interlock' in first) return 'interlock';
  if ('messages' in first) return 'chat';
  if ('trajectory' in first) return 'swe-agent';
  if ('type' in first && typeof first.type === 'string' && CLAUDE_CODE_TYPES.has(first.type))
    return 'claude-code';
  return null;
}
