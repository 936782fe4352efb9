// Owns what becomes of the members that a level's reader does not read: every one of them goes to classification.

import { isPlain, isShort, isText, isWord, type Level } from './known-keys.ts';
import {
  addControl,
  addOpaque,
  addOutside,
  addStructured,
  addText,
  checkKey,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';
import { isSealed } from './sealed.ts';
import { holdsMedia, unreadableIn } from './unread-media.ts';

/** A value of any type, as text: a string, the digits of a long number, the JSON text of anything else. */
export function addWords(builder: RequestBuilder, role: PartRole, value: unknown, path: BodyPath): void {
  if (typeof value === 'string') addText(builder, role, value, path);
  else if (typeof value === 'object' && value !== null) addStructured(builder, role, value, path);
  else if (typeof value === 'number' && !isShort(value)) addText(builder, role, String(value), path);
}

/** True for a number that a client draws by chance: long enough for a card's, and nobody's. */
function isDrawn(key: string, value: unknown): boolean {
  return key === 'seed' && typeof value === 'number';
}

/** A member that no reader reads: nothing if it is made of the dialects' own words, else its text; media in it are opaque. */
export function addMember(
  builder: RequestBuilder,
  role: PartRole,
  object: JsonRecord,
  key: string,
  path: BodyPath,
  isControl = false,
): void {
  const value = object[key];
  if (isPlain(value) || isDrawn(key, value)) return;
  const place = [...path, key];
  if (holdsMedia(key, value)) addOpaque(builder, role, 'unknown_type', place);
  if (isControl) addControl(builder, role, value, place);
  else addWords(builder, role, value, place);
}

/** Passes every member that `level` does not read to classification; the name of one that nobody knows is a text too. */
export function addRest(
  builder: RequestBuilder,
  role: PartRole,
  object: JsonRecord,
  level: Level,
  path: BodyPath,
): void {
  for (const key in object) {
    if (level.read.has(key)) continue;
    const isKnown = level.known.has(key);
    if (!isKnown) {
      checkKey(builder, key, level.known);
      if (!isWord(key)) addOutside(builder, role, key);
    }
    addMember(builder, role, object, key, path, isKnown && !isText(key));
  }
}

/** What a provider's own tool or an item of it says: its JSON text, and the media and sealed data inside it. */
export function addWhole(builder: RequestBuilder, role: PartRole, value: JsonRecord, path: BodyPath): void {
  addStructured(builder, role, value, path);
  const unreadable = unreadableIn('', value, isSealed);
  if (unreadable !== undefined)
    addOpaque(builder, role, unreadable === 'media' ? 'unknown_type' : 'sealed', path);
}
