// Owns writing an export: the tiles directory, its checkpoint and key, and the copies for common tools.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '@countersign/core/errors';
import { type Checkpoint, openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type CopyFormat, copyFormats, copyForms } from '@countersign/core/ledger/copies/formats';
import { parseVerifierKey, type VerifierKey } from '@countersign/core/ledger/note';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { openSuccession } from '@countersign/core/ledger/succession';
import {
  decodeBundle,
  encodeBundle,
  encodeTile,
  entriesLevel,
  foldTile,
  tilePath,
  tileWidth,
} from '@countersign/core/ledger/tile';
import {
  appendLeaves,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  type TreeHasher,
} from '@countersign/core/ledger/tree';
import { checkpointIn } from './checkpoint-in.ts';
import { nodeVerifying } from './node-verifying.ts';
import type { Progress } from './progress.ts';
import { exportFiles } from './read-export.ts';
import { openCopyFiles } from './write-copies.ts';

export type ExportSource = {
  /** The log's verifier key text. */
  readonly vkey: string;
  /** The signed checkpoint to export at. */
  readonly checkpoint: string;
  /**
   * The newest checkpoint that witnesses have cosigned, if there is one. It is written as it is, whatever it says of the
   * tree: `verifyDirectory` holds the tree to it.
   */
  readonly cosigned?: string;
  /** The note by which the key of a former log has handed over to this log, if it continues one that has. */
  readonly succession?: string;
  /**
   * The entries in order from place 0, as bundles (16-bit length ‖ entry) of any number of entries. What comes
   * after the checkpoint's size is not read.
   */
  readonly bundles: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Formats to copy the entries to, beside the lines and hashes that each export has. */
  readonly copies?: readonly CopyFormat[];
};

export type WrittenExport = {
  readonly size: number;
  readonly files: number;
  /** Formats of copies that the export had which was replaced, and this one has not. */
  readonly dropped: readonly CopyFormat[];
};

/**
 * Writes an export to a directory that is absent, empty, or an earlier export of the same log, which it
 * replaces. Nothing appears there until all is written and the root is the signed one. Refuses with
 * `conflict` (the directory holds something else, or a later export) or `invalid_request` (a checkpoint
 * is not signed by the key, the entries do not match it, or one that is to be copied is none of a version known here).
 */
