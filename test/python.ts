// For tests: a Python that has certain libraries. They are installed once into a virtual environment in the temporary
// directory; where there is no Python, or they cannot be had, a test says so and is skipped.
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const INSTALL_MS = 60_000;

export type Found = { readonly python: string } | { readonly why: string };

/** `libraries` as pip takes them, `modules` as Python imports them. */
export async function findPython(libraries: readonly string[], modules: readonly string[]): Promise<Found> {
  const environment = join(
    tmpdir(),
    `interlock-test-python-${libraries.join('-').replaceAll(/[^\w.-]/g, '')}`,
  );
  const own = join(environment, 'bin', 'python');
  for (const python of [own, 'python3'])
    if (await succeeds(python, ['-c', `import ${modules.join(', ')}`])) return { python };
  if (!(await succeeds('python3', ['-m', 'venv', environment])))
    return { why: 'there is no Python with venv' };
  const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '0', '--timeout', '5', ...libraries];
  return (await succeeds(own, pip))
    ? { python: own }
    : { why: `${libraries.join(', ')} cannot be installed` };
}

export async function succeeds(command: string, args: readonly string[], cwd?: string): Promise<boolean> {
  return promisify(execFile)(command, args, { timeout: INSTALL_MS, cwd }).then(
    () => true,
    () => false,
  );
}
