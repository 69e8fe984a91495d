// Paths as text: joined, normalised, compared. Nothing looks at a file system, so links are not followed. Pure.

/** Without `.`, `..` and double slashes. A relative path keeps the `..` that lead out of it; the folder itself is `.`. */
export function normalizePath(path: string): string {
  const absolute = path.startsWith('/');
  const home = !absolute && path.startsWith('~');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    const above = parts.at(-1);
    if (part !== '..') parts.push(part);
    else if (above === undefined ? !absolute : above === '..' || (home && parts.length === 1))
      parts.push('..');
    else parts.pop();
  }
  const joined = parts.join('/');
  return absolute ? `/${joined}` : joined === '' ? '.' : joined;
}

export function isRooted(path: string): boolean {
  return path.startsWith('/') || path.startsWith('~');
}

export function joinPath(folder: string, path: string): string {
  return normalizePath(isRooted(path) ? path : `${folder}/${path}`);
}

/**
 * Whether a path is the folder or below it. What is not known is not within: a path with an expansion in it (`$x`, a
 * backquote), a pattern that may stand for `..`, a relative path and an absolute folder.
 */
export function isWithin(path: string, folder: string): boolean {
  if (path === '' || folder === '') return false;
  if (path.includes('$') || path.includes('`') || mayClimb(path)) return false;
  const [inner, outer] = [normalizePath(path), normalizePath(folder)];
  if (outer === '/') return inner.startsWith('/');
  if (outer === '.') return !isRooted(inner) && inner !== '..' && !inner.startsWith('../');
  return (inner === outer || inner.startsWith(`${outer}/`)) && !inner.slice(outer.length).includes('/../');
}

/** `.*` and `.?` also match `..`. */
function mayClimb(path: string): boolean {
  return path
    .split('/')
    .some(
      (part) =>
        (part.startsWith('.') || part.startsWith('[')) && /[*?[]/.test(part) && !/^\.[^*?[.]/.test(part),
    );
}
