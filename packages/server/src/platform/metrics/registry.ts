// Owns the process's metrics: counters, gauges and histograms with bounded labels, rendered as Prometheus text.

import { escapeHelp, formatNumber, labelText, seriesLine } from './text-format.ts';

export type Labels<L extends string> = Readonly<Record<L, string>>;

/** Only grows. `inc` throws a RangeError for a negative or infinite amount. */
export type Counter = { readonly inc: (amount?: number) => void };
export type Gauge = {
  readonly set: (value: number) => void;
  readonly inc: (amount?: number) => void;
  readonly dec: (amount?: number) => void;
};
export type Histogram = { readonly observe: (value: number) => void };

/**
 * A metric with its labels. `with` finds or makes the child of these values: keep it where the values are
 * known beforehand, an update is then only an addition. Past the bound, all new combinations share one child
 * whose labels all say `other`, so that no caller can fill the memory.
 */
export type Family<L extends string, C> = { readonly with: (labels: Labels<L>) => C };

export type MetricOptions<L extends string> = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** Combinations of label values beyond which `other` counts. Default 200. */
  readonly mostChildren?: number;
};

export type Registry = {
  readonly counter: <const L extends string = never>(options: MetricOptions<L>) => Family<L, Counter>;
  readonly gauge: <const L extends string = never>(options: MetricOptions<L>) => Family<L, Gauge>;
  /** `buckets` are upper bounds in ascending order, without infinity. */
  readonly histogram: <const L extends string = never>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ) => Family<L, Histogram>;
  /** A gauge that is read when it is rendered. A `read` that throws leaves the metric out of that rendering. */
  readonly observed: (options: {
    readonly name: string;
    readonly help: string;
    readonly read: () => number;
  }) => void;
  /** All metrics in text format 0.0.4, in the order of their making. */
  readonly render: () => string;
};

/** The `Content-Type` of what `render` returns. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const defaultMostChildren = 200;
const other = 'other';

type Child<C> = { readonly face: C; readonly lines: (name: string, labels: string) => string };
type Kind = 'counter' | 'gauge' | 'histogram';

function counterChild(): Child<Counter> {
  let value = 0;
  return {
    face: {
      inc: (amount = 1) => {
        if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY)) {
          throw new RangeError('a counter grows by a finite amount that is not negative');
        }
        value += amount;
      },
    },
    lines: (name, labels) => seriesLine(name, labels, value),
  };
}

function gaugeChild(): Child<Gauge> {
  let value = 0;
  return {
    face: {
      set: (next) => {
        value = next;
      },
      inc: (amount = 1) => {
        value += amount;
      },
      dec: (amount = 1) => {
        value -= amount;
      },
    },
    lines: (name, labels) => seriesLine(name, labels, value),
  };
}

function histogramChild(buckets: readonly number[]): Child<Histogram> {
  const counts = new Float64Array(buckets.length + 1);
  let sum = 0;
  return {
    face: {
      observe: (value) => {
        if (Number.isNaN(value)) return;
        let at = 0;
        while (at < buckets.length && value > (buckets[at] ?? 0)) at += 1;
        counts[at] = (counts[at] ?? 0) + 1;
        sum += value;
      },
    },
    lines: (name, labels) => {
      const comma = labels === '' ? '' : ',';
      let total = 0;
      let text = '';
      counts.forEach((count, at) => {
        total += count;
        const bound = formatNumber(buckets[at] ?? Number.POSITIVE_INFINITY);
        text += seriesLine(`${name}_bucket`, `${labels}${comma}le="${bound}"`, total);
      });
      return text + seriesLine(`${name}_sum`, labels, sum) + seriesLine(`${name}_count`, labels, total);
    },
  };
}

/** One text for each combination: lengths first, so that no value can imitate a separator. */
function childKey(values: readonly string[]): string {
  if (values.length === 1) return values[0] ?? '';
  let key = '';
  for (const value of values) key += `${value.length}:${value}`;
  return key;
}

type Entry = { readonly name: string; readonly render: () => string };

function makeFamily<L extends string, C>(
  kind: Kind,
  options: MetricOptions<L>,
  makeChild: () => Child<C>,
): { readonly family: Family<L, C>; readonly entry: Entry } {
  const { name, help } = options;
  const labels: readonly L[] = options.labels ?? [];
  const most = options.mostChildren ?? defaultMostChildren;
  const children = new Map<string, { readonly labels: string; readonly child: Child<C> }>();
  const add = (key: string, values: readonly string[]): Child<C> => {
    const child = makeChild();
    children.set(key, { labels: labelText(labels, values), child });
    return child;
  };
  // A metric without labels is there from the start, at 0: a rate can be taken of it at once.
  const only = labels.length === 0 ? add('', []) : undefined;
  const others = labels.map(() => other);
  const otherKey = childKey(others);
  const find = (given: Labels<L>): C => {
    if (only !== undefined) return only.face;
    const values = labels.map((label) => given[label]);
    const key = childKey(values);
    const known = children.get(key);
    if (known !== undefined) return known.child.face;
    if (children.size < most) return add(key, values).face;
    return (children.get(otherKey)?.child ?? add(otherKey, others)).face;
  };
  const render = (): string => {
    let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
    for (const { labels: labelled, child } of children.values()) text += child.lines(name, labelled);
    return text;
  };
  return { family: { with: find }, entry: { name, render } };
}

function checkNames(kind: Kind, name: string, labels: readonly string[]): void {
  if (!metricName.test(name)) throw new RangeError(`\`${name}\` is no name of a metric`);
  const bad = labels.find(
    (label, at) =>
      !labelName.test(label) || (kind === 'histogram' && label === 'le') || labels.indexOf(label) !== at,
  );
  if (bad !== undefined) throw new RangeError(`\`${bad}\` cannot be a label of \`${name}\``);
}

function checkBuckets(name: string, buckets: readonly number[]): void {
  const rises = buckets.every(
    (bound, at) => Number.isFinite(bound) && (at === 0 || bound > (buckets[at - 1] ?? 0)),
  );
  if (!rises || buckets.length === 0)
    throw new RangeError(`the buckets of \`${name}\` must be finite and rise`);
}

/** An empty registry. Making a metric throws a RangeError for a bad name, label or bucket, or a name that is taken. */
export function createRegistry(): Registry {
  const entries = new Map<string, Entry>();
  const claim = (entry: Entry): void => {
    if (entries.has(entry.name)) throw new RangeError(`the metric \`${entry.name}\` is there already`);
    entries.set(entry.name, entry);
  };
  const make = <L extends string, C>(
    kind: Kind,
    options: MetricOptions<L>,
    makeChild: () => Child<C>,
  ): Family<L, C> => {
    checkNames(kind, options.name, options.labels ?? []);
    const { family, entry } = makeFamily(kind, options, makeChild);
    claim(entry);
    return family;
  };
  return {
    counter: (options) => make('counter', options, counterChild),
    gauge: (options) => make('gauge', options, gaugeChild),
    histogram: (options) => {
      checkBuckets(options.name, options.buckets);
      const buckets = [...options.buckets];
      return make('histogram', options, () => histogramChild(buckets));
    },
    observed: ({ name, help, read }) => {
      checkNames('gauge', name, []);
      claim({ name, render: () => renderObserved(name, help, read) });
    },
    render: () => [...entries.values()].map((entry) => entry.render()).join(''),
  };
}

function renderObserved(name: string, help: string, read: () => number): string {
  try {
    return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${seriesLine(name, '', read())}`;
  } catch {
    return '';
  }
}
