// A streamed reply of OpenAI Responses: events about items, each at its place, and the whole reply told again at the end. All
// events go out with numbers of their own, since some that came do not go and others are made here.
import { count, type Fields, isObject, objects, textOf } from '../fields.ts';
import { jsonEvent, type StreamEvent, writeEvent } from '../sse.ts';
import { type Desk, type StreamGuard, type TextGate, Unreadable } from '../types.ts';
import {
  isClientCall,
  isServerCall,
  messageOf,
  partsOf,
  placeOf,
  proposed,
  rewritten,
  spoken,
  tellServerCall,
  thinkable,
  usageIn,
} from './openai-responses.ts';

/** What is known of an item that is not over. */
interface Open {
  readonly mode: 'message' | 'held' | 'open';
  readonly type: unknown;
  readonly at: number;
  readonly gates: Map<number, { readonly gate: TextGate; sent: string; over: boolean }>;
  /** Events of a thought that is kept until it is whole. */
  readonly kept: Fields[];
}

const ITEMS_MAX = 1_000;
const EVENTS_KEPT_MAX = 100_000;

export function responsesStream(desk: Desk): StreamGuard {
  const open = new Map<number, Open>();
  /** Items as they went out, by the place at which they did. */
  const output: Fields[] = [];
  let sent = 0;
  let numbered = 0;
  let ended = false;

  function out(body: Fields): string {
    return jsonEvent({ ...body, sequence_number: numbered++ }, textOf(body.type));
  }

  function added(index: number, item: Fields, body: Fields): string {
    if (open.size + sent >= ITEMS_MAX) throw new Unreadable(`a reply with more than ${ITEMS_MAX} items`);
    const thought = item.type === 'reasoning' && desk.guarded;
    if (isClientCall(item) || thought) {
      const kept = thought ? [body] : [];
      open.set(index, { mode: 'held', type: item.type, at: -1, gates: new Map(), kept });
      return '';
    }
    const at = sent++;
    const mode = item.type === 'message' ? 'message' : 'open';
    open.set(index, { mode, type: item.type, at, gates: new Map(), kept: [] });
    const shown = item.type === 'message' ? { ...item, content: [] } : item;
    return out({ ...body, output_index: at, item: shown });
  }

  function gateOf(item: Open, part: number) {
    let known = item.gates.get(part);
    if (known === undefined) {
      known = { gate: desk.text(), sent: '', over: false };
      item.gates.set(part, known);
    }
    return known;
  }

  function delta(item: Open, body: Fields): string {
    const part = gateOf(item, count(body.content_index));
    const text = part.gate.push(textOf(body.delta));
    part.sent += text;
    if (text === '') return '';
    const { logprobs, obfuscation, ...plain } = body;
    return out({ ...(desk.guarded ? plain : body), output_index: item.at, delta: text });
  }

  /** The text of a part is all there: what was held goes, and the part's end tells what went. */
  async function endText(item: Open, body: Fields, field: 'text' | 'refusal'): Promise<string> {
    const part = gateOf(item, count(body.content_index));
    const rest = await endPart(item, part, body, field);
    const { logprobs, ...plain } = body;
    return rest + out({ ...(desk.guarded ? plain : body), output_index: item.at, [field]: part.sent });
  }

  async function endPart(
    item: Open,
    part: { readonly gate: TextGate; sent: string; over: boolean },
    { item_id, content_index }: Fields,
    field: 'text' | 'refusal',
  ): Promise<string> {
    if (part.over) return '';
    part.over = true;
    const rest = await part.gate.end();
    if (rest === '') return '';
    part.sent += rest;
    const type = field === 'text' ? 'response.output_text.delta' : 'response.refusal.delta';
    return out({
      type,
      item_id,
      output_index: item.at,
      content_index,
      delta: rest,
      ...(field === 'text' ? { logprobs: [] } : {}),
    });
  }

  async function endContent(item: Open, body: Fields): Promise<string> {
    if (!isObject(body.part)) return out({ ...body, output_index: item.at });
    const index = count(body.content_index);
    const field = body.part.type === 'refusal' ? 'refusal' : 'text';
    const part = gateOf(item, index);
    const rest = await endPart(item, part, body, field);
    return rest + out({ ...body, output_index: item.at, part: shown(body.part, part.sent) });
  }

  function shown(part: Fields, text: string): Fields {
    const { logprobs, annotations, ...plain } = part;
    if (part.type === 'refusal') return { ...plain, refusal: text };
    return { ...(desk.guarded ? { ...plain, annotations: [] } : part), text };
  }

  async function done(index: number, item: Fields, body: Fields): Promise<string> {
    const known = open.get(index);
    if (known === undefined) throw new Unreadable('the end of an item that has not begun');
    // It was let through, or held back, as what it said it was.
    if (item.type !== known.type || (known.mode !== 'held' && isClientCall(item)))
      throw new Unreadable('an item that ends as another than it began');
    open.delete(index);
    if (known.mode === 'held')
      return item.type === 'reasoning' ? thought(item, known, body) : call(item, body);
    if (isServerCall(item)) tellServerCall(item, desk);
    let rest = '';
    let goes = item;
    if (known.mode === 'message') {
      const content: Fields[] = [];
      for (const [i, given] of objects(item.content).entries()) {
        const part = gateOf(known, i);
        // A part that no event told of.
        if (!part.over && part.sent === '')
          part.sent += part.gate.push(textOf(given.text) + textOf(given.refusal));
        rest += await endPart(
          known,
          part,
          { item_id: item.id, content_index: i },
          given.type === 'refusal' ? 'refusal' : 'text',
        );
        content.push(shown(given, part.sent));
      }
      goes = { ...item, content };
    }
    output[known.at] = goes;
    return rest + out({ ...body, output_index: known.at, item: goes });
  }

  async function thought(item: Fields, { kept }: Open, body: Fields): Promise<string> {
    if (!(await thinkable(item, desk))) return '';
    const at = sent++;
    output[at] = item;
    return [...kept, body].map((event) => out({ ...event, output_index: at })).join('');
  }

  async function call(item: Fields, body: Fields): Promise<string> {
    const ruling = await desk.call(proposed(item));
    const at = sent++;
    const goes =
      ruling.t === 'withhold'
        ? messageOf(placeOf(item), ruling.text)
        : ruling.t === 'rewrite'
          ? rewritten(item, ruling.args)
          : item;
    output[at] = goes;
    const place = { item_id: goes.id, output_index: at };
    const first = (bare: Fields) =>
      out({
        type: 'response.output_item.added',
        output_index: at,
        item: { ...goes, status: 'in_progress', ...bare },
      });
    const last = out.bind(null);
    if (ruling.t === 'withhold') {
      const part = { type: 'output_text', text: '', annotations: [] };
      const words = { ...place, content_index: 0 };
      return (
        first({ content: [] }) +
        out({ type: 'response.content_part.added', ...words, part }) +
        out({ type: 'response.output_text.delta', ...words, delta: ruling.text, logprobs: [] }) +
        out({ type: 'response.output_text.done', ...words, text: ruling.text, logprobs: [] }) +
        out({ type: 'response.content_part.done', ...words, part: { ...part, text: ruling.text } }) +
        last({ type: 'response.output_item.done', output_index: at, item: goes })
      );
    }
    const [field, event] =
      goes.type === 'custom_tool_call'
        ? (['input', 'response.custom_tool_call_input'] as const)
        : (['arguments', 'response.function_call_arguments'] as const);
    if (goes.type !== 'custom_tool_call' && goes.type !== 'function_call')
      return first({}) + last({ ...body, output_index: at, item: goes });
    const text = textOf(goes[field]);
    return (
      first({ [field]: '' }) +
      out({ type: `${event}.delta`, ...place, delta: text }) +
      out({
        type: `${event}.done`,
        ...place,
        ...(field === 'arguments' ? { name: goes.name } : {}),
        [field]: text,
      }) +
      last({ ...body, output_index: at, item: goes })
    );
  }

  /** The whole reply, as the client has it. */
  async function whole(body: Fields, response: Fields): Promise<string> {
    if (open.size > 0) throw new Unreadable('the reply ended before its items did');
    ended = true;
    const { usage, model, id } = response;
    const went = output.filter((item) => item !== undefined);
    desk.finish({
      usage: usageIn(usage),
      model: textOf(model) || null,
      id: textOf(id) || null,
      parts: partsOf(went),
    });
    const { output_text, ...rest } = response;
    const text = output_text === undefined ? {} : { output_text: spoken(went) };
    return out({ ...body, response: { ...rest, output: went, ...text } });
  }

  function ofItem(body: Fields, event: StreamEvent): string | Promise<string> {
    const item = open.get(count(body.output_index));
    // Of an item that has not begun nothing is known, not even that it is no call.
    if (item === undefined) return '';
    if (item.mode === 'held') {
      if (item.kept.length > EVENTS_KEPT_MAX) throw new Unreadable('a thought of too many pieces');
      if (item.kept.length > 0) item.kept.push(body);
      return '';
    }
    switch (body.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return delta(item, body);
      case 'response.output_text.done':
        return endText(item, body, 'text');
      case 'response.refusal.done':
        return endText(item, body, 'refusal');
      case 'response.content_part.added':
        return out({ ...body, output_index: item.at });
      case 'response.content_part.done':
        return endContent(item, body);
      default:
        // What tells more of a message than its text may quote it.
        return desk.guarded && item.mode === 'message'
          ? ''
          : out({ ...JSON.parse(event.data), output_index: item.at });
    }
  }

  return {
    async push(event) {
      if (event.comment === true || event.data === '[DONE]') return writeEvent(event);
      const body: unknown = JSON.parse(event.data);
      if (!isObject(body)) throw new Unreadable('an event of the stream is no JSON object');
      // Nobody reads on after the end.
      if (ended) return '';
      const item = isObject(body.item) ? body.item : {};
      switch (body.type) {
        case 'response.output_item.added':
          return added(count(body.output_index), item, body);
        case 'response.output_item.done':
          return done(count(body.output_index), item, body);
        case 'response.completed':
        case 'response.incomplete':
          return whole(body, isObject(body.response) ? body.response : {});
        case 'response.failed':
          ended = true;
          return out({
            ...body,
            response: { ...(isObject(body.response) ? body.response : {}), output: [] },
          });
        case 'response.created':
        case 'response.in_progress':
        case 'response.queued':
          // What the reply has comes in items.
          return out({
            ...body,
            response: { ...(isObject(body.response) ? body.response : {}), output: [] },
          });
        case 'error':
          return out(body);
        default:
          if (body.output_index !== undefined) return ofItem(body, event);
          // What tells of a whole reply or item in a way that is not known could tell of a call.
          return desk.guarded || body.response !== undefined || body.item !== undefined ? '' : out(body);
      }
    },
    complete: () => ended,
  };
}
