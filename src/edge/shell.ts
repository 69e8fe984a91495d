// For specs that ask what a shell command does, in browsers and at the edge. Public as `interlock/edge/shell`.
import { readShell } from '../shell/index.ts';
import type { Shell } from '../spec/engines.ts';

export const shell: Shell = { read: readShell };
