// Owns the auditor's policy file (C2SP tlog-policy): which logs are trusted and which witnesses must agree.

import { parseDecimal } from './checkpoint.ts';
import { isKeyName, parseVerifierKey, signatureTypes, type VerifierKey } from './note.ts';
import { type Sha256, sameBytes, type Utf8 } from './primitives.ts';

export type LogPolicy = {
  readonly logs: readonly { readonly key: VerifierKey; readonly url?: string }[];
  readonly witnesses: readonly { readonly name: string; readonly key: VerifierKey; readonly url?: string }[];
  /** In the order of the file: members are witnesses or earlier groups. */
  readonly groups: readonly {
    readonly name: string;
    readonly threshold: number;
    readonly members: readonly string[];
  }[];
  /** The witness or group that must agree; undefined when the file says `none`. */
  readonly quorum: string | undefined;
};

export type ParsedLogPolicy =
  | { readonly ok: true; readonly policy: LogPolicy }
  | { readonly ok: false; readonly line: number; readonly reason: string };

type Draft = {
  readonly logs: { key: VerifierKey; url?: string }[];
  readonly witnesses: { name: string; key: VerifierKey; url?: string }[];
  readonly groups: { name: string; threshold: number; members: readonly string[] }[];
  readonly names: Set<string>;
  readonly quorums: (string | undefined)[];
};

type Hashing = { readonly sha256: Sha256; readonly utf8: Utf8 };

/** Reads a policy file; on failure the 1-based line and what to do about it. */
export function parseLogPolicy(deps: Hashing, source: string): ParsedLogPolicy {
  const read = readLines(deps, source);
  if (!read.ok) return read;
  const { draft, lines: line } = read;
  if (draft.quorums.length !== 1) return { ok: false, line, reason: 'give exactly one quorum line' };
  const { logs, witnesses, groups, quorums } = draft;
  if (logs.length === 0) return { ok: false, line, reason: 'give at least one log line' };
  return { ok: true, policy: { logs, witnesses, groups, quorum: quorums[0] } };
}

/**
 * Reads the same lines for a log that asks witnesses for their cosignatures: its own key, groups and a quorum may be
 * left out, a witness and where it is asked may not. Without a quorum line `quorum` is undefined.
 */
export function parseWitnessList(deps: Hashing, source: string): ParsedLogPolicy {
  const read = readLines(deps, source);
  if (!read.ok) return read;
  const { draft, lines: line } = read;
  const { logs, witnesses, groups, quorums } = draft;
  if (quorums.length > 1) return { ok: false, line, reason: 'give one quorum line at most' };
  if (witnesses.length === 0) return { ok: false, line, reason: 'give at least one witness line' };
  return { ok: true, policy: { logs, witnesses, groups, quorum: quorums[0] } };
}

type ReadLines =
  | { readonly ok: true; readonly draft: Draft; readonly lines: number }
  | Extract<ParsedLogPolicy, { readonly ok: false }>;

function readLines(deps: Hashing, source: string): ReadLines {
  const draft: Draft = { logs: [], witnesses: [], groups: [], names: new Set(), quorums: [] };
  const lines = source.split('\n');
  for (const [index, line] of lines.entries()) {
    const words = line
      .split('#', 1)
      .join('')
      .split(/[ \t\r]+/)
      .filter((word) => word !== '');
    if (words.length === 0) continue;
    const reason = readLine(deps, draft, words);
    if (reason !== undefined) return { ok: false, line: index + 1, reason };
  }
  return { ok: true, draft, lines: lines.length };
}

function readLine(deps: Hashing, draft: Draft, words: readonly string[]): string | undefined {
  const [verb, ...rest] = words;
  if (verb === 'log') return readLog(deps, draft, rest);
  if (verb === 'witness') return readWitness(deps, draft, rest);
  if (verb === 'group') return readGroup(draft, rest);
  if (verb === 'quorum') return readQuorum(draft, rest);
  return `\`${verb}\` is not a policy word: use log, witness, group or quorum`;
}

function readLog(deps: Hashing, draft: Draft, words: readonly string[]): string | undefined {
  const [vkey, url, ...rest] = words;
  const key = parseVerifierKey(deps, vkey ?? '');
  if (key?.type !== signatureTypes.ed25519 || rest.length > 0) return 'write log, its verifier key, its url';
  draft.logs.push(url === undefined ? { key } : { key, url });
  return undefined;
}

function readWitness(deps: Hashing, draft: Draft, words: readonly string[]): string | undefined {
  const [name, vkey, url, ...rest] = words;
  const key = parseVerifierKey(deps, vkey ?? '');
  if (name === undefined || key?.type !== signatureTypes.cosignature || rest.length > 0) {
    return 'write witness, a name, its verifier key of type 4, its url';
  }
  // One key under two names would be one witness that counts twice.
  const twin = draft.witnesses.find((earlier) => sameBytes(earlier.key.publicKey, key.publicKey));
  if (twin !== undefined) return `this key is that of witness \`${twin.name}\`: name each key once`;
  const taken = takeName(draft, name);
  if (taken !== undefined) return taken;
  draft.witnesses.push(url === undefined ? { name, key } : { name, key, url });
  return undefined;
}

function readGroup(draft: Draft, words: readonly string[]): string | undefined {
  const [name, count, ...members] = words;
  if (name === undefined || count === undefined || members.length === 0) {
    return 'write group, a name, a number or any or all, and its members';
  }
  const unknown = members.find((member) => !draft.names.has(member));
  if (unknown !== undefined) return `name \`${unknown}\` in an earlier line`;
  if (new Set(members).size !== members.length) return 'name each member once';
  const threshold = count === 'any' ? 1 : count === 'all' ? members.length : parseDecimal(count);
  if (threshold === undefined || threshold < 1 || threshold > members.length) {
    return `\`${count}\` must be any, all, or a number from 1 to ${members.length}`;
  }
  const taken = takeName(draft, name);
  if (taken !== undefined) return taken;
  draft.groups.push({ name, threshold, members });
  return undefined;
}

function readQuorum(draft: Draft, words: readonly string[]): string | undefined {
  const [name, ...rest] = words;
  if (name === undefined || rest.length > 0) return 'write quorum and one name, or none';
  if (name !== 'none' && !draft.names.has(name)) return `name \`${name}\` in an earlier line`;
  draft.quorums.push(name === 'none' ? undefined : name);
  return undefined;
}

function takeName(draft: Draft, name: string): string | undefined {
  if (!isKeyName(name) || name === 'none') return `\`${name}\` cannot be a name`;
  if (draft.names.has(name)) return `\`${name}\` is taken by an earlier line`;
  draft.names.add(name);
  return undefined;
}

/** True when the witnesses (names of the policy) whose cosignature is valid satisfy the quorum. */
export function quorumMet(policy: LogPolicy, cosigned: ReadonlySet<string>): boolean {
  if (policy.quorum === undefined) return true;
  const agreed = new Set(policy.witnesses.filter(({ name }) => cosigned.has(name)).map(({ name }) => name));
  // A group names only earlier lines, so one pass in the file's order settles each.
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => agreed.has(member)).length >= threshold) agreed.add(name);
  }
  return agreed.has(policy.quorum);
}
