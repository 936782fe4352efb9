// Owns a thread that is there while somebody asks it: started by the first call, ended when none has come for a while.

import { shuttingDown, type ThreadClient } from './thread-client.ts';
import type { CallMap, NoticeMap } from './thread-messages.ts';

export type OnDemandOptions = {
  /** Milliseconds without a call after which the thread ends. */
  readonly idleMs: number;
  /** What an ending thread gets to close what it holds, in milliseconds. */
  readonly closeMs: number;
};

/** A client that stands for one thread after the other. A thread costs some twenty megabytes, used or not. */
export function createOnDemand<Calls extends CallMap, Said extends NoticeMap>(
  start: () => ThreadClient<Calls, Said>,
  { idleMs, closeMs }: OnDemandOptions,
): ThreadClient<Calls, Said> {
  let current: ThreadClient<Calls, Said> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function rest(): void {
    clearTimeout(timer);
    if (isClosed) return;
    timer = setTimeout(() => {
      const idle = current;
      if (idle === undefined || idle.outstanding() > 0) return;
      current = undefined;
      void idle.close(closeMs);
    }, idleMs).unref();
  }

  function needed(): ThreadClient<Calls, Said> {
    current ??= start();
    return current;
  }

  return {
    async call(...asked) {
      if (isClosed) throw shuttingDown();
      return needed()
        .call(...asked)
        .finally(rest);
    },
    notify(...said) {
      if (!isClosed) needed().notify(...said);
    },
    outstanding: () => current?.outstanding() ?? 0,
    async close(timeoutMs) {
      isClosed = true;
      clearTimeout(timer);
      return (await current?.close(timeoutMs)) ?? true;
    },
  };
}
