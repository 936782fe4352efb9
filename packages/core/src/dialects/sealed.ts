// Owns the form of what a provider sealed itself and is sent back: reasoning, signatures of thinking, compacted context.

import { addOpaque, addText, type RequestBuilder } from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
/** How files begin in base64: PDF, PNG, JPEG, GIF, ZIP and office documents, gzip, RIFF, MP3, Ogg, XML. */
const file = /^(?:JVBERi|iVBORw|\/9j\/|R0lGOD|UEsDB|H4sI|UklGR|SUQz|T2dnU|PD94b)/;
/** Sealed data are longer than this; what is shorter could be a key, and is read as text too. */
const firstSealed = 256;

/** True for a text in base64 that is not a file by its beginning. */
export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && base64.test(value) && !file.test(value);
}

/**
 * Notes sealed data in the one place where a provider expects its own. Only that provider can open them, so they
 * are not `opaque`; what has not their form is.
 */
export function addSealed(builder: RequestBuilder, role: PartRole, value: unknown, path: BodyPath): void {
  addOpaque(builder, role, isSealed(value) ? 'sealed' : 'encrypted', path);
  if (typeof value === 'string' && value.length < firstSealed) addText(builder, role, value, path);
}
