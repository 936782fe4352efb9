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

/** The names of a group's values, where each stands for one value alone; else, and without a name, the value. */
function labelled(items: Usage['items'], group: string): (item: Usage['items'][number]) => string {
  const idsOf = new Map<string, Set<string>>();
  for (const { group: values, names } of items) {
    const [id, name] = [values[group] ?? '', names?.[group]];
    if (name !== undefined) idsOf.set(name, (idsOf.get(name) ?? new Set<string>()).add(id));
  }
  return ({ group: values, names }) => {
    const [id, name] = [values[group] ?? '-', names?.[group]];
    if (name === undefined) return id;
    return idsOf.get(name)?.size === 1 ? name : `${name} (${id})`;
  };
}

const counts = ['requests', 'input', 'output', 'cached', 'reasoning', 'estimated'] as const;

/** For spreadsheets: ids and names in columns of their own, nothing where there is nothing. */
function csvOf({ items, currency }: Usage): Table {
  const groups = [...new Set(items.flatMap(({ group }) => Object.keys(group)))];
  const named = groups.filter((group) => items.some(({ names }) => names?.[group] !== undefined));
  return {
    columns: [...groups, ...named.map((group) => `${group} name`), ...counts, 'cost', 'currency'],
    rows: items.map((item) => [
      ...groups.map((group) => item.group[group] ?? ''),
      ...named.map((group) => item.names?.[group] ?? ''),
      ...counts.map((count) => String(item[count])),
      money(item.costNanos),
      currency,
    ]),
  };
}

function tableOf({ items, currency }: Usage): Table {
  const groups = [...new Set(items.flatMap(({ group }) => Object.keys(group)))];
  const cells = groups.map((group) => labelled(items, group));
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
      ...cells.map((cell) => cell(item)),
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
  else if (flags.toggle('csv') === true) machine.out(csvText(csvOf(usage)));
  else {
    machine.out(usage.items.length === 0 ? 'none\n' : tableText(tableOf(usage)));
    machine.out(`from ${safeLine(usage.from)} to ${safeLine(usage.to)}\n`);
    if (usage.items.some(({ group }) => 'team' in group))
      machine.out('a call of somebody in several teams counts for each of them\n');
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
  examples: [
    'usage --group-by user,model',
    'usage --group-by costCenter --from 2026-01-01 --to 2026-01-31 --csv',
  ],
  run,
};
