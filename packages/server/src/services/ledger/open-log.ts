// Owns a log's own signing key: made and sealed when the log is opened, unsealed by the thread that signs.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { openCheckpoint, signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatVerifierKey, makeVerifierKey, parseVerifierKey } from '@countersign/core/ledger/note';
import { sameBytes } from '@countersign/core/ledger/primitives';
import {
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  type TreeHasher,
} from '@countersign/core/ledger/tree';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import { type Head, insertHead, readSigningKey } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { frontierOf, type LogSigner } from './append.ts';
import { generateLogKey, loadLogKey, publicKeyOf, sha256, signerOf, utf8, verifyEd25519 } from './crypto.ts';

export type NewLog = { readonly kind: 'organization' | 'installation'; readonly origin: string };

/** What AES-GCM binds a log's sealed key to. */
const purpose = 'ledger-signing-key';

export type LogKey = {
  readonly verifierKey: string;
  readonly sealedSigningKey: Uint8Array;
  /** The checkpoint of the empty tree. */
  readonly checkpoint: string;
};

/** A new key of a log, sealed, with the empty tree signed. */
export function makeLogKey(
  { sealer, hasher }: { readonly sealer: Sealer; readonly hasher: TreeHasher },
  orgId: OrgId,
  origin: string,
): LogKey {
  const { pkcs8, publicKey } = generateLogKey();
  const key = makeVerifierKey({ sha256, utf8 }, origin, 'ed25519', publicKey);
  const root = frontierRoot(hasher, emptyFrontier);
  return {
    verifierKey: formatVerifierKey(key),
    checkpoint: signCheckpoint(utf8, key, { size: 0, root }, signerOf(loadLogKey(pkcs8))),
    sealedSigningKey: sealer.seal(pkcs8, { orgId, purpose, objectId: orgId }),
  };
}

/** Opens an empty log inside `tx`: makes its key, seals it, and signs the empty tree. */
export async function openLog(
  deps: { readonly sealer: Sealer; readonly hasher: TreeHasher },
  tx: Tx,
  orgId: OrgId,
  { kind, origin }: NewLog,
): Promise<void> {
  await insertHead(tx, orgId, { kind, origin, ...makeLogKey(deps, orgId, origin) });
}

/**
 * The signer of an open log. Throws `ledger_unavailable` where the log has no key, and where it stands under another
 * name or verifier key than it signs with, or its head is not the one that it has signed: whoever edits the store could
 * take it away from that, and have other entries signed.
 */
export async function openSigner(sealer: Sealer, tx: Tx, orgId: OrgId, head: Head): Promise<LogSigner> {
  const sealed = await readSigningKey(tx, orgId);
  const key = parseVerifierKey({ sha256, utf8 }, head.verifierKey);
  if (sealed === undefined || key === undefined)
    throw new AppError('ledger_unavailable', 'the ledger has no key');
  const privateKey = loadLogKey(sealer.open(sealed, { orgId, purpose, objectId: orgId }));
  if (key.name !== head.origin || !sameBytes(key.publicKey, publicKeyOf(privateKey)))
    throw new AppError(
      'ledger_unavailable',
      `the log of \`${orgId}\` has another name or verifier key in the store than it signs with: somebody changed it. Nothing is signed: keep the store as it is, and see docs/guides/operate.md`,
    );
  const opened = openCheckpoint({ sha256, utf8, verifyEd25519 }, head.checkpoint, key);
  const root = frontierRoot(createTreeHasher(sha256), frontierOf(head));
  if (
    !opened.ok ||
    opened.signed.checkpoint.size !== head.size ||
    !sameBytes(opened.signed.checkpoint.root, root)
  )
    throw new AppError(
      'ledger_unavailable',
      `the head of the log of \`${orgId}\` is not what the log has signed: somebody changed the store. Nothing is signed: keep the store as it is, and see docs/guides/operate.md`,
    );
  return { key, sign: signerOf(privateKey) };
}
