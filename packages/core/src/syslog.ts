// Owns the form of a syslog message (RFC 5424) on one line: its header, structured data with escapes, and its text.

/** Facility 13 of RFC 5424 6.2.1: log audit. */
export const auditFacility = 13;

/** Severities of RFC 5424 6.2.1 that are used here. */
export const syslogSeverity = { critical: 2, error: 3, warning: 4, notice: 5, informational: 6 } as const;

/**
 * The enterprise number of our structured data. We have none registered, so this is the one that RFC 5612 sets aside
 * for documentation: the name before it tells ours apart.
 */
const enterprise = 32473;

/** The name of an element of structured data that is ours: `entry@32473`. */
export function ownElement(name: string): string {
  return `${name}@${enterprise}`;
}

export type SyslogElement = {
  /** `ownElement(…)`, or a name that the RFC registers. */
  readonly id: string;
  readonly params: readonly (readonly [name: string, value: string])[];
};

export type SyslogMessage = {
  /** 0 to 23. */
  readonly facility: number;
  /** 0 to 7. */
  readonly severity: number;
  /** RFC 3339 with at most six digits of a second. */
  readonly timestamp: string;
  readonly hostname: string;
  readonly app: string;
  readonly process: string;
  readonly kind: string;
  readonly data: readonly SyslogElement[];
  /** Text of any script. A control character in it would end the line for some readers: it becomes a space. */
  readonly message: string;
};

/** A header's field: printable ASCII alone (RFC 5424 6), cut to its length, and `-` where nothing is left. */
function field(text: string, most: number): string {
  if (text.length <= most && /^[!-~]+$/.test(text)) return text;
  const printable = text.slice(0, most).replace(/[^\x21-\x7e]/g, '_');
  return printable === '' ? '-' : printable;
}

/** An IPv6 address, as far as its characters go. */
const address = /^(?=.*:.*:)[0-9A-Fa-f:.]+$/;

/**
 * RFC 5424 6.2.4: the name of a host or its address. The grammar has any printable ASCII there, but a reader that goes
 * by what may be (syslog-ng) refuses the whole message for a `[` or a `:` in a name.
 */
function hostField(name: string): string {
  return field(address.test(name) ? name : name.replace(/[^A-Za-z0-9._-]/g, '_'), 255);
}

/** Everything that a reader of lines, or a terminal, may take for more than text. */
const breaks = /[\p{Cc}\u2028\u2029]/gu;

/** Values that need nothing, which most are. */
const plain = /^[ !#-[^-~]*$/;

/** RFC 5424 6.3.3: a backslash before `"`, `\` and `]`, and before nothing else. */
function escaped(value: string): string {
  if (plain.test(value)) return value;
  return value.replace(breaks, ' ').replace(/["\\\]]/g, '\\$&');
}

function elementText({ id, params }: SyslogElement): string {
  return `[${[id, ...params.map(([name, value]) => `${name}="${escaped(value)}"`)].join(' ')}]`;
}

/**
 * The message on one line, without a line feed. Its text begins with the mark that says UTF-8 (RFC 5424 6.4: U+FEFF).
 * The order of elements and parameters is kept.
 */
export function syslogLine(message: SyslogMessage): string {
  const { facility, severity, timestamp, hostname, app, process, kind, data } = message;
  const header = [
    `<${facility * 8 + severity}>1`,
    timestamp,
    hostField(hostname),
    field(app, 48),
    field(process, 128),
    field(kind, 32),
  ].join(' ');
  const elements = data.length === 0 ? '-' : data.map(elementText).join('');
  return `${header} ${elements} \ufeff${message.message.replace(breaks, ' ')}`;
}
