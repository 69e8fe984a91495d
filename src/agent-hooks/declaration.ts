// Section 7.7: a document that says how a host is set up, from a file, a text or a value, becomes the options of an emitter,
// or is refused before anything runs.
import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { parseJsonText } from '../step/json.ts';
import { repeatedKey } from '../step/unique-keys.ts';
import { resolveDeclaration } from './declaration-resolve.ts';
import { type DeclarationHost, DeclarationRefused, type ResolvedDeclaration } from './declaration-types.ts';
import type { EmitterOptions, Registration } from './emitter.ts';
import type { Interceptor } from './types.ts';

const BYTES_MAX = 1 << 20;

/** Rejects with `DeclarationRefused`. */
export async function loadDeclaration(file: string, host: DeclarationHost) {
  const unreadable = (found: string) =>
    new DeclarationRefused('unreadable', [{ at: '', expected: 'a file of UTF-8 up to 1 MiB', found }]);
  let bytes: Buffer;
  try {
    const { size } = await stat(file).then((found) =>
      found.isFile() ? found : { size: Number.POSITIVE_INFINITY },
    );
    if (size > BYTES_MAX) throw unreadable('a larger one, or no file');
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof DeclarationRefused) throw error;
    throw unreadable((error as NodeJS.ErrnoException).code ?? 'an error');
  }
  if (!isUtf8(bytes) || bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])))
    throw unreadable('other bytes');
  return readDeclaration(bytes.toString('utf8'), host);
}

/** From the text of a document. Rejects with `DeclarationRefused`. */
export async function readDeclaration(text: string, host: DeclarationHost) {
  const malformed = (found: string) =>
    new DeclarationRefused('malformed', [{ at: '', expected: 'one JSON object', found }]);
  if (Buffer.byteLength(text) > BYTES_MAX) throw malformed('more than 1 MiB');
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw malformed(`${parsed.problem.found} at line ${parsed.problem.line}`);
  if (repeatedKey(text) !== null) throw malformed('a key twice in one object');
  return applyDeclaration(parsed.value, host);
}

/**
 * From a document as a value: the resolved form, and the options of an emitter under it. Rejects with
 * `DeclarationRefused`.
 */
export async function applyDeclaration(
  document: unknown,
  host: DeclarationHost,
): Promise<{ resolved: ResolvedDeclaration; options: EmitterOptions }> {
  const resolved = resolveDeclaration(document, host);
  const { configuration } = resolved;
  const interceptors: Registration[] = [];
  for (const [i, { id, kind, config, at, timeout_ms }] of resolved.bindings.entries()) {
    let interceptor: Interceptor;
    try {
      interceptor = await host.kinds[kind]!(config, { id, at });
      if (typeof (interceptor as Partial<Interceptor> | null)?.intercept !== 'function')
        throw new TypeError();
    } catch {
      const expected = `a configuration that ${kind} takes`;
      throw new DeclarationRefused('binding_rejected', [
        { at: `/bindings/${i}`, expected, found: 'one that it refuses' },
      ]);
    }
    interceptors.push({ interceptor, name: id, at, timeoutMs: timeout_ms });
  }
  const { identity_provider: provider, approval, timeouts } = configuration;
  const options: EmitterOptions = {
    interceptors,
    composition: configuration.composition,
    mode: configuration.mode,
    identity:
      provider === null || provider === 'jcs-sha256'
        ? provider
        : { name: provider, identify: host.providers![provider]! },
    interceptorMs: timeouts.interceptor_ms,
    resolverMs: timeouts.approval_resolver_ms,
    declaration: resolved.declaration,
    ...(approval.resolver === null ? {} : { resolver: host.resolvers![approval.resolver]! }),
    ...(approval.redactor === null ? {} : { redact: host.redactors![approval.redactor]! }),
  };
  return { resolved, options };
}
