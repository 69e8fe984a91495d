// Everything a spec can need: where there is room for it. Pure.
import { readShell } from '../../shell/index.ts';
import type { Engines } from '../engines.ts';
import { readSource } from '../read-yaml.ts';
import { RE2 } from './re2.ts';

export const ENGINES: Engines = { read: readSource, patterns: RE2, shell: { read: readShell } };
