// Owns `usage`: tokens and cost by person, team, workspace, cost centre, model, application.

import { usageList } from '@countersign/contract/evidence-operations';
import type { ResponseOf } from '@countersign/contract/operation';
import type { Command, Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import type { ExitCode } from '../machine.ts';
import { money } from '../money.ts';
import { safeJson, safeLine } from '../safe-text.ts';
import { membersOf, valuesOf } from '../schema-flags.ts';
import { csvText, type Table, tableText } from '../table.ts';

type Usage = ResponseOf<typeof usageList>;

const filters = membersOf(usageList.query);

function tableOf({ items, currency }: Usage): Table {
  const groups = [...new Set(items.flatMap(({ group }) => Object.keys(group)))];
  return {
    columns: [
      ...groups,
      'requests',
      'input',
      'output',
      'cached',
      'reasoning',
      `cost ${currency}`,
      'estimated',
    ],
    rows: items.map((item) => [
      ...groups.map((name) => item.group[name] ?? '-'),
      String(item.requests),
      String(item.input),
      String(item.output),
      String(item.cached),
      String(item.reasoning),
      money(item.costNanos),
      String(item.estimated),
    ]),
  };
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const usage = await connect(invocation).call(usageList, { query: valuesOf(machine, filters, flags) });
  if (json) machine.out(safeJson(usage));
  else if (flags.toggle('csv') === true) machine.out(csvText(tableOf(usage)));
  else {
    machine.out(usage.items.length === 0 ? 'none\n' : tableText(tableOf(usage)));
    machine.out(`from ${safeLine(usage.from)} to ${safeLine(usage.to)}\n`);
  }
  return 0;
}

export const usage: Command = {
  name: 'usage',
  summary: 'tokens and cost by person, team, workspace, cost centre, model, application',
  positionals: [],
  flags: [
    ...filters.map(({ flag }) => flag),
    { name: 'csv', kind: 'switch', description: 'answer in CSV' },
    ...connectionFlags,
  ],
  examples: ['usage --group-by user,model', 'usage --group-by costCenter --from 2026-01-01T00:00:00Z --csv'],
  run,
};
