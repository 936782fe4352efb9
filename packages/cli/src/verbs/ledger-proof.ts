// Owns `ledger proof`: the receipt of one record with the record's bytes, to be kept by whoever it concerns.

import { recordProof } from '@countersign/contract/evidence-operations';
import { decodeEntry } from '@countersign/core/ledger/entry';
import { describeReceipt } from '@countersign/sdk/ledger/describe-verification';
import { verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import type { Command, Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import { type ExitCode, FailedError } from '../machine.ts';
import { safeJson, safeLine, safeLines } from '../safe-text.ts';
import { besideReceipt } from './ledger-verify.ts';

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, flags, json, machine } = invocation;
  const [id = ''] = args;
  const { entry, proof, verifierKey } = await connect(invocation).call(recordProof, { params: { id } });
  const decoded = decodeEntry(entry);
  if (!decoded.ok)
    throw new FailedError(`the server gave no entry that can be read: ${safeLine(decoded.reason)}`);
  const record = Buffer.from(entry, 'utf8');
  const result = verifyReceipt(proof, record, { vkey: verifierKey });
  // What the server sends may name no file elsewhere: an entry's id is a UUID, which decodeEntry has checked.
  const receipt = flags.text('out') ?? `${decoded.entry.id}.tlog-proof`;
  if (!receipt.endsWith('.tlog-proof')) throw new FailedError('`--out` must end in .tlog-proof');
  if (result.ok) {
    const beside = besideReceipt(receipt);
    machine.writeBytes(receipt, Buffer.from(proof, 'utf8'));
    machine.writeBytes(beside.record, record);
    machine.writeBytes(beside.vkey, Buffer.from(`${verifierKey.trim()}\n`, 'utf8'));
  }
  if (json) machine.out(safeJson({ ...result, ...(result.ok ? { receipt } : {}), verifierKey }));
  else {
    machine.out(`${safeLines(describeReceipt(result))}\n`);
    if (result.ok)
      machine.out(`wrote \`${receipt}\` and beside it the entry and the verifier key: keep all three\n`);
  }
  return result.ok ? 0 : 1;
}

export const ledgerProof: Command = {
  name: 'ledger proof',
  summary: "write a record's receipt, which shows any later log without it to be another log",
  positionals: [{ name: 'ID', required: true, description: 'a record id or a request id' }],
  flags: [
    { name: 'out', kind: 'text', value: 'FILE', description: 'where to (else <record id>.tlog-proof)' },
    ...connectionFlags,
  ],
  examples: [
    'ledger proof 019aa8c0-7d2e-7cc2-9a58-3f6f3a1c2b4d',
    'ledger proof req_01jd8c0… --out call.tlog-proof',
  ],
  run,
};
