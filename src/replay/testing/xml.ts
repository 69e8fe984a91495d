// A strict parser for the XML that reports are written in: elements, attributes, text, references. It refuses whatever is
// not well-formed (XML 1.0), and whatever a report has no need of.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';
const TAG = /<(\/?)([A-Za-z][\w.-]*)((?:\s+[A-Za-z][\w.-]*="[^"<]*")*)\s*(\/?)>/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function parseXml(xml: string): Element {
  if (!xml.startsWith(PROLOG)) throw new Error('no prolog');
  for (const c of xml) {
    const code = c.codePointAt(0)!;
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) throw new Error(`the character ${code}`);
    if ((code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff)
      throw new Error(`the character ${code}`);
  }
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [top];
  let at = PROLOG.length;
  while (at < xml.length) {
    const next = xml.indexOf('<', at);
    const end = next < 0 ? xml.length : next;
    const text = decode(xml.slice(at, end).replaceAll('\r\n', '\n').replaceAll('\r', '\n'));
    if (xml.slice(at, end).includes(']]>')) throw new Error(']]> in text');
    open.at(-1)!.text += text;
    if (next < 0) break;
    TAG.lastIndex = next;
    const match = TAG.exec(xml);
    if (match === null) throw new Error(`no tag at ${next}: ${xml.slice(next, next + 60)}`);
    const [whole, closing, name, attributes, empty] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
    ];
    at = next + whole.length;
    if (closing !== '') {
      if (open.pop()!.name !== name) throw new Error(`</${name}> closes another`);
      continue;
    }
    const element: Open = { name, attributes: attributesOf(attributes), children: [], text: '' };
    open.at(-1)!.children.push(element);
    if (empty === '') open.push(element);
  }
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim() !== '')
    throw new Error('not one element');
  return top.children[0]!;
}

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: Open[];
  text: string;
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, key, value] of text.matchAll(/([A-Za-z][\w.-]*)="([^"]*)"/g)) {
    if (Object.hasOwn(found, key!)) throw new Error(`two attributes ${key}`);
    // White space that is not a reference is a space (section 3.3.3).
    found[key!] = decode(value!.replace(/[\t\n\r]/g, ' '));
  }
  return found;
}

function decode(text: string): string {
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const known = ENTITIES[name];
    if (whole.endsWith(';') && known !== undefined) return known;
    const code = /^#(\d+)$/.exec(name)?.[1];
    if (!whole.endsWith(';') || code === undefined) throw new Error(`the reference ${whole}`);
    return String.fromCodePoint(Number(code));
  });
}
