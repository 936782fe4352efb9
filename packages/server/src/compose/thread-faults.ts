// Owns how a storage thread tells of what it cannot explain: scrubbed where it happens, logged by the main thread.

import { createOutbox, type Endpoint, type NoticeMessage } from '../platform/db/thread-messages.ts';
import type { Log } from '../platform/log/log.ts';
import { type Loggable, scrubValue } from '../platform/log/scrub-value.ts';

/** An unknown error of a thread, as plain data without secrets. */
export type ThreadFault = { readonly doing: string; readonly error: Loggable };

/** What both threads say by themselves. */
export type FaultNotices = { fault: ThreadFault };

export type OnFault = (thread: string, fault: ThreadFault) => void;

/** An error as it may cross to another thread, and be logged there. */
export function toFault(error: unknown, doing: string): ThreadFault {
  return { doing, error: scrubValue(error) };
}

/** Tells at once: a thread that ends would take with it what waits. A thread has no log of its own. */
export function createFaultReporter(port: Endpoint): (error: unknown, doing: string) => void {
  const outbox = createOutbox<NoticeMessage<FaultNotices, 'fault'>>(port);
  return (error, doing) => {
    outbox.post({ kind: 'notice', name: 'fault', payload: toFault(error, doing) });
    outbox.flush();
  };
}

/** Writes faults into the process's log. */
export function logFaults(log: Log): OnFault {
  return (thread, { doing, error }) =>
    log.error({ thread, doing, error }, 'a storage thread met an unknown error');
}
