// Owns one bill out of its pages: nothing twice, nothing missing at the end, and of which times it speaks.

import { dayMs } from '../period.ts';
import type { Measure } from './amounts.ts';
import {
  BillError,
  type BillForm,
  type BillLine,
  type BillPage,
  dayText,
  endpointsOf,
  measuresOf,
  momentText,
  type Span,
} from './bill.ts';

export type GatherOptions = {
  /** The first and the last UTC day, as the beginnings of both; without them what the bill speaks of. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Only lines of these keys of the provider; of all where there is none. */
  readonly keys?: readonly string[];
};

/** A bill that can be compared. */
export type Bill = {
  readonly forms: readonly BillForm[];
  readonly lines: readonly BillLine[];
  /** Of which time each endpoint's calls are billed here; an endpoint that is not there is none of this bill's. */
  readonly spans: ReadonlyMap<string, Span>;
  /** What a model that has no line is said to have used none of. */
  readonly measures: readonly Measure[];
  /** Lines of days that were not asked for. */
  readonly outside: number;
};

type Filed = BillLine & { readonly form: BillForm; readonly file: string };

function refuseMixture(forms: readonly BillForm[]): void {
  if (forms.length < 2 || forms.every((form) => form.startsWith('openai-'))) return;
  throw new BillError(
    `the files are of several forms, ${forms.map((form) => `\`${form}\``).join(' and ')}, which would count usage twice or mix two providers: compare each by itself`,
  );
}

/** The page that ends last must be the last. */
function refuseMissingPages(form: BillForm, pages: readonly BillPage[]): void {
  const endOf = ({ spans }: BillPage): number => Math.max(...spans.map(({ endMs }) => endMs));
  const last = pages
    .filter(({ spans }) => spans.length > 0)
    .reduce<BillPage | undefined>((a, b) => (a === undefined || endOf(b) > endOf(a) ? b : a), undefined);
  if (last?.hasMore !== true) return;
  throw new BillError(
    `\`${last.file}\` says that there is more of \`${form}\` after it: fetch the page that its \`next_page\` names, and give all of them`,
  );
}

function refuseTwice(lines: readonly Filed[]): void {
  const groups = Map.groupBy(lines, ({ form, model, split }) => JSON.stringify([form, model, split]));
  for (const group of groups.values()) {
    const sorted = group.toSorted((a, b) => a.startMs - b.startMs);
    for (const [i, line] of sorted.entries()) {
      const next = sorted[i + 1];
      if (next === undefined || next.startMs >= line.endMs) continue;
      const where =
        line.file === next.file
          ? `\`${line.file}\` has \`${line.model}\` of ${momentText(next.startMs)} twice`
          : `\`${line.file}\` and \`${next.file}\` both have \`${line.model}\` of ${momentText(next.startMs)}`;
      throw new BillError(
        `${where}: give each time once; where they are of different keys or projects, fetch one report that is grouped by them`,
      );
    }
  }
}

function keptBy(keys: readonly string[], lines: readonly Filed[]): readonly Filed[] {
  if (keys.length === 0) return lines;
  const without = lines.find(({ apiKey }) => apiKey === undefined);
  if (without !== undefined && lines.every(({ apiKey }) => apiKey === undefined))
    throw new BillError(
      `\`${without.file}\` does not say with which key something was used: fetch the report with \`group_by\` \`api_key_id\``,
    );
  const unknown = keys.find((key) => !lines.some(({ apiKey }) => apiKey === key));
  if (unknown !== undefined) throw new BillError(`no line of the bill is of the key \`${unknown}\``);
  return lines.filter(({ apiKey }) => apiKey !== undefined && keys.includes(apiKey));
}

function spanOf(pages: readonly BillPage[], { fromMs, toMs }: GatherOptions): Span | undefined {
  const spans = pages.flatMap((page) => page.spans);
  if (spans.length === 0 && (fromMs === undefined || toMs === undefined)) return undefined;
  const startMs = fromMs ?? spans.reduce((least, { startMs: each }) => Math.min(least, each), Infinity);
  const endMs =
    toMs === undefined ? spans.reduce((most, { endMs: each }) => Math.max(most, each), 0) : toMs + dayMs;
  return { startMs, endMs };
}

/** Puts the pages of all files together. Throws a BillError where they cannot be one bill. */
export function gatherBill(pages: readonly BillPage[], options: GatherOptions = {}): Bill {
  const byForm = Map.groupBy(pages, ({ form }) => form);
  const forms = [...byForm.keys()];
  if (forms.length === 0) throw new BillError('the files hold no page of a usage report');
  refuseMixture(forms);
  const spans = new Map<string, Span>();
  for (const [form, own] of byForm) {
    refuseMissingPages(form, own);
    const span = spanOf(own, options);
    if (span === undefined)
      throw new BillError(
        `\`${own[0]?.file ?? ''}\` has no line and no bucket, so it is of no day: say of which with \`--from\` and \`--to\``,
      );
    if (span.endMs <= span.startMs)
      throw new BillError(
        `the bill has nothing from ${dayText(span.startMs)} on: it ends at ${momentText(span.endMs)}`,
      );
    for (const endpoint of endpointsOf(form)) spans.set(endpoint, span);
  }
  const filed = pages.flatMap(({ form, file, lines }) => lines.map((line) => ({ ...line, form, file })));
  refuseTwice(filed);
  const kept = keptBy(options.keys ?? [], filed);
  const { fromMs = -Infinity, toMs = Infinity } = options;
  const lines = kept.filter(({ startMs }) => startMs >= fromMs && startMs < toMs + dayMs);
  const measures = new Set(forms.flatMap((form) => measuresTold(form, lines)));
  return { forms, lines, spans, measures: [...measures], outside: kept.length - lines.length };
}

/** What lines leave out is not said of a day without a line either. */
function measuresTold(form: BillForm, lines: readonly Filed[]): readonly Measure[] {
  const own = lines.filter((line) => line.form === form);
  return measuresOf[form].filter((measure) => own.every(({ told }) => told[measure] !== undefined));
}
