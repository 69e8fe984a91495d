// `interlock spec schema`: the JSON Schema for editors, where a project cannot point into node_modules.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions } from '../args.ts';

const FILE = 'schema/spec.schema.json';
/** From the sources, and from the built package. */
const ROOTS = [join(import.meta.dirname, '../../..'), join(import.meta.dirname, '../../../..')];

export async function schema(argv: readonly string[]): Promise<number> {
  parseOptions(argv, {});
  const path = ROOTS.map((root) => join(root, FILE)).find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`the package has no ${FILE}`);
  process.stdout.write(readFileSync(path, 'utf8'));
  return 0;
}
