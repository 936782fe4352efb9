// Owns removing secrets from text, by the shapes that secrets have and the names that stand before them.

/** What stands where a secret stood. */
export const scrubbed = '[secret]';

/** Text beyond this is not examined, and so not logged. */
const mostExamined = 64 * 1024;
/** UTF-16 units of one text that reach the log. */
const mostLogged = 8 * 1024;

/** Names whose value is secret, as they end when written in lower case without `-` and `_`. */
const secretName =
  /(?:authorization|cookies?2?|passwords?|passwd|pwd|passphrase|secrets?|token|jwt|assertion|credentials?|(?:api|master|private|signing|provider|sealing|access|secret|session|encryption|shared|virtual|subscription)keys?|xgoogapikey|xcountersignuser|codeverifier|otp|dpop|databaseurl|connectionstring|rawheaders)$/;

/** True when a field or header of this name holds a secret, in any case and with any separators. */
export function isSecretName(name: string): boolean {
  return name.length <= 256 && secretName.test(name.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

/** A name in running text, with what may stand between its words. */
const named =
  'authorization|(?:set-)?cookie2?|passw(?:or)?d|passphrase|(?:client[-_ ]?|shared[-_ ]?)?secret|' +
  '(?:access|refresh|id|session|auth|security|bearer|user|csrf)?[-_]?token|client_assertion|code_verifier|' +
  '(?:x[-_]|x-goog[-_]|openai[-_]|anthropic[-_])?(?:api|master|private|signing|access|secret|subscription)[-_]?key|' +
  'x-countersign-user|dpop';
/** Quotes around the name and what parts it from its value, also where the text is JSON inside JSON. */
const parted = String.raw`\\{0,3}["']?\s{0,8}(?:[:=]|=>|,(?=\s{0,8}\\{0,3}["']))\s{0,8}`;
/** A value in quotes to its closing quote; in escaped quotes to the next quote; bare to the end of its line. */
const quotedValue = String.raw`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\\{1,3}["'][^"'\r\n]*`;

const pairToLine = new RegExp(
  `((?:proxy-)?authorization|(?:set-)?cookie2?)(${parted})(?:${quotedValue}|[^\\r\\n]+)`,
  'gi',
);
const pairToBlank = new RegExp(`(${named})(${parted})(?:${quotedValue}|[^\\s"',;&)}]+)`, 'gi');

/** After `Bearer` and the like, words that speak of credentials and are none. */
const plainWord = String.raw`(?:tokens?|credentials?|auth|authentication|authorization|schemes?|headers?|keys?|is|or|and|was)(?:[.,;:)\x60]{0,2}(?:\s|$))`;

type Rule = { readonly pattern: RegExp; readonly replacement: string };

/**
 * Applied in order. INVARIANT: linear on any text: no pattern can begin at many places of one run and fail
 * only at the run's end.
 */
const rules: readonly Rule[] = [
  // Private keys in PEM or PGP armour, also with their line ends escaped; without an end, to the text's end.
  {
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g,
    replacement: scrubbed,
  },
  // Virtual keys of ours, whole or cut off.
  { pattern: /csk_[0-9A-Za-z_]{4,}/gi, replacement: scrubbed },
  // JSON in base64url: tokens, whole or cut off.
  { pattern: /eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}/g, replacement: scrubbed },
  // Keys by their issuers' shapes.
  {
    pattern:
      /(?<![A-Za-z0-9])(?:sk|pk|rk|xai|pplx|gsk|hf|npm|glpat|xox[abeoprs]|gh[oprsu]|github_pat|whsec|SG|dop_v1)[-_.][A-Za-z0-9_.-]{8,}/g,
    replacement: scrubbed,
  },
  { pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}/g, replacement: scrubbed },
  { pattern: /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{20,}/g, replacement: scrubbed },
  // Passwords in addresses: `scheme://user:password@host`.
  { pattern: /:\/\/[^\s/?#"'@:]{0,256}:[^\s/?#"']{1,1024}@/g, replacement: `://${scrubbed}@` },
  // Secrets in queries and forms.
  {
    pattern:
      /([?&;](?:key|code|sig|signature|state|api[-_]?key|[a-z_-]{0,24}(?:token|secret|password|assertion|verifier))=)[^&\s"'#\\]+/gi,
    replacement: `$1${scrubbed}`,
  },
  { pattern: pairToLine, replacement: `$1$2${scrubbed}` },
  { pattern: pairToBlank, replacement: `$1$2${scrubbed}` },
  // What follows an authentication scheme (RFC 9110 section 11.1).
  {
    pattern: new RegExp(
      String.raw`\b(bearer|basic|dpop|negotiate)(\s{1,8})(?!${plainWord})[^\s"',;]{4,}`,
      'gi',
    ),
    replacement: `$1$2${scrubbed}`,
  },
];

/** True when no rule can match: most texts are short and plain, and one look decides. */
function isPlain(text: string): boolean {
  return !/[:=?]|csk_|eyJ|AKIA|ASIA|AIza|[-_.][A-Za-z0-9_.-]{8}|-----|bearer|basic|dpop|negotiate|,\s*["'\\]/i.test(
    text,
  );
}

/**
 * The text with every recognised secret replaced by `[secret]`, cut at 8 KiB. Rather too much is removed than
 * too little. A secret of no known shape under no known name cannot be recognised: it must not be logged.
 */
export function scrubText(text: string): string {
  if (text.length < 4 || (text.length <= mostLogged && isPlain(text))) return text;
  const cut = text.length > mostExamined;
  // A secret that the cut divides would no longer be recognised: what could be its beginning goes too.
  let clean = cut ? text.slice(0, mostExamined).replace(/(?<![^\s"',;])[^\s"',;]*$/, '') : text;
  for (const { pattern, replacement } of rules) clean = clean.replace(pattern, replacement);
  return cut || clean.length > mostLogged
    ? `${clean.slice(0, mostLogged)}… (${text.length} characters)`
    : clean;
}
