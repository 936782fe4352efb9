// Owns the list of every command: those written by hand, and one for each operation of the contract.

import { operations } from '@countersign/contract/operations';
import type { Command } from './command.ts';
import { operationCommand } from './operation-command.ts';
import { ledgerExport } from './verbs/ledger-export.ts';
import { ledgerProof } from './verbs/ledger-proof.ts';
import { ledgerReplay } from './verbs/ledger-replay.ts';
import { ledgerVerify } from './verbs/ledger-verify.ts';
import { records } from './verbs/records.ts';
import { configPrint, init, migrate, serve } from './verbs/server.ts';
import { usage } from './verbs/usage.ts';
import { who } from './verbs/who.ts';

const written: readonly Command[] = [
  serve,
  init,
  migrate,
  configPrint,
  who,
  records,
  usage,
  ledgerExport,
  ledgerVerify,
  ledgerProof,
  ledgerReplay,
];

/** Every command, in the order in which the help and the reference show them. */
export function allCommands(): readonly Command[] {
  return [...written, ...operations.map(operationCommand)];
}
