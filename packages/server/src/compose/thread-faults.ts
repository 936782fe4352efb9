// Owns what a storage thread tells of by itself: errors, scrubbed where they happen, and warnings; the main thread logs both.

import { createOutbox, type Endpoint, type NoticeMessage } from '../platform/db/thread-messages.ts';
import type { Log } from '../platform/log/log.ts';
import { type Loggable, scrubValue } from '../platform/log/scrub-value.ts';

/** An unknown error of a thread, as plain data without secrets; or what an operator should know, in our own words. */
export type ThreadFault = { readonly doing: string; readonly error: Loggable } | { readonly warning: string };

/** What both threads say by themselves. */
export type FaultNotices = { fault: ThreadFault };

export type OnFault = (thread: string, fault: ThreadFault) => void;

/** An error as it may cross to another thread, and be logged there. */
export function toFault(error: unknown, doing: string): ThreadFault {
  return { doing, error: scrubValue(error) };
}

/** Tells at once: a thread that ends would take with it what waits. A thread has no log of its own. */
function createTeller(port: Endpoint): (fault: ThreadFault) => void {
  const outbox = createOutbox<NoticeMessage<FaultNotices, 'fault'>>(port);
  return (payload) => {
    outbox.post({ kind: 'notice', name: 'fault', payload });
    outbox.flush();
  };
}

/** How a thread tells of errors that it cannot explain. */
export function createFaultReporter(port: Endpoint): (error: unknown, doing: string) => void {
  const tell = createTeller(port);
  return (error, doing) => tell(toFault(error, doing));
}

/** How a thread tells of what it can explain, and goes on after. The text holds no secret. */
export function createWarner(port: Endpoint): (text: string) => void {
  const tell = createTeller(port);
  return (warning) => tell({ warning });
}

/** The same, with a count of all that was told. */
export function countFaults(onFault: OnFault): { readonly onFault: OnFault; readonly count: () => number } {
  let count = 0;
  return {
    onFault(thread, fault) {
      count += 1;
      onFault(thread, fault);
    },
    count: () => count,
  };
}

/** Writes faults into the process's log, a warning as one line of its own. */
export function logFaults(log: Log): OnFault {
  return (thread, fault) => {
    if ('warning' in fault) log.warn({ thread }, fault.warning);
    else log.error({ thread, ...fault }, 'a storage thread met an unknown error');
  };
}
