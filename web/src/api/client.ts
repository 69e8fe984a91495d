// The page's only way to the server: JSON over fetch, every failure turned into one typed error. No state, no React.

/** A failure in words a person can act on. `status` is 0 when the server could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly mend: string | null;

  constructor(status: number, code: string, message: string, mend: string | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.mend = mend;
  }
}

/** True when nothing answered: worth trying again until something does. */
export function isAway(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}

export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, signal ? { signal } : {});
}

export function postJson<T>(path: string, body: unknown): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'The server does not answer.', null);
  }
  if (!response.ok) throw problemOf(response.status, text);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(
      response.status,
      'not-json',
      `${path} answered with something that is not JSON.`,
      null,
    );
  }
}

/** RFC 9457 problem details, or the bare status when the body is something else (a proxy's error page). */
function problemOf(status: number, text: string): ApiError {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null) {
      const field = (name: string): string | null => {
        const value: unknown = Reflect.get(problem, name);
        return typeof value === 'string' ? value : null;
      };
      return new ApiError(
        status,
        field('code') ?? 'error',
        field('detail') ?? field('title') ?? `The server answered ${status}.`,
        field('mend'),
      );
    }
  } catch {
    // Not JSON: the status has to do.
  }
  return new ApiError(status, 'error', `The server answered ${status}.`, null);
}
