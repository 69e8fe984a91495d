// Serves the built page. Every file is read once at the start, so a request can only name a file that is in the list;
// nothing of the disk is reachable by path.
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const NOT_BUILT = Buffer.from(
  '<!doctype html><title>Interlock</title><p>The page is not built. Run <code>npx vite build web</code> and restart. ' +
    'The API is at <a href="/openapi.json">/openapi.json</a>.',
);

export type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** The page in `dir`; a short explanation in its place when it has not been built. */
export async function loadPage(dir: string): Promise<Page> {
  const files = await readFiles(dir);
  const index = files.get('/index.html') ?? NOT_BUILT;

  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...PAGE_HEADERS, allow: 'GET, HEAD' }).end();
      return;
    }
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const file = files.get(path);
    // Any other path is one of the page's own addresses (`/sessions/a.b` is one); a missing asset or file is missing.
    const asset = path.startsWith('/assets/') || (path.lastIndexOf('/') === 0 && extname(path) !== '');
    const missing = file === undefined && asset;
    const body = missing ? Buffer.from('not found\n') : (file ?? index);
    const type = missing ? '.txt' : file === undefined ? '.html' : extname(path);
    response.writeHead(missing ? 404 : 200, {
      ...PAGE_HEADERS,
      'content-type': TYPES[type] ?? 'application/octet-stream',
      'content-length': body.length,
      // Vite puts a digest of the content into the name of every asset.
      'cache-control':
        file !== undefined && path.startsWith('/assets/')
          ? 'public, max-age=31536000, immutable'
          : 'no-cache',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

async function readFiles(dir: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let entries: Awaited<ReturnType<typeof list>>;
  try {
    entries = await list(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return files;
    throw error;
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(dir, path).split(sep).join('/')}`, await readFile(path));
  }
  return files;
}

function list(dir: string) {
  return readdir(dir, { withFileTypes: true, recursive: true });
}
