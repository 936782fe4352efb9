// Owns the words and tables of the results, the same in the terminal and in RESULTS.md.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Results, Sample } from './results.ts';
import { seriesOf } from './results.ts';
import type { Scenario } from './scenarios.ts';
import { ratios, spreadOf } from './statistics.ts';
import { count, number, spread, table } from './table.ts';
import type { Verdict } from './targets.ts';

const names: Readonly<Record<string, string>> = {
  direct: 'provider directly',
  bare: 'bare proxy',
  off: 'Countersign, ledger off',
  on: 'Countersign, everything on',
  peer: '@portkey-ai/gateway',
};

/** What a server is called in the results. */
export function nameOf(server: string): string {
  return names[server] ?? server;
}

function finite(values: readonly (number | undefined)[]): readonly number[] {
  return values.flatMap((value) => value ?? []);
}

function scenarioTable(results: Results, scenario: Scenario, servers: readonly string[]): string {
  const rows = servers.flatMap((server) => {
    const read = (f: (sample: Sample) => number | undefined) =>
      spreadOf(finite(seriesOf(results.rounds, scenario.id, server, f)));
    if (read(({ load }) => load.total) === undefined) return [];
    const rate = ({ load }: Sample): number => load.requestsPerSecond;
    const relative = ratios(
      seriesOf(results.rounds, scenario.id, server, rate),
      seriesOf(results.rounds, scenario.id, 'bare', rate),
    );
    const median = (f: (sample: Sample) => number | undefined): string =>
      number(read(f)?.median ?? Number.NaN);
    const isSlow = scenario.body === 'slowStream';
    return [
      [
        nameOf(server),
        isSlow ? '—' : spread(read(rate)),
        isSlow ? '—' : spread(spreadOf(relative)),
        isSlow ? '—' : median(({ load }) => load.p50 / 1000),
        isSlow ? '—' : median(({ load }) => load.p95 / 1000),
        isSlow ? '—' : median(({ load }) => load.p99 / 1000),
        median(({ load }) => load.firstByteP50 / 1000),
        median(({ load }) => load.firstByteP99 / 1000),
        median(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
        median(({ rssBytes }) => (rssBytes === undefined ? undefined : rssBytes / 1e6)),
      ],
    ];
  });
  const head = [
    scenario.title,
    'requests/s',
    '/ bare proxy',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'first byte p50',
    'p99 ms',
    'CPU µs each',
    'RSS MB',
  ];
  return table(head, rows);
}

/** Targets with what was measured. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ target, value, verdict }) => [
    target.text,
    `${target.better === 'more' ? '≥' : '≤'} ${target.limit}`,
    target.aim === undefined ? '' : String(target.aim),
    target.unit === 'count' && value !== undefined ? count(value.median) : spread(value),
    target.unit,
    verdict,
  ]);
  return table(['target', 'limit', 'aim', 'median (least–greatest)', 'unit', ''], rows);
}

/** When, at which commit and on what a run was made: the first lines of each section. */
export function machineLines(machine: Results['machine']): readonly string[] {
  return [
    `- ${machine.date}, commit ${machine.commit}`,
    `- ${machine.cpu}, ${machine.cores} processors, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
  ];
}

/** How much of the machine others had before the run began. */
function calmLines({ unrest, readNanos }: Results['pinning']): readonly string[] {
  if (unrest === undefined || readNanos === undefined) return [];
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `- before it began, a loop took ${percent(unrest.gateway)} longer than at its fastest on the one, ${percent(unrest.load)} on the other (the calmer one is measured), and a read that depends on the one before ${Math.round(readNanos)} ns within 8 MB (17 at the best, 130 where others had the cache)`,
  ];
}

/** The machine and how it was used, as a list. */
export function machineText({
  machine,
  pinning,
  tools,
}: Pick<Results, 'machine' | 'pinning' | 'tools'>): string {
  const pinned =
    pinning.gateway === undefined
      ? 'not pinned: gateway, provider and load share the processors'
      : `what is measured, with all of its threads, on processor ${pinning.gateway}; provider and load on ${pinning.load}`;
  const list = [`- ${pinned}; load tools in ${tools === 'c' ? 'C' : 'TypeScript'}`, ...calmLines(pinning)];
  return [...machineLines(machine), ...list].join('\n');
}

/** Everything that rounds showed. */
export function roundsText(
  results: Results,
  scenarios: readonly Scenario[],
  servers: readonly string[],
  verdicts: readonly Verdict[],
): string {
  const durable = (read: (d: Results['rounds'][number]['durable']) => number): string =>
    spread(spreadOf(results.rounds.map((round) => read(round.durable))));
  const notes = [...results.skipped.map((text) => `skipped: ${text}`), ...results.problems];
  return [
    machineText(results),
    `- ${results.rounds.length} interleaved rounds of ${results.seconds} s each; figures are medians of the rounds`,
    `- durable commit of the disk in the same rounds: median ${durable((d) => d.medianMs)} ms, p99 ${durable((d) => d.p99Ms)} ms`,
    '',
    verdictTable(verdicts),
    ...scenarios.flatMap((scenario) => ['', scenarioTable(results, scenario, servers)]),
    ...(notes.length === 0 ? [] : ['', ...notes.map((text) => `- ${text}`)]),
  ].join('\n');
}

const title =
  '# Results of the benchmark\n\n`npm run bench` writes this file; bench/README.md says how it measures.\n';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return title;
  }
}

/** `document` with one section replaced or added; the other sections stay as they are. */
export function withSection(document: string, heading: string, text: string): string {
  const parts = document.split(/^(?=## )/m);
  const section = `## ${heading}\n\n${text.trim()}\n\n`;
  const isSame = (part: string): boolean => part.startsWith(`## ${heading}\n`);
  const replaced = parts.some(isSame)
    ? parts.map((part) => (isSame(part) ? section : part))
    : [...parts, section];
  return `${replaced.map((part) => part.trim()).join('\n\n')}\n`;
}

/** Writes one section of RESULTS.md. */
export function writeSection(path: string, heading: string, text: string): void {
  writeFileSync(path, withSection(read(path), heading, text));
}
