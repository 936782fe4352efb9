// Owns what the process does when it is told to stop.

import type { Shutdown, ShutdownReport } from './shutdown.ts';

export type StopSignal = 'SIGTERM' | 'SIGINT';
const signalNumbers: Readonly<Record<StopSignal, number>> = { SIGTERM: 15, SIGINT: 2 };
const stopSignals: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];

/** The part of `process` that is used here. */
export type SignalSource = {
  readonly on: (signal: StopSignal, listener: () => void) => unknown;
  readonly off: (signal: StopSignal, listener: () => void) => unknown;
};

/**
 * The first SIGTERM or SIGINT begins the shutdown and ends the process with 0, or with 1 when something did
 * not finish; a second one, of either kind, ends it at once with 128 and the signal's number. `report` is told
 * before the process ends. Returns a function that stops listening.
 */
export function stopOnSignals(
  shutdown: Shutdown,
  deps: {
    readonly process: SignalSource;
    readonly exit: (code: number) => void;
    readonly report: (report: ShutdownReport) => void;
  },
): () => void {
  let stopping = false;
  const listeners = stopSignals.map((signal) => ({
    signal,
    listener: () => {
      if (stopping) {
        deps.exit(128 + signalNumbers[signal]);
        return;
      }
      stopping = true;
      void shutdown.begin(signal).then((report) => {
        try {
          deps.report(report);
        } finally {
          deps.exit(report.unfinished.length === 0 ? 0 : 1);
        }
      });
    },
  }));
  for (const { signal, listener } of listeners) deps.process.on(signal, listener);
  return () => {
    for (const { signal, listener } of listeners) deps.process.off(signal, listener);
  };
}
