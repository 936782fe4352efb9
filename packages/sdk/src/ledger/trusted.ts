// Owns whom a verification trusts: the log's key, the witnesses, and the policy that says how many must agree.

import { openCheckpoint, parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type Cosignature, checkCosignature } from '@countersign/core/ledger/cosignature';
import { type LogPolicy, parseLogPolicy, quorumMet } from '@countersign/core/ledger/log-policy';
import { type Note, parseVerifierKey, signatureTypes, type VerifierKey } from '@countersign/core/ledger/note';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { nodeVerifying } from './node-verifying.ts';

/** What was received apart from what is verified. */
export type TrustOptions = {
  /** The log's verifier key. */
  readonly vkey?: string;
  /** Verifier keys (type 4) of witnesses each of whom must have cosigned. */
  readonly witnesses?: readonly string[];
  /** A tlog-policy file: names the log's key, the witnesses, and how many must agree. */
  readonly policy?: string;
};

export type TrustFinding =
  | { readonly kind: 'input_unusable'; readonly input: keyof TrustOptions; readonly reason: string }
  | { readonly kind: 'cosignature_invalid'; readonly witness: string }
  /** A witness that was asked for by its key has not cosigned. */
  | { readonly kind: 'cosignature_missing'; readonly witness: string }
  | { readonly kind: 'quorum_not_met'; readonly cosigned: readonly string[] };

type Witness = { readonly name: string; readonly key: VerifierKey };

export type Trusted = {
  readonly policy: LogPolicy | undefined;
  /** Those of the policy. */
  readonly witnesses: readonly Witness[];
  /** Those that were asked for beside it. */
  readonly asked: readonly Witness[];
  /** The log's key, where it was given. */
  readonly key: VerifierKey | undefined;
};

export type Witnessed = {
  readonly cosignatures: readonly Cosignature[];
  /** The key names of the policy's witnesses that have not cosigned. */
  readonly missing: readonly string[];
};

type Result<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly finding: TrustFinding };

function unusable(input: keyof TrustOptions, reason: string) {
  return { ok: false, finding: { kind: 'input_unusable', input, reason } } as const;
}

function isSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && a.type === b.type && sameBytes(a.publicKey, b.publicKey);
}

/** Reads what was given. A key beside a policy must be one of the policy's. */
export function readTrusted(options: TrustOptions): Result<{ readonly trusted: Trusted }> {
  const parsed = options.policy === undefined ? undefined : parseLogPolicy(nodeVerifying, options.policy);
  if (parsed?.ok === false) return unusable('policy', `line ${parsed.line}: ${parsed.reason}`);
  const policy = parsed?.policy;
  const key = options.vkey === undefined ? undefined : parseVerifierKey(nodeVerifying, options.vkey.trim());
  if (options.vkey !== undefined && key?.type !== signatureTypes.ed25519)
    return unusable('vkey', 'not a verifier key of type 1');
  if (key !== undefined && policy?.logs.some((log) => isSameKey(log.key, key)) === false)
    return unusable('vkey', 'the policy does not name this key');
  const asked: Witness[] = [];
  for (const text of options.witnesses ?? []) {
    const witness = parseVerifierKey(nodeVerifying, text.trim());
    if (witness?.type !== signatureTypes.cosignature)
      return unusable('witnesses', 'not a verifier key of type 4');
    asked.push({ name: witness.name, key: witness });
  }
  return { ok: true, trusted: { policy, witnesses: policy?.witnesses ?? [], asked, key } };
}

/**
 * The key that this signed checkpoint is to be held to: the one that was given, or that of the policy's keys of its
 * origin which signed it, else the first. Undefined where neither a key nor a policy was given.
 */
export function logKeyOf(
  { key, policy }: Trusted,
  checkpoint: string,
): Result<{ key: VerifierKey | undefined }> {
  if (key !== undefined || policy === undefined) return { ok: true, key };
  const origin = parseSignedCheckpoint(checkpoint)?.checkpoint.origin;
  const keys = policy.logs.map((log) => log.key).filter(({ name }) => name === origin);
  const signer = keys.find((one) => openCheckpoint(nodeVerifying, checkpoint, one).ok) ?? keys[0];
  return signer === undefined ? unusable('policy', 'it does not name this log') : { ok: true, key: signer };
}

/** Who has cosigned. A false cosignature, an absent one that was asked for and a quorum that is not met are findings. */
export function readCosignatures(
  { policy, witnesses, asked }: Trusted,
  note: Note,
): Result<{ witnessed: Witnessed }> {
  const valid = new Map<string, Cosignature>();
  const cosigned = new Set<string>();
  const missing = new Set<string>();
  for (const witness of [...witnesses, ...asked]) {
    const { name, key } = witness;
    const check = checkCosignature(nodeVerifying, note, key);
    if (check.state === 'invalid')
      return { ok: false, finding: { kind: 'cosignature_invalid', witness: key.name } };
    if (check.state === 'valid') {
      valid.set(key.name, check.cosignature);
      if (witnesses.includes(witness)) cosigned.add(name);
    } else if (asked.includes(witness)) {
      return { ok: false, finding: { kind: 'cosignature_missing', witness: key.name } };
    } else missing.add(key.name);
  }
  if (policy !== undefined && !quorumMet(policy, cosigned))
    return { ok: false, finding: { kind: 'quorum_not_met', cosigned: [...cosigned] } };
  return { ok: true, witnessed: { cosignatures: [...valid.values()], missing: [...missing] } };
}
