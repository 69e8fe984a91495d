// Everything a spec can need: where there is room for it. Pure.
import { readShell } from '../../shell/index.ts';
import type { Engines } from '../engines.ts';
import { readSource } from '../read-yaml.ts';
import { compileAutomaton } from '../text-automaton.ts';
import { RE2 } from './re2.ts';

export const ENGINES: Engines = {
  read: readSource,
  patterns: RE2,
  shell: { read: readShell },
  follows: (pattern) => {
    const automaton = compileAutomaton(pattern);
    // One that the empty text has is no sign of anything.
    return automaton !== null && !automaton.matchesEmpty;
  },
};
