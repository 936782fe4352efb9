// Owns noticing pictures, sound, files and sealed data in members that no reader of the dialects expects them in.

import { isObject } from '../json.ts';

const mediaKey = /(?:image|images|audio|audios|video|videos|file|files|document)(?:_urls?|_data|s)?$/i;

/** The shortest run of base64 that counts: longer than any id, signature or hash that stands in a body. */
const encodedLength = 1024;
const encoded = /^[A-Za-z0-9+/_-]{1024}/;
const fetched = /^(?:https?|s3|gs|file):/i;
/** Under a name of media, a run of base64 counts that is longer than a hash. */
const shortlyEncoded = /^[A-Za-z0-9+/_-]{128}/;

/** True for a text that begins as inline data does: a run of base64 that is longer than any id or hash. */
export function isEncoded(text: string): boolean {
  return text.length >= encodedLength && encoded.test(text);
}

function isMedia(key: string, text: string): boolean {
  if (text.startsWith('data:') || isEncoded(text)) return true;
  return (fetched.test(text) || shortlyEncoded.test(text)) && mediaKey.test(key);
}

/** True when a value below `key` holds inline data, or under a name of media an address that the provider would fetch. */
export function holdsMedia(key: string, value: unknown): boolean {
  if (typeof value === 'string') return isMedia(key, value);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.some((item) => holdsMedia(key, item));
  }
  if (!isObject(value)) return false;
  for (const inner in value) {
    // `{"images": [{"url": …}]}`: the outer name says what the address is of.
    if (holdsMedia(mediaKey.test(inner) ? inner : key, value[inner])) return true;
  }
  return false;
}

/** What a part with one of these types is: `image_url`, `input_file`, `computer_screenshot`. */
const mediaType = /^(?:(?:input|output)_)?(?:image|audio|video|file)(?:_url)?$|_screenshot$/;

function isMediaPart(value: { readonly [key: string]: unknown }): boolean {
  const { type, source } = value;
  if (typeof type !== 'string') return false;
  if (type === 'document') return !isObject(source) || (source.type !== 'text' && source.type !== 'content');
  return type === 'base64' || mediaType.test(type);
}

/** What in the results of a tool that the provider ran is not text: media anywhere, and what is sealed and by whom. */
export type Unreadable = 'media' | 'sealed' | undefined;

/**
 * Looks through the result of a hosted tool: parts that are media, data URLs inside its texts, and members called
 * `encrypted_…`, which are sealed where `isSealed` knows their form and media where it does not.
 */
export function unreadableIn(key: string, value: unknown, isSealed: (value: unknown) => boolean): Unreadable {
  if (typeof value === 'string') {
    if (key.startsWith('encrypted_') && value !== '') return isSealed(value) ? 'sealed' : 'media';
    return isMedia(key, value) || value.includes(';base64,') ? 'media' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (isObject(value) && isMediaPart(value)) return 'media';
  let found: Unreadable;
  const look = (inner: string, member: unknown): boolean => {
    found = unreadableIn(inner, member, isSealed) ?? found;
    return found === 'media';
  };
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    items.some((item) => look(key, item));
  } else if (isObject(value)) {
    for (const inner in value) {
      const name = mediaKey.test(inner) || inner.startsWith('encrypted_') ? inner : key;
      if (look(name, value[inner])) break;
    }
  }
  return found;
}
