// Owns the fields of a form that is passed through: read so strictly that nobody behind us reads others.

import { isNaming } from '@countersign/core/dialects/kept-ids';
import { isModelKey } from '@countersign/core/dialects/named-in';
import { AppError } from '@countersign/core/errors';

export type Field = readonly [name: string, value: string];

/** Bounds of a form: parts, bytes of a part's head, and of a text that names something. */
const mostParts = 1_000;
const maxHead = 2_048;
const maxName = 256;
/** A text field that is longer is left unread: it names nothing by its looks. */
const maxText = 4_096;
/** Bytes and pairs of a body in the form of a query: reading it takes the square of its pairs. */
const maxQueryForm = 65_536;
export const mostPairs = 1_000;

const formType = /^\s*multipart\/form-data\s*;\s*boundary=("?)([A-Za-z0-9'()+_,./:=?-]{1,70})\1\s*$/i;
const disposition =
  /^content-disposition: ?form-data; ?name="([^"\\\r\n]{1,256})"(; ?filename="[^"\\\r\n]{0,1024}")?(; ?filename\*=[A-Za-z0-9'%!#$&+.^_`|~-]{1,1024})?$/i;
const plainHeader = /^[A-Za-z0-9-]{1,64}:[^\r\n]*$/;

function refuse(what: string): never {
  throw new AppError('invalid_request', `the form cannot be read for sure: ${what}`);
}

/** Refuses a query or a form of so many pairs that reading them would hold everyone up. */
export function checkPairs(text: string): void {
  let pairs = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === 0x26 || character === 0x3b) pairs += 1;
  }
  if (pairs > mostPairs)
    throw new AppError('invalid_request', `a query or form may have ${mostPairs} pairs: send fewer`);
}

const isHeader = (line: string, name: string): boolean => line.toLowerCase().startsWith(`${name}:`);

/** One field from its part's head and bytes; undefined for a file and for a long text. */
function fieldOf(head: string, value: Buffer): Field | undefined {
  const lines = head.split('\r\n');
  const dispositions = lines.filter((line) => line.toLowerCase().startsWith('content-disposition'));
  const [, name, file, encodedFile] = disposition.exec(dispositions[0] ?? '') ?? [];
  if (name === undefined || dispositions.length > 1)
    refuse('each part needs one `content-disposition: form-data` with a `name` in quotes');
  if (!lines.every((line) => plainHeader.test(line))) refuse('a part has a header that is none');
  if (lines.some((line) => isHeader(line, 'content-transfer-encoding'))) refuse('a part is encoded');
  const isFile = file !== undefined || encodedFile !== undefined;
  const isJson = lines.some((line) => isHeader(line, 'content-type') && line.toLowerCase().includes('json'));
  const names = isModelKey(name) || (isNaming(name) && !(isFile && /^files?(\[\])?$/i.test(name)));
  if (names && (isFile || isJson || value.length > maxName))
    refuse(`\`${name.slice(0, 40)}\` must be a plain text of at most ${maxName} bytes`);
  if (isJson && !isFile) refuse('a part is JSON: send the fields one by one, or JSON as the whole body');
  return isFile || value.length > maxText ? undefined : [name, value.toString('utf8')];
}

function readMultipart(body: Buffer, boundary: string): readonly Field[] {
  const mark = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const fields: Field[] = [];
  // The first delimiter has no line before it.
  if (!body.subarray(0, mark.length - 2).equals(mark.subarray(2)))
    refuse('it does not begin with its boundary');
  let at = mark.length - 2;
  for (let parts = 0; ; parts += 1) {
    const sign = body.toString('latin1', at, at + 2);
    if (sign === '--') break;
    if (sign !== '\r\n' || parts >= mostParts)
      refuse(`a boundary stands wrong, or there are over ${mostParts} parts`);
    const headEnd = body.subarray(at + 2, at + 2 + maxHead).indexOf('\r\n\r\n');
    const end = headEnd < 0 ? -1 : body.indexOf(mark, at + 2 + headEnd + 2);
    if (end < 0) refuse('a part has no end, or too long a head');
    const head = body.toString('utf8', at + 2, at + 2 + headEnd);
    const field = fieldOf(head, body.subarray(Math.min(at + 2 + headEnd + 4, end), end));
    if (field !== undefined) fields.push(field);
    at = end + mark.length;
  }
  if (body.subarray(at + 2).some((byte) => byte !== 0x0d && byte !== 0x0a))
    refuse('something follows its end');
  return fields;
}

/**
 * The text fields of a form, by name, in their order; none for a body that is no form by its type. Throws
 * `invalid_request` for a form that another reader might take for another one.
 */
export function formFields(body: Uint8Array, contentType: string): readonly Field[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (/^\s*application\/x-www-form-urlencoded/i.test(contentType)) {
    if (bytes.length > maxQueryForm) refuse(`it may have ${maxQueryForm} bytes`);
    const text = bytes.toString('utf8');
    checkPairs(text);
    return [...new URLSearchParams(text), ...new URLSearchParams(text.replaceAll(';', '&'))];
  }
  if (!/^\s*multipart\//i.test(contentType)) return [];
  const boundary = formType.exec(contentType)?.[2];
  if (boundary === undefined) refuse('send `multipart/form-data; boundary=…` with a plain boundary');
  return readMultipart(bytes, boundary);
}
