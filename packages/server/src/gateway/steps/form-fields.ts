// Owns the fields of a form that is passed through, as far as they are text: files are left as they are.

/** Parts that are looked at, and how long the head and the text of one may be, in bytes. */
const mostParts = 1_000;
const maxHead = 2_048;
const maxText = 4_096;

const disposition = /^content-disposition:[^\r\n]*?;\s*name="?([^";\r\n]*)"?/im;
const fileName = /^content-disposition:[^\r\n]*?;\s*filename\*?=/im;
const boundaryOf = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

function partsOf(body: Buffer, boundary: string): readonly Buffer[] {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start = body.indexOf(mark);
  while (start >= 0 && parts.length < mostParts) {
    const end = body.indexOf(mark, start + mark.length);
    if (end < 0) break;
    parts.push(body.subarray(start + mark.length, end));
    start = end;
  }
  return parts;
}

function fieldOf(part: Buffer): readonly [string, string] | undefined {
  const end = part.subarray(0, maxHead).indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = part.toString('utf8', 0, end);
  const name = disposition.exec(head)?.[1];
  const isFile = fileName.test(head) || part.length - end > maxText;
  return name === undefined || isFile ? undefined : [name, part.toString('utf8', end + 4).trim()];
}

/** The text fields of a form, by name, in their order; none for a body that is no form by its type. */
export function formFields(body: Uint8Array, contentType: string): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (/^\s*application\/x-www-form-urlencoded/i.test(contentType))
    return [...new URLSearchParams(bytes.toString('utf8'))];
  if (!/^\s*multipart\//i.test(contentType)) return [];
  const found = boundaryOf.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) return [];
  return partsOf(bytes, boundary).flatMap((part) => {
    const field = fieldOf(part);
    return field === undefined ? [] : [field];
  });
}
