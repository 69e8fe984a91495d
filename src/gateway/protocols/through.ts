// A text that is there as a whole, through the desk: what of it goes to the client, or why it does not.
import type { Desk } from '../types.ts';

export async function through(desk: Desk, text: string, kind: 'said' | 'thought' = 'said'): Promise<string> {
  const gate = desk.text(kind);
  return gate.push(text) + (await gate.end());
}
