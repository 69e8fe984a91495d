// Reads a check's address: no redirects, no credentials, a limit on time and size.
import { toJson } from '../step/json.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { NoEvidence, subjectText } from './evidence.ts';

const BODY_MAX = 256 << 10;
const SUBJECT = '{{ subject }}';

export interface ProbeOptions {
  readonly subject: Json;
  readonly timeoutMs: number;
}

/** `{ status, body }`; `body` is JSON where the answer is, else text. */
export async function getAddress(
  template: string,
  { subject, timeoutMs }: ProbeOptions,
): Promise<JsonObject> {
  if (template.includes(SUBJECT) && subject === null)
    throw new NoEvidence('the address needs a subject, and none was given');
  const url = new URL(template.replaceAll(SUBJECT, () => encodeURIComponent(subjectText(subject))));
  // A subject of dots would climb out of its place in the path.
  if (template.includes(SUBJECT) && /^\.{1,2}$/.test(subjectText(subject)))
    throw new NoEvidence('the subject is no part of a path');
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    bytes = await readBody(response);
  } catch (error) {
    if (error instanceof NoEvidence) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new NoEvidence(`${url.origin} gave no answer: ${reason}`);
  }
  const text = new TextDecoder().decode(bytes);
  return { status: response.status, body: isJson(response) ? parsed(text, url) : text };
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > BODY_MAX) throw new NoEvidence(`the answer is larger than ${BODY_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isJson(response: Response): boolean {
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === 'application/json' || type.endsWith('+json');
}

function parsed(text: string, url: URL): Json {
  try {
    const value = toJson(JSON.parse(text) as unknown);
    if (value.ok) return value.value;
  } catch {
    // Said below.
  }
  throw new NoEvidence(`the answer of ${url.origin} says it is JSON and is not`);
}
