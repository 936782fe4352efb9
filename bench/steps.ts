// Owns `--steps`: what a call's own steps cost when nothing disturbs them. It swings by a tenth, where requests
// over sockets swing by a quarter: small changes are seen here first.

import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { serverEnvironment, serverFlags } from '../tools/runtime-flags.mjs';
import type { Context } from './context.ts';
import { makeStore, startMock } from './servers.ts';
import { median } from './statistics.ts';
import { number } from './table.ts';

const measured = z.array(z.object({ callsPerSecond: z.number(), microsEach: z.number() })).min(1);

/** Runs them, and says what they took. */
export async function measureSteps(context: Context): Promise<boolean> {
  const mock = await startMock(context);
  const store = await makeStore(context, mock, { keys: 10_000, policies: 200, records: 0 });
  const printed = await context.processes.run({
    name: 'steps',
    command: process.execPath,
    args: [
      ...serverFlags,
      fileURLToPath(new URL('./own-steps.ts', import.meta.url)),
      store.keyLines,
      context.bodies.plain,
    ],
    env: {
      ...serverEnvironment,
      COUNTERSIGN_DATA_DIR: store.directory,
      COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1',
    },
    cpu: context.pinning.gateway,
  });
  const value: unknown = JSON.parse(printed);
  const rows = measured.parse(value);
  const each = rows.map(({ microsEach }) => microsEach);
  const rates = rows.map(({ callsPerSecond }) => callsPerSecond);
  const spread = `${number(Math.min(...each))}–${number(Math.max(...each))}`;
  context.say(
    `64 calls at a time: ${number(median(each))} µs of processor time each (${spread}), all threads`,
  );
  context.say(`${number(median(rates))} calls a second`);
  return true;
}
