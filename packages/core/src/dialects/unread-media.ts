// Owns noticing pictures, sound and files in members that no reader of the dialects expects them in.

import { isObject } from '../json.ts';

const mediaKey = /(?:image|images|audio|audios|video|videos|file|files|document)(?:_urls?|_data|s)?$/i;

/** The shortest run of base64 that counts: longer than any id, signature or hash that stands in a body. */
const encoded = /^[A-Za-z0-9+/_-]{1024,}={0,2}$/;

function isMedia(key: string, text: string): boolean {
  if (text.startsWith('data:') || encoded.test(text)) return true;
  return mediaKey.test(key) && /^(?:https?|s3|gs|file):/i.test(text);
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
