// The messages of Envoy's external authorization (package envoy.service.auth.v3) on the wire, as far as they are read or
// written here; other fields are passed over. Any client of the protocol can talk to this.
//
//   CheckRequest      { AttributeContext attributes = 1 }
//   AttributeContext  { Peer source = 1; Request request = 4; map<string,string> context_extensions = 10 }
//   Peer              { string principal = 4 }
//   Request           { HttpRequest http = 2 }
//   HttpRequest       { string method = 2; map<string,string> headers = 3; string path = 4; string host = 5; string scheme = 6;
//                       int64 size = 9; string body = 11; bytes raw_body = 12; HeaderMap header_map = 13 }
//   HeaderMap         { repeated HeaderValue headers = 1 }
//   HeaderValue       { string key = 1; string value = 2; bytes raw_value = 3 }
//   CheckResponse     { google.rpc.Status status = 1; oneof { DeniedHttpResponse denied_response = 2; OkHttpResponse ok_response = 3 } }
//   Status            { int32 code = 1; string message = 2 }
//   DeniedHttpResponse{ HttpStatus status = 1; repeated HeaderValueOption headers = 2; string body = 3 }
//   HttpStatus        { StatusCode code = 1 }
//   OkHttpResponse    { repeated HeaderValueOption headers = 2; repeated string headers_to_remove = 5 }
//   HeaderValueOption { HeaderValue header = 1; HeaderAppendAction append_action = 3 }   2: overwrite if exists or add
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { HttpAnswer } from './answer.ts';
import type { HttpCall } from './call.ts';

/** What Envoy sets when the body was longer than `max_request_bytes`. */
export const PARTIAL_BODY_HEADER = 'x-envoy-auth-partial-body';

/** Codes of google.rpc.Status, which are those of gRPC. */
const STATUS_CODES = { 200: 0, 400: 3, 403: 7, 409: 9, 503: 14 } as const;
const OVERWRITE_OR_ADD = 2;

/** Reads fields of one message by number; `read` is false for a field that is to be passed over. */
type Fields = (field: number, wire: WireType, reader: BinaryReader) => boolean;

/** @throws Error for bytes that are not the message */
export function readCheckRequest(bytes: Uint8Array): HttpCall {
  const call: {
    -readonly [K in keyof HttpCall]: HttpCall[K];
  } & { headers: Map<string, string>; extensions: Map<string, string> } = {
    method: '',
    scheme: null,
    host: '',
    target: '',
    headers: new Map(),
    body: new Uint8Array(),
    isBodyCut: false,
    extensions: new Map(),
    peer: null,
  };
  let size = -1;

  const http: Fields = (field, wire, reader) => {
    if (field === 9 && wire === WireType.Varint) size = Number(reader.int64());
    else if (wire !== WireType.LengthDelimited) return false;
    else if (field === 2) call.method = reader.string();
    else if (field === 3) pair(reader, call.headers);
    else if (field === 4) call.target = reader.string();
    else if (field === 5) call.host = reader.string();
    else if (field === 6) call.scheme = reader.string() || null;
    else if (field === 11 || field === 12) call.body = reader.bytes();
    else if (field === 13) message(reader, (f, w, r) => f === 1 && w === 2 && header(r, call.headers));
    else return false;
    return true;
  };
  const request: Fields = (field, wire, reader) => field === 2 && wire === 2 && message(reader, http);
  const source: Fields = (field, wire, reader) => {
    if (field !== 4 || wire !== WireType.LengthDelimited) return false;
    call.peer = reader.string() || null;
    return true;
  };
  const attributes: Fields = (field, wire, reader) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) return message(reader, source);
    if (field === 4) return message(reader, request);
    return field === 10 && pair(reader, call.extensions);
  };
  fields(new BinaryReader(bytes), bytes.length, (field, wire, reader) => {
    return field === 1 && wire === 2 && message(reader, attributes);
  });
  call.isBodyCut = call.headers.get(PARTIAL_BODY_HEADER) === 'true' || (size > 0 && call.body.length === 0);
  return call;
}

/** `removed` are taken off the request before it is passed on. */
export function writeCheckResponse(answer: HttpAnswer, removed: readonly string[]): Uint8Array {
  const out = new BinaryWriter();
  out.tag(1, 2).fork();
  if (!answer.isAllowed) out.tag(1, 0).int32(STATUS_CODES[answer.status]);
  out.join();
  out.tag(answer.isAllowed ? 3 : 2, 2).fork();
  if (!answer.isAllowed) out.tag(1, 2).fork().tag(1, 0).int32(answer.status).join();
  for (const [key, value] of answer.headers) {
    out.tag(2, 2).fork();
    out.tag(1, 2).fork().tag(1, 2).string(key).tag(2, 2).string(value).join();
    out.tag(3, 0).int32(OVERWRITE_OR_ADD);
    out.join();
  }
  if (!answer.isAllowed) out.tag(3, 2).string(answer.body);
  else for (const name of removed) out.tag(5, 2).string(name);
  out.join();
  return out.finish();
}

function fields(reader: BinaryReader, end: number, read: Fields): void {
  while (reader.pos < end) {
    const [field, wire] = reader.tag();
    if (!read(field, wire, reader)) reader.skip(wire, field);
    if (reader.pos > end) throw new RangeError('a field is longer than its message');
  }
}

function message(reader: BinaryReader, read: Fields): true {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message is longer than what holds it');
  fields(reader, end, read);
  return true;
}

/** An entry of a map<string, string>. */
function pair(reader: BinaryReader, into: Map<string, string>): true {
  let key = '';
  let value = '';
  message(reader, (field, wire, r) => {
    if (wire !== WireType.LengthDelimited || field > 2) return false;
    if (field === 1) key = r.string();
    else value = r.string();
    return true;
  });
  into.set(key, value);
  return true;
}

/** A HeaderValue; headers of one name are joined as RFC 9110 section 5.3 has it. */
function header(reader: BinaryReader, into: Map<string, string>): true {
  let key = '';
  let value = '';
  message(reader, (field, wire, r) => {
    if (wire !== WireType.LengthDelimited || field > 3) return false;
    if (field === 1) key = r.string().toLowerCase();
    else if (field === 2) value ||= r.string();
    else value = new TextDecoder().decode(r.bytes());
    return true;
  });
  const earlier = into.get(key);
  into.set(key, earlier === undefined ? value : `${earlier}, ${value}`);
  return true;
}
