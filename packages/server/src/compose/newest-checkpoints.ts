// Owns handing on the newest checkpoint of each log that has grown: to the file, and to the thread that has the network.

import { isId } from '@countersign/core/ids';
import { listHeads, readHead } from '../stores/heads.ts';
import type { Store } from '../stores/schema.ts';
import { type CheckpointFile, openCheckpointFile } from './checkpoint-file.ts';
import type { GrownLog, ThreadData } from './threads.ts';

export type NewestCheckpoints = CheckpointFile & {
  /** Tells, with the next `flush`, of every log, also of one that has not grown since a former run: that may not have told. */
  readonly tellAll: (store: Store) => Promise<void>;
};

/** The file of checkpoints, if there is one; and `tell` hears the same, if the main thread wants to. */
export function openCheckpoints(
  data: Pick<ThreadData, 'checkpointFile' | 'tellsCheckpoints'>,
  onFileError: (error: unknown, doing: string) => void,
  tell: (grown: readonly GrownLog[]) => void,
): NewestCheckpoints {
  const file = openCheckpointFile(data.checkpointFile, (error) => onFileError(error, 'checkpoint file'));
  if (!data.tellsCheckpoints) return { ...file, tellAll: async () => {} };
  const newest = new Map<string, string>();
  const flush = (): void => {
    if (newest.size === 0) return;
    tell([...newest].map(([orgId, checkpoint]) => ({ orgId, checkpoint })));
    newest.clear();
  };
  return {
    note(orgId, checkpoint) {
      file.note(orgId, checkpoint);
      newest.set(orgId, checkpoint);
    },
    flush() {
      file.flush();
      flush();
    },
    close() {
      file.close();
      flush();
    },
    async tellAll(store) {
      for (const { org_id } of await listHeads(store)) {
        const head = isId('org', org_id) ? await readHead(store, org_id) : undefined;
        if (head !== undefined && head.size > 0) newest.set(org_id, head.checkpoint);
      }
    },
  };
}
