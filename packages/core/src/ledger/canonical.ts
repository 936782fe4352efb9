// Owns canonical JSON (RFC 8785) for the ledger's values: strings, booleans, null, arrays, objects, safe integers.

/** Is told how many lone surrogates were replaced by U+FFFD in one string. */
export type OnReplaced = (count: number) => void;

/**
 * Canonical JSON text that was rendered before and may be put into a larger text as it is. Made only by
 * `fragment` and `fragmentObject`; an object, so that a plain string can never be taken for one.
 */
export type Fragment = { readonly canonical: string };

/** Deeper values are refused: neither our writer nor a stranger's reader should need a deep stack. */
export const maxDepth = 32;

// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8785 section 3.2.2.2 escapes exactly these
const needsCare = /["\\\u0000-\u001f\ud800-\udfff]/;

/**
 * The JSON string literal of `text` (RFC 8785 section 3.2.2.2). RFC 8785 has no form for lone surrogates:
 * each becomes U+FFFD and is counted through `onReplaced`.
 */
export function quote(text: string, onReplaced?: OnReplaced): string {
  if (!needsCare.test(text)) return `"${text}"`;
  if (text.isWellFormed()) return JSON.stringify(text);
  const fixed = text.toWellFormed();
  if (onReplaced !== undefined) {
    let count = 0;
    // Both forms have the same length: a lone surrogate and U+FFFD are one UTF-16 unit each.
    for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== fixed.charCodeAt(i)) count += 1;
    onReplaced(count);
  }
  return JSON.stringify(fixed);
}

function number(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`\`${value}\` cannot be recorded: use an integer of at most 2^53 - 1`);
  }
  return String(value);
}

function list(values: readonly unknown[], onReplaced: OnReplaced | undefined, depth: number): string {
  let text = '';
  for (const value of values) text += `${text === '' ? '' : ','}${render(value, onReplaced, depth)}`;
  return `[${text}]`;
}

function object(value: object, onReplaced: OnReplaced | undefined, depth: number): string {
  // RFC 8785 section 3.2.3: names in order of UTF-16 code units, which is the default order here.
  const names = Object.keys(value).sort();
  if (names.some(isIllFormed)) return object(withFixedNames(value, onReplaced), onReplaced, depth);
  let text = '';
  for (const name of names) {
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${quote(name)}:${render(member, onReplaced, depth)}`;
  }
  return `{${text}}`;
}

function isIllFormed(text: string): boolean {
  return !text.isWellFormed();
}

function withFixedNames(value: object, onReplaced: OnReplaced | undefined): object {
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const fixed = name.toWellFormed();
    if (members.has(fixed)) throw new TypeError('two names become one when lone surrogates are replaced');
    if (fixed !== name) quote(name, onReplaced);
    members.set(fixed, member);
  }
  return Object.fromEntries(members);
}

function render(value: unknown, onReplaced: OnReplaced | undefined, depth: number): string {
  if (typeof value === 'string') return quote(value, onReplaced);
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null) return 'null';
  if (depth >= maxDepth) throw new RangeError(`a recorded value may nest ${maxDepth} deep`);
  if (Array.isArray(value)) return list(value, onReplaced, depth + 1);
  if (typeof value === 'object') return object(value, onReplaced, depth + 1);
  throw new TypeError(`a ${typeof value} cannot be recorded: only JSON values can`);
}

/**
 * RFC 8785 text of a JSON value. Object members that are undefined are left out. Throws a RangeError for
 * numbers that are not safe integers and for nesting beyond `maxDepth`, a TypeError for what is not JSON.
 */
export function canonicalJson(value: unknown, onReplaced?: OnReplaced): string {
  return render(value, onReplaced, 0);
}

/** Renders a value once, to be put into many entries. Errors as `canonicalJson`. */
export function fragment(value: unknown, onReplaced?: OnReplaced): Fragment {
  return { canonical: flat(render(value, onReplaced, 0)) };
}

/** Where `flat` leaves what it looked at. */
const seen = { unit: 0 };

/**
 * The same text in one piece. What was put together by `+` is a tree of its pieces, which is kept as long as the
 * text: several times its size, and walked whenever it becomes part of another. Looking at a character joins it, and
 * the character is kept, because a compiler leaves out what nobody can see: half of all fragments stayed trees.
 */
function flat(text: string): string {
  seen.unit = text.charCodeAt(0);
  return text;
}

/**
 * An object from rendered members. INVARIANT: names ascend strictly in UTF-16 order, else a RangeError.
 */
export function fragmentObject(members: readonly (readonly [name: string, value: Fragment])[]): Fragment {
  let text = '';
  let last: string | undefined;
  for (const [name, value] of members) {
    if (last !== undefined && name <= last) throw new RangeError(`\`${name}\` must come before \`${last}\``);
    text += `${last === undefined ? '' : ','}${quote(name)}:${value.canonical}`;
    last = name;
  }
  return { canonical: `{${text}}` };
}

/** How many bytes the text has in UTF-8. Lone surrogates count as U+FFFD, as encoders write them. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is 4 bytes over 2 units: 2 more, counted one for each half.
    const paired = unit >= 0xd800 && unit <= 0xdfff && (text.codePointAt(i) ?? 0) > 0xffff;
    length += unit < 0x800 ? 1 : 2;
    if (paired) i += 1;
  }
  return length;
}
