// For tests: a Python that has the published kit of agent-hooks.
import { type Found, findPython } from '../python.ts';

export function findKit(): Promise<Found> {
  return findPython(['agent-hooks-sdk[ctk]==0.1.0b3'], ['agent_hooks', 'jsonschema']);
}
