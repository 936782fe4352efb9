// Owns finding where values named by their path stand in a body that has been parsed already.

import { parseJson } from '../parse-json.ts';
import { endOfString } from './json-scan.ts';
import type { BodyPath, Span } from './request-types.ts';

/** Wanted paths as a tree, so that one walk finds them all. */
type Wanted = { found: number | undefined; readonly children: Map<string, Wanted> };

type Walk = {
  readonly bytes: Uint8Array;
  readonly decodeUtf8: (bytes: Uint8Array) => string;
  readonly spans: (Span | undefined)[];
  at: number;
};

function plant(paths: readonly BodyPath[]): { readonly root: Wanted; readonly same: readonly number[] } {
  const root: Wanted = { found: undefined, children: new Map() };
  const same: number[] = [];
  paths.forEach((path, index) => {
    let node = root;
    for (const step of path) {
      const key = String(step);
      let child = node.children.get(key);
      if (child === undefined) {
        child = { found: undefined, children: new Map() };
        node.children.set(key, child);
      }
      node = child;
    }
    node.found ??= index;
    same.push(node.found);
  });
  return { root, same };
}

function skipSpace(walk: Walk): void {
  for (;;) {
    const byte = walk.bytes[walk.at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
    walk.at += 1;
  }
}

/** Moves past the value at `at`. */
function skipValue(walk: Walk): void {
  let depth = 0;
  const { bytes } = walk;
  while (walk.at < bytes.length) {
    const byte = bytes[walk.at];
    if (byte === 0x22) {
      walk.at = stringEnd(walk) - 1;
    } else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return;
      depth -= 1;
    } else if (byte === 0x2c && depth === 0) return;
    walk.at += 1;
  }
}

function stringEnd(walk: Walk): number {
  const end = endOfString(walk.bytes, walk.at + 1);
  return end < 0 ? walk.bytes.length : end + 1;
}

function readKey(walk: Walk): string {
  const end = stringEnd(walk);
  const key: unknown = parseJson(walk.decodeUtf8(walk.bytes.subarray(walk.at, end)), false);
  walk.at = end;
  return typeof key === 'string' ? key : '';
}

function endTrimmed(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start) {
    const byte = bytes[last - 1];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    last -= 1;
  }
  return last;
}

function walkMembers(walk: Walk, wanted: Wanted, isArray: boolean): void {
  const { bytes } = walk;
  walk.at += 1;
  for (let index = 0; walk.at < bytes.length; index += 1) {
    skipSpace(walk);
    const byte = bytes[walk.at];
    if (byte === 0x7d || byte === 0x5d) break;
    let key = String(index);
    if (!isArray) {
      key = readKey(walk);
      skipSpace(walk);
      walk.at += 1; // the colon
    }
    walkValue(walk, wanted.children.get(key));
    skipSpace(walk);
    if (bytes[walk.at] === 0x2c) walk.at += 1;
  }
  walk.at += 1;
}

function walkValue(walk: Walk, wanted: Wanted | undefined): void {
  skipSpace(walk);
  const start = walk.at;
  const byte = walk.bytes[start];
  if (wanted === undefined || wanted.children.size === 0) skipValue(walk);
  else if (byte === 0x7b || byte === 0x5b) walkMembers(walk, wanted, byte === 0x5b);
  else skipValue(walk);
  if (wanted?.found === undefined) return;
  walk.spans[wanted.found] = { start, end: endTrimmed(walk.bytes, start, walk.at) };
}

/**
 * The span of each path's value in `bytes`, in the order of `paths`; `undefined` where there is none. `bytes`
 * must be JSON that `readJsonBody` accepted. One walk, whatever the number of paths.
 */
export function locatePaths(
  bytes: Uint8Array,
  paths: readonly BodyPath[],
  decodeUtf8: (bytes: Uint8Array) => string,
): readonly (Span | undefined)[] {
  const { root, same } = plant(paths);
  const walk: Walk = { bytes, decodeUtf8, spans: paths.map(() => undefined), at: 0 };
  walkValue(walk, root);
  return same.map((index) => walk.spans[index]);
}
