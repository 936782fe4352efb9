// Owns moving what was committed from SQLite's write-ahead log into the database, beside the connection that writes.

import { DatabaseSync } from 'node:sqlite';
import { databasePath } from './sqlite-file.ts';

/** How often, in milliseconds. */
const everyMs = 250;

/**
 * Checkpoints an embedded database beside whoever writes to it, and returns how to end it. A passive checkpoint waits
 * for nobody: it moves what it can. The connection that writes makes one of its own only when the log has grown long
 * all the same, and then has little left to move; else every eighth megabyte a change would wait for a thousand pages
 * and two syncs.
 */
export function startCheckpoints(directory: string): () => void {
  const database = new DatabaseSync(databasePath(directory), { timeout: 0 });
  database.exec('pragma synchronous = full; pragma cache_size = -100;');
  const checkpoint = database.prepare('pragma wal_checkpoint(passive)');
  const timer = setInterval(() => {
    try {
      checkpoint.all();
    } catch {
      // The disk is full or fails: the writer finds that out by itself, and says so.
    }
  }, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (database.isOpen) database.close();
  };
}
