// Owns what the sandbox says, and how it counts: no model runs here, and it never pretends that one did.

const label = 'sandbox: no model ran;';
/** How much of the last user text is repeated, in UTF-8 bytes. */
const echoBytes = 400;

/** The sandbox's rule for tokens: a token is four bytes of UTF-8, the last one may be shorter. */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Tokens of a prompt: those of its JSON, so that all that is sent counts. Missing parts count nothing. */
export function countPrompt(...parts: readonly unknown[]): number {
  const present = parts.filter((part) => part !== undefined && part !== null);
  return present.reduce<number>((total, part) => total + countTokens(JSON.stringify(part)), 0);
}

/** The longest beginning of a text that has at most so many bytes of UTF-8 and splits no code point. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return bytes.toString();
  let end = Math.max(0, maxBytes);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

export type Reply = {
  readonly text: string;
  /** The text in pieces, a word and what separates it from the next. Together they are the text. */
  readonly words: readonly string[];
  readonly tokens: number;
  /** The caller's limit cut it. */
  readonly isCut: boolean;
};

/**
 * The answer to a text: the label and the beginning of the text. `maxTokens` cuts it by the rule of
 * `countTokens`; `undefined` or `null` does not.
 */
export function replyTo(userText: string, maxTokens: number | null | undefined): Reply {
  const echo = cutBytes(userText.trim(), echoBytes);
  const rest = echo.length < userText.trim().length ? '…' : '';
  const whole =
    echo === '' ? `${label} the request has no user text` : `${label} the last user text is: ${echo}${rest}`;
  const text = typeof maxTokens === 'number' ? cutBytes(whole, maxTokens * 4) : whole;
  return {
    text,
    words: text.match(/\S+\s*/g) ?? [],
    tokens: countTokens(text),
    isCut: text.length < whole.length,
  };
}
