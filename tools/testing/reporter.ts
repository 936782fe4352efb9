// Owns the reporter that writes one JSON line for each finished test, for the runner to count and show.

import { basename } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** One finished test. `text` is what a person needs to see of a failure, `reason` why it was skipped. */
export type Outcome = {
  readonly kind: 'passed' | 'failed' | 'skipped';
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly ms: number;
  readonly reason?: string;
  readonly text?: string;
};

type Ended = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

/** An event for a whole file: it failed to load, or it ran and held no test. */
function isOfFile(data: Ended['data']): boolean {
  return data.nesting === 0 && data.file !== undefined && basename(data.name) === basename(data.file);
}

function failureText(event: Ended, output: readonly string[]): string {
  const error = event.type === 'test:fail' ? event.data.details.error : undefined;
  const shown = inspect(error?.cause ?? error, { depth: 6, breakLength: 110, colors: false });
  return isOfFile(event.data)
    ? `${shown}\n${output.join('').split('\n').slice(-60).join('\n')}`.trim()
    : shown;
}

/** What an event means for the count; undefined for what is counted elsewhere (suites, parents of failures). */
function outcomeOf(event: Ended, output: readonly string[]): Outcome | undefined {
  const { data } = event;
  if (data.details.type === 'suite') return undefined;
  const base = {
    name: data.name,
    file: data.file ?? '',
    line: data.line ?? 1,
    ms: Math.round(data.details.duration_ms),
  };
  const waived = data.skip ?? data.todo;
  if (waived !== undefined && waived !== false) {
    return {
      ...base,
      kind: 'skipped',
      reason: typeof waived === 'string' && waived !== '' ? waived : 'no reason given',
    };
  }
  if (event.type === 'test:fail') {
    const error = event.data.details.error;
    const inherited = 'failureType' in error && error.failureType === 'subtestsFailed';
    return {
      ...base,
      kind: 'failed',
      text: inherited ? 'a test inside it failed' : failureText(event, output),
    };
  }
  return isOfFile(data)
    ? { ...base, kind: 'failed', text: 'the file ran but holds no test' }
    : { ...base, kind: 'passed' };
}

/** Reporter for `node --test --test-reporter`: yields an `Outcome` a line. */
async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const output = new Map<string, string[]>();
  for await (const event of source) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      const file = basename(event.data.file ?? '');
      const lines = output.get(file) ?? [];
      lines.push(event.data.message);
      output.set(file, lines.slice(-200));
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const outcome = outcomeOf(event, output.get(basename(event.data.file ?? '')) ?? []);
      if (outcome !== undefined) yield `${JSON.stringify(outcome)}\n`;
    }
  }
}

/** @public */
// biome-ignore lint/style/noDefaultExport: node:test loads a reporter by its default export
export default report;
