// Owns the list of the formats that entries are copied to: each one's file in an export, and its lines.

import type { CopiedEntry } from './copied-entry.ts';
import { csvCopy, csvHead } from './csv.ts';
import { ocsfCopy } from './ocsf.ts';
import { otlpCopy } from './otlp.ts';
import { syslogCopy } from './syslog.ts';

/** INVARIANT: a line is a function of its entry, place and leaf hash: who has the log can make it again. */
export type CopyForm = {
  readonly file: string;
  /** A first line that is no entry, without its line feed. */
  readonly head?: string;
  /** An entry's line, without its line feed and without one in it. */
  readonly line: (copied: CopiedEntry) => string;
};

export const copyFormats = ['ocsf', 'otlp', 'syslog', 'csv'] as const;
export type CopyFormat = (typeof copyFormats)[number];

export const copyForms: { readonly [F in CopyFormat]: CopyForm } = {
  ocsf: { file: 'entries.ocsf.jsonl', line: ocsfCopy },
  otlp: { file: 'entries.otlp.jsonl', line: otlpCopy },
  syslog: { file: 'entries.syslog', line: syslogCopy },
  csv: { file: 'entries.csv', head: csvHead, line: csvCopy },
};

export function isCopyFormat(name: string): name is CopyFormat {
  return copyFormats.some((one) => one === name);
}
