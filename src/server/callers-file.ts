// The callers file: read once at the start; one that is wrong keeps the server from starting.
import { type Caller, parseCallers } from '../api/callers.ts';
import { loadYaml } from './yaml-file.ts';

/** Says in words, with file and place, why the callers cannot be used. */
export class CallersInvalid extends Error {}

export function loadCallers(file: string): Promise<readonly Caller[]> {
  return loadYaml(file, parseCallers, CallersInvalid);
}
