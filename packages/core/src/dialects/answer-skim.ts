// Owns reading the few members that matter out of an answer of any size, piece by piece, in bounded time and memory.

import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
} from '../json-bytes.ts';
import { KeptJson, Token } from './answer-skim-json.ts';
import { endOfString } from './json-scan.ts';

/** What is kept stands no deeper than this. */
const deepest = 12;
/**
 * What is left of an answer. `skimmed`: its kept members as JSON, which is whole where the answer is; what was left out
 * is not checked. `too_many`: more values than any answer has where ids are read.
 */
export type Skimmed = { readonly kind: 'skimmed'; readonly json: Uint8Array } | { readonly kind: 'too_many' };

/** What comes next: a value; one or the end of an array; a member's name; that or the end of an object; … */
type State =
  | 'value'
  | 'value_or_end'
  | 'name'
  | 'name_or_end'
  | 'colon'
  | 'after'
  | 'in_text'
  | 'in_scalar'
  | 'in_skipped'
  | 'done'
  | 'broken';

type Level = { readonly isObject: boolean; readonly keepsAll: boolean; hasMember: boolean };

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Follows one JSON text. Each byte is looked at once; what is not kept is passed over without a copy. */
export class Skim {
  #state: State = 'value';
  readonly #json = new KeptJson();
  readonly #levels: Level[] = [];
  /** The text or scalar that is under way. */
  readonly #token = new Token();
  /** The name of the member whose value is next, and whether it is kept. */
  readonly #name = new Token();
  #isName = false;
  #isEscape = false;
  #isKept = true;
  #keepsAll = false;
  #skippedDepth = 0;
  #isSkippedText = false;

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const state = this.#state;
      if (state === 'broken' || this.#json.isFull()) return;
      if (state === 'in_skipped') at = this.#skip(bytes, at);
      else if (state === 'in_text') at = this.#passText(bytes, at);
      else if (state === 'in_scalar') at = this.#passScalar(bytes, at);
      else {
        const byte = bytes[at] ?? 0;
        if (isBlank(byte)) at += 1;
        else if (state === 'value' || state === 'value_or_end') at = this.#begin(byte, at);
        else at = this.#separate(byte, at);
      }
    }
  }

  /** True where the rest need not be read: there is more than can be kept. */
  isFull(): boolean {
    return this.#json.isFull();
  }

  /** What was kept, once the text has ended; of a text that broke off or is no JSON it is no JSON either. */
  end(): Skimmed {
    if (this.#state === 'in_scalar' && this.#levels.length === 0) this.#endScalar();
    if (this.#json.isFull()) return { kind: 'too_many' };
    return { kind: 'skimmed', json: this.#state === 'done' ? this.#json.bytes() : new Uint8Array(0) };
  }

  /** Writes what stands before a value that is kept. */
  #lead(): void {
    const level = this.#levels.at(-1);
    this.#json.lead(level?.hasMember === true, level?.isObject === true ? this.#name : undefined);
    if (level !== undefined) level.hasMember = true;
  }

  /** The first byte of a value, or of the end of an empty array. */
  #begin(byte: number, at: number): number {
    const level = this.#levels.at(-1);
    if (byte === closeBracket && this.#state === 'value_or_end') return this.#close(byte, at);
    if (level === undefined) this.#isKept = byte !== openBracket;
    else if (!level.isObject) {
      // Numbers of vectors, and what else stands in lists by itself, say nothing.
      this.#isKept = level.keepsAll || byte === openBrace || byte === openBracket || byte === quote;
      this.#keepsAll = level.keepsAll;
    }
    const isContainer = byte === openBrace || byte === openBracket;
    if (isContainer && this.#levels.length >= deepest) this.#isKept = false;
    if (!this.#isKept) {
      if (level === undefined) {
        this.#json.add(openBracket);
        this.#json.add(closeBracket);
      }
      this.#state = 'in_skipped';
      this.#skippedDepth = 0;
      this.#isSkippedText = false;
      return at;
    }
    if (byte === quote) {
      this.#startToken('in_text', false);
      return at + 1;
    }
    if (!isContainer) {
      this.#startToken('in_scalar', false);
      return at;
    }
    this.#state = byte === openBrace ? 'name_or_end' : 'value_or_end';
    this.#lead();
    this.#json.add(byte);
    this.#levels.push({ isObject: byte === openBrace, keepsAll: this.#keepsAll, hasMember: false });
    return at + 1;
  }

  #startToken(state: 'in_text' | 'in_scalar', isName: boolean): void {
    this.#state = state;
    this.#isName = isName;
    this.#isEscape = false;
    (isName ? this.#name : this.#token).length = 0;
  }

  /** What stands between values: names, colons, commas and ends. */
  #separate(byte: number, at: number): number {
    const level = this.#levels.at(-1);
    const state = this.#state;
    if ((state === 'name' || state === 'name_or_end') && byte === quote) this.#startToken('in_text', true);
    else if (state === 'name_or_end' && byte === closeBrace) this.#close(byte, at);
    else if (state === 'colon' && byte === colon) this.#state = 'value';
    else if (state === 'after' && level !== undefined && byte === comma)
      this.#state = level.isObject ? 'name' : 'value';
    else if (state === 'after' && level !== undefined) this.#close(byte, at);
    else this.#state = 'broken';
    return at + 1;
  }

  #close(byte: number, at: number): number {
    const level = this.#levels.pop();
    if (level === undefined || byte !== (level.isObject ? closeBrace : closeBracket)) {
      this.#state = 'broken';
      return at + 1;
    }
    this.#json.add(byte);
    this.#afterValue();
    return at + 1;
  }

  #afterValue(): void {
    this.#state = this.#levels.length === 0 ? 'done' : 'after';
  }

  /** The offset of the quote that closes the text under way, or the end of these bytes where it goes on. */
  #endOfText(bytes: Uint8Array, at: number): number {
    const from = this.#isEscape ? at + 1 : at;
    this.#isEscape = false;
    const end = endOfString(bytes, from);
    if (end >= 0) return end;
    let run = bytes.length;
    while (run > from && bytes[run - 1] === backslash) run -= 1;
    this.#isEscape = ((bytes.length - run) & 1) === 1;
    return bytes.length;
  }

  #passText(bytes: Uint8Array, at: number): number {
    const end = this.#endOfText(bytes, at);
    (this.#isName ? this.#name : this.#token).add(bytes, at, end);
    if (end === bytes.length) return end;
    if (this.#isName) this.#endName();
    else {
      this.#lead();
      this.#json.text(this.#token);
      this.#afterValue();
    }
    return end + 1;
  }

  #endName(): void {
    this.#state = 'colon';
    const kind = this.#name.kind(this.#levels.at(-1)?.keepsAll === true);
    this.#isKept = kind !== 'skipped';
    this.#keepsAll = kind === 'kept_with_all';
  }

  #passScalar(bytes: Uint8Array, at: number): number {
    let end = at;
    while (end < bytes.length) {
      const byte = bytes[end];
      if (byte === comma || byte === closeBrace || byte === closeBracket || isBlank(byte)) break;
      end += 1;
    }
    this.#token.add(bytes, at, end);
    if (end < bytes.length) this.#endScalar();
    return end;
  }

  #endScalar(): void {
    this.#lead();
    this.#json.write(this.#token);
    this.#afterValue();
  }

  /** Passes over a value that is not kept, up to the comma or the bracket behind it. */
  #skip(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    let at = from;
    let depth = this.#skippedDepth;
    while (at < length) {
      if (this.#isSkippedText) {
        at = this.#endOfText(bytes, at);
        if (at === length) break;
        this.#isSkippedText = false;
        at += 1;
        continue;
      }
      const byte = bytes[at];
      if (byte === quote) {
        this.#isSkippedText = true;
        this.#isEscape = false;
      } else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) {
        if (depth === 0) return this.#endSkipped(at);
        depth -= 1;
        if (depth === 0 && this.#levels.length === 0) return this.#endSkipped(at + 1);
      } else if (byte === comma && depth === 0) return this.#endSkipped(at);
      at += 1;
    }
    this.#skippedDepth = depth;
    return at;
  }

  #endSkipped(at: number): number {
    this.#state = this.#levels.length === 0 ? 'done' : 'after';
    return at;
  }
}
