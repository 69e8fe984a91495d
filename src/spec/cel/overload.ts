// The error that a function is not for the values it was given. Pure.
import { kindOf } from './arithmetic.ts';
import { type CelError, celError, type Value } from './value.ts';

export function overload(name: string, args: readonly Value[]): CelError {
  return celError('error', `no such overload: ${name}(${args.map(kindOf).join(', ')})`);
}
