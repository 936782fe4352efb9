// Owns the words of data classification: labels, the groups they roll up into, spans and sinks.

/** What the built-in detectors find. A label names a kind of data; it never carries the data. */
export const builtinLabels = [
  'email',
  'phone',
  'us_ssn',
  'payment_card',
  'iban',
  'ip_address',
  'birth_date',
  'api_key',
  'private_key',
  'url_password',
  'controlled',
] as const;

export type BuiltinLabel = (typeof builtinLabels)[number];

/** Labels that sum others, so that a policy can name one word. A group is present when a member is. */
export const labelGroups = {
  personal: ['email', 'phone', 'us_ssn', 'ip_address', 'birth_date'],
  financial: ['payment_card', 'iban'],
  secret: ['api_key', 'private_key', 'url_password'],
} as const satisfies { readonly [group: string]: readonly BuiltinLabel[] };

export type LabelGroup = keyof typeof labelGroups;

/**
 * Labels of what looks like any other number. An id, a version or a cursor has the form of one by chance (one in fifty
 * ids of 18 digits passes for a card), so in a control they are not looked for.
 */
const numberLabels: ReadonlySet<string> = new Set<BuiltinLabel>([
  'phone',
  'us_ssn',
  'ip_address',
  'birth_date',
  'payment_card',
  'iban',
]);

/** False for what is not looked for in a control: everything but banners, secrets by their shape, and addresses of mail. */
export function countsInControl(label: string): boolean {
  return !numberLabels.has(label);
}

/**
 * Labels of the classification itself: content that no detector read, text beyond a work limit, and what the provider
 * sealed itself and is sent back.
 */
export const markerLabels = ['opaque', 'unexamined', 'provider_sealed'] as const;

/** Raised whenever a built-in detector changes what it finds: records name the detectors that read them. */
export const builtinDetectorVersion = 'builtin-2';

/** One finding: `start` and `end` are code-unit offsets into the text that was given, end exclusive. */
export type Span = { readonly label: string; readonly start: number; readonly end: number };

/** Receives findings. Those of the built-in detectors never overlap one another. */
export type Sink<L extends string = BuiltinLabel> = (label: L, start: number, end: number) => void;

/**
 * A text as its UTF-16 code units, in a typed array: bytes where all of it is ASCII. The scanner reads these four times
 * as fast as the string. Tests pass a twin that counts its steps.
 */
export type Units = { readonly length: number; readonly [index: number]: number };

export function isBuiltinLabel(text: string): text is BuiltinLabel {
  return builtinLabels.some((label) => label === text);
}

export function isLabelGroup(text: string): text is LabelGroup {
  return Object.hasOwn(labelGroups, text);
}

/** The labels that an organization may not give to a classifier of its own. */
export function isReservedLabel(text: string): boolean {
  return isBuiltinLabel(text) || isLabelGroup(text) || markerLabels.some((label) => label === text);
}
