// Owns what a skim keeps of an answer: which members, how many values and bytes, and the JSON that they make.

import { backslash, colon, comma, quote } from '../json-bytes.ts';

/**
 * Names of the members that are read of an answer, of an event and of what an endpoint that is passed through answers:
 * what `answer-notes.ts`, `made-in-answer.ts`, `terminal.ts` and `kept-paths.ts` look at. Below `usage` all are kept.
 */
const kept: readonly string[] = [
  ...['id', 'object', 'type', 'model', 'service_tier', 'usage', 'x_groq', 'error', 'index'],
  ...['choices', 'message', 'delta', 'audio', 'finish_reason', 'stop_reason', 'content_block'],
  ...['response', 'item', 'output', 'outputs', 'content', 'annotation', 'annotations'],
  ...['container', 'container_id', 'conversation', 'conversation_id', 'file', 'files', 'file_id'],
  ...['name', 'thread_id', 'output_file_id', 'error_file_id', 'result_files'],
];

/** A name as its bytes, found by its length and two of them: making a text of each name would cost more than all else. */
type Name = { readonly bytes: readonly number[]; readonly kind: NameKind };
const slotOf = (length: number, first: number, last: number): number => (length << 16) | (first << 8) | last;

function slotsOf(names: readonly string[]): ReadonlyMap<number, readonly Name[]> {
  const slots = new Map<number, readonly Name[]>();
  for (const name of names) {
    const bytes = Array.from(name, (letter) => letter.charCodeAt(0));
    const slot = slotOf(bytes.length, bytes[0] ?? 0, bytes.at(-1) ?? 0);
    const kind = name === 'usage' ? 'kept_with_all' : 'kept';
    slots.set(slot, [...(slots.get(slot) ?? []), { bytes, kind }]);
  }
  return slots;
}

const slots = slotsOf(kept);

/** Values that are kept, and bytes of them: an answer that has more has no form that we know. */
const mostValues = 20_000;
const mostBytes = 2 * 1024 * 1024;
/** A longer text is kept as an empty one: no id and no name is so long (see `isStorable`). */
export const longestText = 2_048;

/** Bytes that are copied one by one: for fewer, a call costs more than they do. */
const nearBytes = 32;

/** What a member's name makes of its value. */
export type NameKind = 'kept' | 'kept_with_all' | 'skipped';

/** A piece of text in a buffer that is used again: what `length` bytes of it say. */
export class Token {
  readonly bytes = new Uint8Array(longestText + 1);
  length = 0;

  /** Adds what fits; a token that is full is longer than may be kept. */
  add(from: Uint8Array, start: number, end: number): void {
    const stop = Math.min(end, start + this.bytes.length - this.length);
    if (stop - start > nearBytes) {
      this.bytes.set(from.subarray(start, stop), this.length);
      this.length += stop - start;
      return;
    }
    for (let at = start; at < stop; at += 1) {
      this.bytes[this.length] = from[at] ?? 0;
      this.length += 1;
    }
  }

  #hasEscape(): boolean {
    for (let at = 0; at < this.length; at += 1) if (this.bytes[at] === backslash) return true;
    return false;
  }

  /** What it makes of its value as a member's name. One with an escape may be any: it is read when what was kept is parsed. */
  kind(keepsAll: boolean): NameKind {
    const { bytes, length } = this;
    if (length > longestText) return 'skipped';
    if (keepsAll) return 'kept_with_all';
    const named = slots.get(slotOf(length, bytes[0] ?? 0, bytes[length - 1] ?? 0));
    const found = named?.find((name) => name.bytes.every((byte, at) => bytes[at] === byte));
    if (found !== undefined) return found.kind;
    return this.#hasEscape() ? 'kept' : 'skipped';
  }
}

/** A growing JSON text, bounded in values and bytes. */
export class KeptJson {
  #bytes = new Uint8Array(4_096);
  #length = 0;
  #values = 0;
  #isFull = false;

  isFull(): boolean {
    return this.#isFull;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Counts a value and writes what stands before it: the comma behind its neighbour, and its name. */
  lead(hasNeighbour: boolean, name: Token | undefined): void {
    this.#values += 1;
    if (this.#values > mostValues) this.#isFull = true;
    if (hasNeighbour) this.add(comma);
    if (name === undefined) return;
    this.text(name);
    this.add(colon);
  }

  /** Writes a text, as it was; an empty one for one that is too long. */
  text(content: Token): void {
    this.add(quote);
    if (content.length <= longestText) this.write(content);
    this.add(quote);
  }

  write({ bytes, length }: Token): void {
    const end = this.#length + length;
    if (end > mostBytes) {
      this.#isFull = true;
      return;
    }
    if (end > this.#bytes.length) this.#grow(end);
    if (length > nearBytes) this.#bytes.set(bytes.subarray(0, length), this.#length);
    else for (let at = 0; at < length; at += 1) this.#bytes[this.#length + at] = bytes[at] ?? 0;
    this.#length = end;
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(this.#length + 1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    grown.set(this.bytes());
    this.#bytes = grown;
  }
}
