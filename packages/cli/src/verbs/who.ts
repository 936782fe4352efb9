// Owns `who`: one record as a sentence, told from its proven entry wherever the entry says it.

import { recordGet, recordProof } from '@countersign/contract/evidence-operations';
import type { ResponseOf } from '@countersign/contract/operation';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type CallOutcome, decodeEntry, type Entry } from '@countersign/core/ledger/entry';
import { describeReceipt } from '@countersign/sdk/ledger/describe-verification';
import { type ReceiptVerification, verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import type { Command, Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import { type ExitCode, FailedError } from '../machine.ts';
import { money } from '../money.ts';
import { safeJson, safeLine, safeLines } from '../safe-text.ts';
import { givenVkey, vkeyFlag } from '../verifier-key.ts';

type View = ResponseOf<typeof recordGet>;

const proofs: { readonly [proof: string]: string } = {
  key: 'by a virtual key',
  idp: "by a trusted issuer's token",
  application: 'by an application that vouched for the person',
  session: 'by a session',
  mesh: 'by a workload certificate',
};

/** Whoever has no name, in words. */
function nameless({ noName }: View, { kind }: Entry['actor']): string {
  if (kind === 'system') return 'the gateway';
  if (kind === 'service') return 'a service';
  if (kind !== 'user') return 'somebody unknown';
  if (noName === undefined) return 'a person whose name is not shown to you';
  return noName === 'erased' ? 'an erased person' : 'a person without a name';
}

/** Who acted: the name is the directory's, everything else the entry's. */
function whoText(view: View, { actor }: Entry): string {
  const { application, applicationName } = view.actor;
  const called = actor.kind === 'service' ? applicationName : view.actor.name;
  const nameOf = (id: string) => (id === application ? applicationName : view.agentNames?.[id]);
  const through = (actor.act ?? [])
    .map(({ id, kind }) => ` through ${kind} ${nameOf(id) === undefined ? id : `${nameOf(id)} (${id})`}`)
    .join('');
  const roles = actor.roles === undefined || actor.roles.length === 0 ? '' : `, ${actor.roles.join(' and ')}`;
  const workspace = view.workspaceName ?? actor.ws;
  return `${called ?? nameless(view, actor)} (${actor.kind} ${actor.id}${roles})${through}${workspace === undefined ? '' : ` in workspace ${workspace}`}`;
}

function whatText(entry: Entry): string {
  if (entry.type === 'management') return `did ${entry.op}`;
  if (!('target' in entry) || entry.target === undefined) return `made an entry of type ${entry.type}`;
  const { model, served, provider, endpoint, tool } = entry.target;
  const what = model === undefined ? (tool ?? endpoint ?? 'something') : `model ${model}`;
  const as = served === undefined || served === model ? '' : ` (served as ${served})`;
  return `asked ${what}${as}${provider === undefined ? '' : ` of ${provider}`}`;
}

function decisionText(entry: Entry): string {
  if (!('policy' in entry) || entry.policy === undefined)
    return 'status' in entry && entry.status !== undefined
      ? `the outcome was ${entry.status}`
      : 'no policy was asked';
  const { decision, rules, version, reason } = entry.policy;
  const isRefused = 'status' in entry && entry.status === 'refused';
  // The reason stands in the place of a rule: no rule was asked.
  if (isRefused && decision !== 'allow') return `refused before policy was asked: ${reason ?? 'no reason'}`;
  if (decision === 'deny' && rules.length === 0)
    return `denied: no rule of policy version ${version} permits it`;
  const words = { allow: 'allowed', deny: 'denied', requestable: 'denied, though an approval could lift it' };
  const decided = `${words[decision]} by ${rules.join(', ')} of policy version ${version}`;
  if (isRefused) return `${decided}, then refused: ${reason ?? entry.err?.code ?? 'no reason'}`;
  return reason === undefined ? decided : `${decided} (${reason})`;
}

/** The outcome as it stands in the log; undefined while there is none. */
function outcomeIn(view: View, entry: Entry): CallOutcome | undefined {
  for (const { text } of view.entries) {
    const decoded = decodeEntry(text);
    if (!decoded.ok || !('phase' in decoded.entry) || decoded.entry.phase !== 'outcome') continue;
    if (decoded.entry.intent === entry.id) return decoded.entry;
  }
  return undefined;
}

function usageText(outcome: CallOutcome | undefined, entry: Entry): string {
  if (outcome === undefined) {
    const isFinal = 'status' in entry && (entry.status === 'denied' || entry.status === 'refused');
    return isFinal ? 'it was not sent' : 'no outcome is recorded';
  }
  const { usage, status, err } = outcome;
  const ended = `it ended ${status}${err === undefined ? '' : ` (${err.code})`}`;
  if (usage === undefined) return ended;
  const source = usage.source === 'provider' ? "the provider's count" : 'our estimate';
  return `${ended} with ${usage.in} tokens in and ${usage.out} out for ${money(usage.cost_nanos)} ${usage.currency} (${source})`;
}

function identityText({ actor }: Entry): string {
  const { proof, cred, iss, amr = [] } = actor;
  if (proof === undefined) return `identity was not proven: ${actor.kind}`;
  const which = [cred, iss === undefined ? undefined : `issuer ${iss}`].filter((part) => part !== undefined);
  const methods = amr.length === 0 ? '' : `, authenticated by ${amr.join(', ')}`;
  const nobody = actor.kind === 'service' ? ', no natural person was identified' : '';
  return `identity was proven ${proofs[proof] ?? proof}${which.length === 0 ? '' : ` (${which.join(', ')})`}${methods}${nobody}`;
}

type AlertEntry = Extract<Entry, { readonly type: 'alert' }>;

/** An alert as a sentence: nobody did it, something became true. */
function alertText(
  { alert }: AlertEntry,
  { aboutName }: { readonly aboutName?: string | undefined },
): string {
  const nameOf = (id: string) => (aboutName === undefined ? id : `${aboutName} (${id})`);
  if (alert.kind === 'unknown_price')
    return `no table prices model ${nameOf(alert.model)}: it is charged at the organization's default until it is given a price`;
  if (alert.kind === 'log_altered') {
    const place = alert.index === undefined ? '' : ` at entry ${alert.index}`;
    return `the log ${alert.origin} is not what was signed (${alert.finding}${place}): somebody changed the store, or its disk failed. Keep the store as it is, and compare its log with an earlier export`;
  }
  const { budget, kind, limit_nanos: limit, used_nanos: used, percent } = alert;
  const reached = kind === 'budget_exhausted' ? 'its limit' : 'the share of its limit at which it warns';
  return `budget ${nameOf(budget)} has reached ${reached}: ${money(used)} of ${money(limit)} USD are used (${percent} %)`;
}

/** Where a log begins, and what it goes on from. */
function openedText({ opened, ts }: Extract<Entry, { readonly type: 'log_opened' }>): string {
  const begins = `the log ${opened.origin} begins at ${ts}`;
  if (opened.previous === undefined) return `${begins}.`;
  const former = parseSignedCheckpoint(opened.previous)?.checkpoint;
  return `${begins}, and continues ${former?.origin ?? 'another'} after a restore: the last checkpoint held of that has ${former?.size ?? 'unknown'} entries.`;
}

function whatHappened(view: View, entry: Entry): string {
  if (entry.type === 'alert')
    return `alert of the gateway at ${entry.ts}: ${alertText(entry, view.alert ?? {})}.`;
  if (entry.type === 'log_opened') return openedText(entry);
  return `${whoText(view, entry)} ${whatText(entry)} at ${entry.ts}: ${decisionText(entry)}.`;
}

/** The lines for people. */
function sentences(view: View, entry: Entry, receipt: ReceiptVerification, isPinned: boolean): string {
  const labels = 'class' in entry ? (entry.class?.labels ?? []) : [];
  const pinned = isPinned ? '' : ' (with the key that the server gave: pin it with --vkey)';
  const [verdict = ''] = describeReceipt(receipt).split('\n');
  const lines = [
    whatHappened(view, entry),
    ...(entry.type === 'model_call' || entry.type === 'tool_call'
      ? [
          `${usageText(outcomeIn(view, entry), entry)}; found in the prompt: ${labels.join(', ') || 'nothing'}.`,
        ]
      : []),
    ...(entry.type === 'alert' ? [] : [`${identityText(entry)}.`]),
    `proof: ${verdict}${pinned}`,
    entry.type === 'alert'
      ? 'proven is the entry; names are as the server tells them'
      : 'proven is the entry of the decision; names and the outcome are as the server tells them',
  ];
  return lines.map((line) => `${safeLine(line)}\n`).join('');
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, json, machine } = invocation;
  const pinned = givenVkey(invocation);
  const params = { id: args[0] ?? '' };
  const client = connect(invocation);
  const [view, proven] = await Promise.all([
    client.call(recordGet, { params }),
    client.call(recordProof, { params }),
  ]);
  const decoded = decodeEntry(proven.entry);
  if (!decoded.ok)
    throw new FailedError(`the server gave no entry that can be read: ${safeLines(decoded.reason)}`);
  const { entry } = decoded;
  const receipt = verifyReceipt(proven.proof, Buffer.from(proven.entry, 'utf8'), {
    vkey: pinned ?? proven.verifierKey,
  });
  // A proof of one record beside the story of another proves nothing.
  if (view.id !== entry.id)
    throw new FailedError(`the proof is of record \`${entry.id}\`, not of \`${view.id}\``);
  if (json) {
    const outcome = outcomeIn(view, entry);
    machine.out(
      safeJson({ name: view.actor.name, workspace: view.workspaceName, entry, outcome, proof: receipt }),
    );
  } else machine.out(sentences(view, entry, receipt, pinned !== undefined));
  return receipt.ok ? 0 : 1;
}

export const who: Command = {
  name: 'who',
  summary:
    'who did this, on whose authority, under which policy, and the proof that the record was not edited',
  positionals: [{ name: 'ID', required: true, description: 'a record id or a request id' }],
  flags: [vkeyFlag, ...connectionFlags],
  examples: [
    'who 019aa8c0-7d2e-7cc2-9a58-3f6f3a1c2b4d',
    'who req_01jd8c0… --vkey @vkey.kept',
    'who req_01jd8c0… --json',
  ],
  run,
};
