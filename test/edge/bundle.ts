// `interlock/edge` as an application's bundler would ship it: one script, minified, everything it depends on in it.
import { join } from 'node:path';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '../..');

export interface Bundle {
  readonly code: string;
  /** Modules that are in it, and imports that are left. */
  readonly modules: readonly string[];
  readonly imports: readonly string[];
}

/** `name` is the global that an `iife` gives its exports to. */
export async function bundle(entry: string, format: 'es' | 'iife', name = 'edge'): Promise<Bundle> {
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    build: {
      lib: { entry, formats: [format], name, fileName: 'edge' },
      write: false,
      minify: true,
      target: 'es2022',
    },
  });
  const [{ output }] = built as unknown as [
    { output: { code: string; modules: object; imports: string[] }[] },
  ];
  const { code, modules, imports } = output[0]!;
  return { code, modules: Object.keys(modules), imports };
}
