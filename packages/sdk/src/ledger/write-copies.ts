// Owns the files beside an export's tiles: the entries and their hashes as lines, and what else they are copied to.

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CopyFormat, copyForms } from '@countersign/core/ledger/copies/formats';
import { toHex } from '@countersign/core/ledger/encoding';
import { copiedEntry } from './copied-entries.ts';
import { exportFiles } from './read-export.ts';

export type CopyFiles = {
  /** Adds the entries from place `first` on, with the leaf hash of each. */
  readonly write: (first: number, entries: readonly Uint8Array[], leaves: readonly Uint8Array[]) => void;
  readonly close: () => void;
  /** How many files there are. */
  readonly count: number;
};

/** Opens the copies in a directory that has none of them yet. A format that is named twice is written once. */
export function openCopyFiles(directory: string, formats: readonly CopyFormat[]): CopyFiles {
  const handles: number[] = [];
  const open = (file: string) => {
    const handle = openSync(join(directory, file), 'wx');
    handles.push(handle);
    return handle;
  };
  const close = () => {
    for (const handle of handles.splice(0)) closeSync(handle);
  };
  try {
    const entriesFile = open(exportFiles.entries);
    const leavesFile = open(exportFiles.leaves);
    const copies = [...new Set(formats)].map((format) => {
      const { file, head, line } = copyForms[format];
      const handle = open(file);
      if (head !== undefined) writeFileSync(handle, `${head}\n`);
      return { handle, line };
    });
    const write: CopyFiles['write'] = (first, entries, leaves) => {
      writeFileSync(entriesFile, Buffer.concat(entries.flatMap((entry) => [entry, Buffer.from('\n')])));
      writeFileSync(leavesFile, leaves.map((leaf) => `${toHex(leaf)}\n`).join(''));
      if (copies.length === 0) return;
      const copied = entries.map((entry, at) =>
        copiedEntry(entry, first + at, leaves[at] ?? new Uint8Array(0)),
      );
      for (const { handle, line } of copies)
        writeFileSync(handle, copied.map((one) => `${line(one)}\n`).join(''));
    };
    return { write, close, count: handles.length };
  } catch (error) {
    close();
    throw error;
  }
}
