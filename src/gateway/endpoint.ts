// From a path under /gateway to what is asked: which upstream, in which protocol, on whose behalf. What is not known to be
// harmless is refused, so that nothing passes unguarded. Pure.
import { anthropic } from './protocols/anthropic.ts';
import { gemini } from './protocols/gemini.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { openaiResponses } from './protocols/openai-responses.ts';
import type { Endpoint, Protocol } from './types.ts';

export const PREFIX = '/gateway/';

export interface Address {
  readonly upstream: string;
  /** Named in the path: `/gateway/as/AGENT/UPSTREAM/…`. */
  readonly agent: string | null;
  /** The vendor's own path, from its slash on. */
  readonly path: string;
  readonly query: string;
}

export type Asked =
  | { readonly t: 'model'; readonly protocol: Protocol; readonly endpoint: Endpoint }
  /** Asks no model to act and brings no reply of one. */
  | { readonly t: 'pass' }
  | { readonly t: 'refused'; readonly why: string };

/** Null when the path is not one of the gateway's, tries to leave its place, or can be read in two ways. */
export function addressOf(url: string): Address | null {
  if (!url.startsWith(PREFIX)) return null;
  const mark = url.indexOf('?');
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const segments = whole.slice(PREFIX.length).split('/');
  let decoded: string[];
  try {
    decoded = segments.map(decodeURIComponent);
  } catch {
    return null;
  }
  if (
    decoded.some(
      (segment, i) =>
        segment === '..' ||
        segment === '.' ||
        segment.includes('/') ||
        segment.includes('\\') ||
        (segment === '' && i < segments.length - 1),
    )
  )
    return null;
  const named = decoded[0] === 'as';
  const [upstream, ...rest] = named ? segments.slice(2) : segments;
  if (upstream === undefined || upstream === '' || (named && decoded[1] === '')) return null;
  const path = `/${rest.join('/')}`;
  // What was asked is what is sent: a `#`, say, would end the path there and not here.
  if (URL.parse(`http://upstream${path}`)?.pathname !== path) return null;
  return { upstream, agent: named ? decoded[1]! : null, path, query };
}

const GEMINI = /\/models\/([^/:]{1,200}):(generateContent|streamGenerateContent)$/;
/** Reads of lists, and questions that no model answers with an act. */
const PASS_GET = /\/models(?:\/[^/]{1,200}){0,3}$/;
const PASS_POST =
  /(?:\/embeddings|\/moderations|\/messages\/count_tokens|:countTokens|:embedContent|:batchEmbedContents)$/;

export function askedOf(method: string, { path, query }: Pick<Address, 'path' | 'query'>): Asked {
  const plain = { model: null, stream: false, sse: true };
  if (method === 'POST') {
    if (path.endsWith('/chat/completions')) return { t: 'model', protocol: openaiChat, endpoint: plain };
    if (path.endsWith('/responses')) return { t: 'model', protocol: openaiResponses, endpoint: plain };
    if (path.endsWith('/messages')) return { t: 'model', protocol: anthropic, endpoint: plain };
    const match = GEMINI.exec(path);
    if (match !== null) {
      const stream = match[2] === 'streamGenerateContent';
      const sse = new URLSearchParams(query).get('alt') === 'sse';
      return { t: 'model', protocol: gemini, endpoint: { model: match[1]!, stream, sse } };
    }
    if (PASS_POST.test(path)) return { t: 'pass' };
  }
  if ((method === 'GET' || method === 'HEAD') && PASS_GET.test(path)) return { t: 'pass' };
  return { t: 'refused', why: `${method} ${path.slice(0, 200)} is not one that the gateway can guard` };
}

/** Gemini is always asked for events: one list of JSON cannot be read while it comes. */
export function upstreamQuery(query: string, asked: Asked, dropKey: boolean): string {
  const parameters = new URLSearchParams(query);
  if (dropKey) parameters.delete('key');
  if (asked.t === 'model' && asked.protocol === gemini && asked.endpoint.stream) parameters.set('alt', 'sse');
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
