// Owns what several exports are held against: each to the key and the checkpoint of its own log, out of those given.

import { resolve } from 'node:path';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { checkpointIn } from '@countersign/sdk/ledger/checkpoint-in';
import { heldNote } from '@countersign/sdk/ledger/held-checkpoint';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import {
  type AskedFolder,
  type FolderOrigin,
  strangersIn,
} from '@countersign/sdk/reconcile/reconcile-export';
import type { Flag, Invocation } from '../command.ts';
import { exportFolder } from '../export-folder.ts';
import { UsageError } from '../machine.ts';
import { givenVkeys } from '../verifier-key.ts';
import { againstFlags, sinceText, witnessedOf } from './ledger-verify.ts';

/** The flags of one export, with `--vkey` and `--since` once for each log. */
export const againstFolderFlags: readonly Flag[] = againstFlags.map((flag) =>
  flag.name === 'vkey' || flag.name === 'since'
    ? { ...flag, kind: 'list', description: `${flag.description}; once for each log` }
    : flag,
);

/** A folder, and the log that it says it is of; undefined where it has no checkpoint, which its verification finds. */
type Folder = { readonly directory: string; readonly origin: string | undefined };

type Given = { readonly text: string; readonly origin: string };

/**
 * The value that was given for a folder's log. One for one folder is held to it whatever it is of, so that its
 * verification says what is wrong. Throws a UsageError for what is of no folder's log, and for two of one log.
 */
function matching(
  flag: 'vkey' | 'since',
  given: readonly Given[],
  folders: readonly Folder[],
): (folder: Folder) => string | undefined {
  const [only] = given;
  if (folders.length === 1 && given.length < 2) return () => only?.text;
  const byOrigin = new Map<string, string>();
  for (const { origin, text } of given) {
    if (byOrigin.has(origin))
      throw new UsageError(`\`--${flag}\` is given twice for \`${origin}\`: give one`);
    if (!folders.some((folder) => folder.origin === origin))
      throw new UsageError(
        `\`--${flag}\` is given for \`${origin}\`, and no folder is of that log: name its folder, or leave it out`,
      );
    byOrigin.set(origin, text);
  }
  return ({ origin = '' }) => byOrigin.get(origin);
}

/** The refusal of logs of several organizations. */
export function severalOwners(strangers: readonly FolderOrigin[]): UsageError {
  const said = strangers.map(({ directory, origin }) => `\`${directory}\` is of \`${origin}\``);
  return new UsageError(`${said.join(' and ')}: compare the logs of one organization at a time`);
}

function foldersOf(directories: readonly string[]): readonly Folder[] {
  const paths = directories.map((directory) => resolve(directory));
  const twice = directories.find((_, i) => paths.indexOf(paths[i] ?? '') !== i);
  if (twice !== undefined) throw new UsageError(`\`${twice}\` is named twice: name each folder once`);
  const folders = directories.map((path) => {
    const directory = exportFolder(path);
    return { directory, origin: checkpointIn(directory)?.origin };
  });
  // Told before anything long begins; once more when the origins are proven.
  const named = folders.flatMap(({ directory, origin }) =>
    origin === undefined ? [] : [{ directory, origin }],
  );
  const strangers = strangersIn(named);
  if (strangers !== undefined) throw severalOwners(strangers);
  return folders;
}

/** Whoever holds one log to a key of theirs means none to be believed by the key that lies in it. */
function refuseUnheld(folders: readonly Folder[], vkeyOf: (folder: Folder) => string | undefined): void {
  const unheld = folders.find((folder) => folder.origin !== undefined && vkeyOf(folder) === undefined);
  if (unheld === undefined || folders.every((folder) => vkeyOf(folder) === undefined)) return;
  throw new UsageError(
    `\`${unheld.directory}\` is of \`${unheld.origin ?? ''}\`, and no \`--vkey\` is of that log: give its verifier key too`,
  );
}

/** The folders with what each is held against. Throws a UsageError where a key or a checkpoint fits none. */
export function askedFolders(invocation: Invocation, directories: readonly string[]): readonly AskedFolder[] {
  const { flags, machine } = invocation;
  const folders = foldersOf(directories);
  const keys = givenVkeys(invocation).map(
    (text): Given => ({ text, origin: parseVerifierKey(nodeVerifying, text.trim())?.name ?? '' }),
  );
  const checkpoints = flags.list('since').map((path): Given => {
    const text = sinceText(machine, path);
    return { text, origin: parseSignedCheckpoint(heldNote(text) ?? '')?.checkpoint.origin ?? '' };
  });
  const [vkeyOf, sinceOf] = [matching('vkey', keys, folders), matching('since', checkpoints, folders)];
  const witnessed = witnessedOf(invocation);
  if (witnessed.policy === undefined) refuseUnheld(folders, vkeyOf);
  return folders.map((folder) => {
    const [vkey, since] = [vkeyOf(folder), sinceOf(folder)];
    const own = { ...(vkey === undefined ? {} : { vkey }), ...(since === undefined ? {} : { since }) };
    return { directory: folder.directory, against: { ...own, ...witnessed } };
  });
}
