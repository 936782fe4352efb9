// Owns the head of a request as it is written to a server: what may stand in it, and who frames the body.

import { isText, isTextCode, isToken } from './characters.ts';
import type { Head } from './head-bytes.ts';
import { ProtocolError } from './protocol-error.ts';

export type OutgoingHead = {
  readonly method: string;
  /** As a URL has it, with its port unless that is the scheme's own. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Bytes of the body; 0 where there is none. */
  readonly bodyLength: number;
};

/** Methods whose request says its length also where it has no body (RFC 9110 section 8.6). */
export function expectsBody(method: string): boolean {
  return (
    method === 'POST' ||
    method === 'PUT' ||
    method === 'PATCH' ||
    method === 'QUERY' ||
    method === 'PROPFIND' ||
    method === 'PROPPATCH'
  );
}

function refuse(what: string): never {
  throw new ProtocolError('invalid', `the request cannot be written: ${what}`);
}

function checkPath(path: string): void {
  if (path.charCodeAt(0) !== 0x2f) refuse('its path does not begin with a slash');
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code <= 0x20 || !isTextCode(code)) refuse('its path has a space, or what no path can have');
  }
}

/** True for a name that belongs to the connection and not to who sends: lengths tell most names at once. */
function isOfConnection(name: string): boolean {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host';
    case 6:
      return name.toLowerCase() === 'expect';
    case 7:
      return name.toLowerCase() === 'upgrade';
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}

function isLength(name: string): boolean {
  return name.length === 14 && name.toLowerCase() === 'content-length';
}

/**
 * The head, to be put into bytes. `host`, `connection` and the framing are written here:
 * of them the list may hold one `content-length`, and only the true one. A list or a path from which another header
 * or another request could come, by CR, LF or a space, throws `ProtocolError('invalid')`.
 */
export function outgoingHead({ method, host, path, headers, bodyLength }: OutgoingHead): Head {
  if (!isToken(method) || method === 'CONNECT') refuse('its method is none');
  checkPath(path);
  let lengthAt = -1;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const value = headers[at + 1] ?? refuse('a header has no value');
    if (!isToken(name)) refuse('the name of a header is none');
    if (!isText(value)) refuse(`its header \`${name}\` is not one line of text`);
    if (isLength(name)) {
      if (lengthAt >= 0 || value !== String(bodyLength)) refuse('it says another length than it has');
      lengthAt = at;
    } else if (isOfConnection(name)) refuse(`\`${name}\` is not a header of whoever sends`);
  }
  // After HEAD the connection ends: servers are known that answer it with a body.
  const connection = method === 'HEAD' ? 'close' : 'keep-alive';
  return {
    first: `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n`,
    headers: lengthAt < 0 ? headers : headers.toSpliced(lengthAt, 2),
    last: bodyLength > 0 || expectsBody(method) ? `content-length: ${bodyLength}\r\n\r\n` : '\r\n',
  };
}
