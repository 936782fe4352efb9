// Owns counting the bytes of generated text in a stream's events, each text once, without parsing them.

import { isObject } from '../json.ts';
import { backslash, closeBrace, closeBracket, colon, openBrace, openBracket, quote } from '../json-bytes.ts';
import type { EndpointId } from './endpoints.ts';
import type { JsonRecord } from './request-builder.ts';

const letterU = 0x75;

/** Members of a delta that a model did not write, or that say again what another member says. */
const unspoken: ReadonlySet<string> = new Set([
  ...['role', 'id', 'type', 'object', 'status', 'format', 'item_id', 'stop_reason', 'stop_sequence'],
  ...['data', 'signature', 'container', 'annotations', 'citation', 'citations'],
  ...['reasoning_details', 'thinking_blocks', 'provider_specific_fields'],
  ...['logprobs', 'finish_reason', 'encrypted_content', 'result', 'b64_json'],
]);

/** Two names of one thought: some servers send it under both. */
const isThought = (key: string): boolean => key === 'reasoning' || key === 'reasoning_content';

const named = '"delta"';
/** How far before a delta that is a text its event may say that it is sound. */
const typeReach = 160;

/** Bytes that a UTF-16 unit takes in UTF-8, a half of a pair two: tokens go by bytes rather than by characters. */
function bytesOf(unit: number): number {
  if (unit < 0x80) return 1;
  return unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
}

function bytesIn(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) bytes += bytesOf(text.charCodeAt(at));
  return bytes;
}

/** Walks the texts of one batch; `at` is where the next step begins. */
class TextWalk {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Moves behind the string whose first character is at `at`; answers its bytes as it reads, however it is escaped. */
  passString(): number {
    const text = this.#text;
    const { length } = text;
    let at = this.at;
    let bytes = 0;
    while (at < length) {
      const code = text.charCodeAt(at);
      if (code === quote) break;
      if (code !== backslash) {
        bytes += bytesOf(code);
        at += 1;
      } else if (text.charCodeAt(at + 1) === letterU) {
        bytes += bytesOf(Number.parseInt(text.slice(at + 2, at + 6), 16) || 0);
        at += 6;
      } else {
        bytes += 1;
        at += 2;
      }
    }
    this.at = at + 1;
    return bytes;
  }

  /** Moves behind blanks and the colon of a member; false if there is none. */
  passColon(): boolean {
    this.passBlanks();
    if (this.#text.charCodeAt(this.at) !== colon) return false;
    this.at += 1;
    this.passBlanks();
    return true;
  }

  passBlanks(): void {
    let code = this.#text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) {
      this.at += 1;
      code = this.#text.charCodeAt(this.at);
    }
  }

  /** Moves behind the object whose first character is at `at`; answers the bytes of the texts that a model wrote in it. */
  passObject(): number {
    const text = this.#text;
    let depth = 1;
    let mutedBelow = 0;
    let key = '';
    let bytes = 0;
    let thought = 0;
    while (depth > 0 && this.at < text.length) {
      const code = text.charCodeAt(this.at);
      this.at += 1;
      if (code === quote) {
        const start = this.at;
        const length = this.passString();
        const end = this.at - 1;
        if (this.passColon()) key = text.slice(start, end);
        else if (mutedBelow > 0 || unspoken.has(key)) continue;
        else if (isThought(key)) thought = Math.max(thought, length);
        else bytes += length;
      } else if (code === openBrace || code === openBracket) {
        depth += 1;
        if (mutedBelow === 0 && unspoken.has(key)) mutedBelow = depth;
      } else if (code === closeBrace || code === closeBracket) {
        if (depth === mutedBelow) mutedBelow = 0;
        depth -= 1;
      }
    }
    return bytes + thought;
  }
}

/** Text of streams whose events have no delta: completions, and dialects that are passed through. */
const undivided = /"(?:text|content)":\s?"/g;

function countUndivided(text: string): number {
  const walk = new TextWalk(text);
  let bytes = 0;
  for (const { 0: mark, index } of text.matchAll(undivided)) {
    if (index < walk.at) continue;
    walk.at = index + mark.length;
    bytes += walk.passString();
  }
  return bytes;
}

/**
 * Makes a counter of the bytes of generated text in the batches of one stream. Only what stands under `delta` counts: a
 * text itself in Responses, whose later events repeat it whole; every text of an object elsewhere (content, reasoning,
 * refusals, arguments of tools, transcripts), but for roles, ids, sound and repeats. A stream without any delta counts
 * its `text` and `content`. A quotation mark inside of a text is escaped, so no text can be taken for a member.
 */
export function createTextCounter(endpoint: EndpointId): (text: string) => number {
  const isDivided = endpoint === 'responses' || endpoint === 'messages' || endpoint === 'response_object';
  let hasDelta = isDivided;
  return (text) => {
    let found = text.indexOf(named);
    if (found >= 0) hasDelta = true;
    if (!hasDelta) return countUndivided(text);
    const walk = new TextWalk(text);
    let bytes = 0;
    while (found >= 0) {
      walk.at = found + named.length;
      if (walk.passColon()) {
        const code = text.charCodeAt(walk.at);
        walk.at += 1;
        if (code === openBrace) bytes += walk.passObject();
        else if (code === quote) {
          const isSound = text.slice(Math.max(0, found - typeReach), found).includes('audio.delta"');
          const length = walk.passString();
          if (!isSound) bytes += length;
        }
      }
      found = text.indexOf(named, walk.at);
    }
    return bytes;
  };
}

/** Deeper than any text of a known answer stands. */
const deepest = 12;

function writtenBelow(value: unknown, depth: number): number {
  if (typeof value === 'string') return bytesIn(value);
  if (depth > deepest) return 0;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.reduce<number>((total, item) => total + writtenBelow(item, depth + 1), 0);
  }
  if (!isObject(value)) return 0;
  let total = 0;
  for (const key in value) if (!unspoken.has(key)) total += writtenBelow(value[key], depth + 1);
  return total;
}

/** Bytes that a model wrote into a whole answer; undefined where the answer has none of the known places for them. */
export function writtenIn({ choices, output, content }: JsonRecord): number | undefined {
  if (choices === undefined && output === undefined && content === undefined) return undefined;
  return writtenBelow(choices, 0) + writtenBelow(output, 0) + writtenBelow(content, 0);
}