export async function writeExport(
  directory: string,
  source: ExportSource,
  progress?: Progress,
): Promise<WrittenExport> {
  const target = resolve(directory);
  const key = parseVerifierKey(nodeVerifying, source.vkey.trim());
  const opened = key === undefined ? undefined : openCheckpoint(nodeVerifying, source.checkpoint, key);
  if (opened?.ok !== true) {
    throw new AppError(
      'invalid_request',
      'the checkpoint is not signed by this verifier key, fetch both again',
    );
  }
  const { checkpoint } = opened.signed;
  if (key !== undefined) refuseStrange(source, key);
  refuseForeign(target, checkpoint);
  mkdirSync(dirname(target), { recursive: true });
  const draft = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const files = await writeDraft(draft, source, checkpoint, progress);
    const isThere = (format: CopyFormat): boolean => existsSync(join(target, copyForms[format].file));
    const dropped = copyFormats.filter(
      (format) => source.copies?.includes(format) !== true && isThere(format),
    );
    install(draft, target);
    return { size: checkpoint.size, files, dropped };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What lies beside the checkpoint must be of the same log. */
function refuseStrange({ cosigned, succession }: ExportSource, key: VerifierKey): void {
  if (cosigned !== undefined && !openCheckpoint(nodeVerifying, cosigned, key).ok)
    throw new AppError('invalid_request', 'the cosigned checkpoint is not of this log, fetch both again');
  if (succession !== undefined && !openSuccession(nodeVerifying, succession, key).ok)
    throw new AppError('invalid_request', 'the note of the former log does not hand over to this one');
}

const ours: ReadonlySet<string> = new Set([
  ...Object.values(exportFiles),
  ...Object.values(copyForms).map(({ file }) => file),
  'tile',
]);

function refuseForeign(target: string, checkpoint: Checkpoint): void {
  if (!existsSync(target)) return;
  const names = readdirSync(target);
  if (names.length === 0) return;
  const former = checkpointIn(target);
  if (former === undefined)
    throw new AppError('conflict', `\`${target}\` is not an export, choose an empty directory`);
  if (former.origin !== checkpoint.origin)
    throw new AppError(
      'conflict',
      `\`${target}\` is an export of \`${former.origin}\`, and this log is \`${checkpoint.origin}\`: choose another directory`,
    );
  const foreign = names.find((name) => !ours.has(name));
  if (foreign !== undefined)
    throw new AppError(
      'conflict',
      `\`${target}\` holds \`${foreign}\`, which no export writes and which would be lost: move it away, or choose another directory`,
    );
  if (former.size > checkpoint.size) {
    throw new AppError(
      'conflict',
      `\`${target}\` holds a later export of this log, keep it and choose another`,
    );
  }
}

/** Puts the draft in the target's place. A crash between the renames leaves both, complete, side by side. */
function install(draft: string, target: string): void {
  if (!existsSync(target)) {
    renameSync(draft, target);
    return;
  }
  const former = `${draft}-former`;
  renameSync(target, former);
  renameSync(draft, target);
  rmSync(former, { recursive: true, force: true });
}

type Writer = {
  readonly put: (path: string, bytes: Uint8Array | string) => void;
  readonly hasher: TreeHasher;
  /** For each level, the hashes of its unfinished tile, and the tile's index. */
  readonly levels: { index: number; hashes: Uint8Array[] }[];
};

async function writeDraft(
  draft: string,
  source: ExportSource,
  checkpoint: Checkpoint,
  progress: Progress | undefined,
): Promise<number> {
  let files = 0;
  const made = new Set<string>();
  const put = (path: string, bytes: Uint8Array | string) => {
    const file = join(draft, ...path.split('/'));
    if (!made.has(dirname(file))) made.add(mkdirSync(dirname(file), { recursive: true }) ?? dirname(file));
    writeFileSync(file, bytes);
    files += 1;
  };
  const writer: Writer = { put, hasher: createTreeHasher(nodeVerifying.sha256), levels: [] };
  const copies = openCopyFiles(draft, source.copies ?? []);
  let frontier = emptyFrontier;
  try {
    for await (const entries of inBundles(source.bundles, checkpoint.size)) {
      const leaves = entries.map(writer.hasher.leaf);
      const index = frontier.size / tileWidth;
      put(tilePath({ level: entriesLevel, index, width: entries.length }), encodeBundle(entries));
      copies.write(frontier.size, entries, leaves);
      frontier = appendLeaves(writer.hasher, frontier, leaves);
      for (const leaf of leaves) addHash(writer, 0, leaf);
      progress?.('exporting', frontier.size, checkpoint.size);
    }
  } finally {
    copies.close();
  }
  const root = frontierRoot(writer.hasher, frontier);
  if (frontier.size !== checkpoint.size || !sameBytes(root, checkpoint.root)) {
    throw new AppError(
      'invalid_request',
      'nothing was written: the entries are not those of the signed checkpoint, so the store has another log than it has signed; ' +
        'keep it as it is, and compare it with an earlier export',
    );
  }
  for (const [level, { index, hashes }] of writer.levels.entries()) {
    if (hashes.length > 0) put(tilePath({ level, index, width: hashes.length }), encodeTile(hashes));
  }
  put(exportFiles.checkpoint, source.checkpoint);
  if (source.cosigned !== undefined) put(exportFiles.cosigned, source.cosigned);
  if (source.succession !== undefined) put(exportFiles.succession, source.succession);
  put(exportFiles.vkey, `${source.vkey.trim()}\n`);
  return files + copies.count;
}

function addHash(writer: Writer, level: number, hash: Uint8Array): void {
  const at = writer.levels[level] ?? { index: 0, hashes: [] };
  writer.levels[level] = at;
  at.hashes.push(hash);
  if (at.hashes.length < tileWidth) return;
  const bytes = encodeTile(at.hashes);
  writer.put(tilePath({ level, index: at.index, width: tileWidth }), bytes);
  at.index += 1;
  at.hashes = [];
  addHash(writer, level + 1, foldTile(writer.hasher, bytes));
}

/** Cuts bundles of any length into lists of 256 entries, the last shorter, `size` entries in all. */
async function* inBundles(
  bundles: ExportSource['bundles'],
  size: number,
): AsyncGenerator<readonly Uint8Array[], void> {
  let left = size;
  let list: Uint8Array[] = [];
  for await (const bundle of bundles) {
    const { entries, torn } = decodeBundle(bundle, left);
    if (torn)
      throw new AppError(
        'invalid_request',
        'nothing was written: a bundle of entries is torn, so the store has another log than it has signed',
      );
    for (const entry of entries) {
      if (entry.includes(10))
        throw new AppError(
          'invalid_request',
          'nothing was written: an entry holds a line feed, so it is none of ours',
        );
      list.push(entry);
      left -= 1;
      if (list.length < tileWidth) continue;
      yield list;
      list = [];
    }
    if (left === 0) break;
  }
  if (list.length > 0) yield list;
}
