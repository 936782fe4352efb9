// Owns the list of every command: those written by hand, and one for each operation of the contract.

import { recordList } from '@countersign/contract/evidence-operations';
import type { Operation } from '@countersign/contract/operation';
import { operations } from '@countersign/contract/operations';
import { usageList } from '@countersign/contract/usage-operations';
import type { Command } from './command.ts';
import { operationCommand, verbOf } from './operation-command.ts';
import { ledgerContinue } from './verbs/ledger-continue.ts';
import { ledgerCopy } from './verbs/ledger-copy.ts';
import { ledgerExport } from './verbs/ledger-export.ts';
import { ledgerProof } from './verbs/ledger-proof.ts';
import { ledgerReconcile } from './verbs/ledger-reconcile.ts';
import { ledgerReplay } from './verbs/ledger-replay.ts';
import { ledgerVerify } from './verbs/ledger-verify.ts';
import { records } from './verbs/records.ts';
import { configPrint, init, migrate, ownerKey, serve } from './verbs/server.ts';
import { usage } from './verbs/usage.ts';
import { who } from './verbs/who.ts';

const written: readonly Command[] = [
  serve,
  init,
  ownerKey,
  migrate,
  configPrint,
  who,
  records,
  usage,
  ledgerExport,
  ledgerCopy,
  ledgerVerify,
  ledgerProof,
  ledgerReplay,
  ledgerContinue,
  ledgerReconcile,
];

/** Verbs of the contract that are written by hand, and so give the same by either name. */
const byHand: readonly Command[] = [renamed(records, verbOf(recordList)), renamed(usage, verbOf(usageList))];

function renamed(command: Command, name: string): Command {
  const examples = command.examples.map((example) => `${name}${example.slice(command.name.length)}`);
  return { ...command, name, examples };
}

function commandOf(operation: Operation): Command {
  return byHand.find(({ name }) => name === verbOf(operation)) ?? operationCommand(operation);
}

/** Every command, in the order in which the help and the reference show them. */
export function allCommands(): readonly Command[] {
  return [...written, ...operations.map(commandOf)];
}
