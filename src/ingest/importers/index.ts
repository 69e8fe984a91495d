// The importers by format: which read a record a line, and which a file as a whole.
import { importChat } from './chat.ts';
import { importClaudeCode } from './claude-code.ts';
import { importRecording } from './interlock.ts';
import { importSweAgent } from './swe-agent.ts';
import type { Format, Import, Where } from './types.ts';

export { detectFormat } from './detect.ts';
export {
  FORMATS,
  type Format,
  type Import,
  type ImportedSession,
  type ImportProblem,
  type Where,
} from './types.ts';

/** Whether a record of the format is one line, or the whole file. */
export const RECORD_UNIT: Readonly<Record<Format, 'line' | 'file'>> = {
  chat: 'line',
  interlock: 'line',
  'claude-code': 'file',
  'swe-agent': 'file',
};

/** One record as sessions. Never throws for what is in the text. */
export function importRecord(format: Format, text: string, where: Where): readonly Import[] {
  switch (format) {
    case 'chat':
      return [importChat(text, where)];
    case 'interlock':
      return [importRecording(text, where)];
    case 'claude-code':
      return importClaudeCode(text, where.file);
    case 'swe-agent':
      return [importSweAgent(text, where.file)];
  }
}
