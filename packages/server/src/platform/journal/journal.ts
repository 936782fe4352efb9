// Owns the journal: a file of fixed size in which frames are durable before anything else has taken them in.

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@countersign/core/errors';
import {
  frameBytes,
  frameUnit,
  headerBytes,
  isWhole,
  sealFrame,
  statedBytes,
  statedSequence,
} from './frame.ts';

/** Where the next frame is: its number, which never comes again, and its place in the file, in bytes. */
export type JournalPlace = { readonly sequence: number; readonly offset: number };

export type JournalFrame = {
  readonly payload: Buffer;
  /** Where it lies, in bytes: at its place, or at the start of the file where there was no room for it. */
  readonly offset: number;
  readonly next: JournalPlace;
};

export type Journal = {
  readonly id: Uint8Array;
  /**
   * Makes the parts, one after another, the next frame. Returns false, and writes nothing, when there is no room
   * before older frames are released, or the number of the next frame is in doubt. Throws `storage_unavailable` when
   * the frame may not be durable: its number is then in doubt until a skipped place is released.
   */
  readonly append: (parts: readonly Uint8Array[]) => boolean;
  /** The oldest frame at or after `from` (where nothing is told: that was not released); undefined after the last. */
  readonly read: (from?: JournalPlace) => JournalFrame | undefined;
  /** Gives the room of every frame before `place` free. */
  readonly release: (place: JournalPlace) => void;
  /** Numbers of the oldest frame and of the next one to come; the same when there is none. */
  readonly span: () => { readonly first: number; readonly next: number };
  /** The place after all frames with the number after next: what may lie under the next one will never be read. */
  readonly skip: () => JournalPlace;
  /** Gives the number of the next frame up, until a place beyond it is released: somebody else may have moved past it. */
  readonly doubt: () => void;
  /** The part of the file, from 0 to 1, that frames take. */
  readonly share: () => number;
  readonly close: () => void;
};

export type JournalOptions = {
  readonly path: string;
  /** 16 bytes: frames of another journal are not read. */
  readonly id: Uint8Array;
  /** The first frame that is not taken in yet. */
  readonly place: JournalPlace;
  /** Bytes of the file; multiples of 4096. */
  readonly size?: number;
};

const defaultSize = 4 * 1024 * 1024;
const zeros = 65_536;

function failed(path: string, cause: unknown): AppError {
  return new AppError('storage_unavailable', `the journal \`${path}\` cannot be written: retry shortly`, {
    retryAfterSeconds: 1,
    cause,
  });
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** Makes the file whole before it has its name. Its blocks are on the disk, so that a full one refuses now, not later. */
function create(path: string, size: number): void {
  const made = `${path}.new`;
  const fd = openSync(made, 'w', 0o600);
  try {
    const block = new Uint8Array(zeros);
    for (let at = 0; at < size; at += zeros) writeAll(fd, block.subarray(0, Math.min(zeros, size - at)), at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(made, path);
}

/** Makes the name durable; whoever made the file may have died before. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function openFile(path: string, size: number): number {
  try {
    if (!existsSync(path)) create(path, size);
    syncFolder(path);
    return openSync(path, 'r+');
  } catch (error) {
    throw failed(path, error);
  }
}

/** Bytes of a frame at `offset`, or undefined where the file ends before. */
function readBytes(fd: number, bytes: number, offset: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(bytes);
  return readSync(fd, buffer, 0, bytes, offset) === bytes ? buffer : undefined;
}

/** Reads frames where they may be: at their place, or, when the file's end was too near, at the start. */
function createReader(fd: number, id: Uint8Array, size: number) {
  function at(offset: number, sequence: number): JournalFrame | undefined {
    if (offset + headerBytes > size) return undefined;
    const header = readBytes(fd, headerBytes, offset);
    const payloadBytes = header === undefined ? undefined : statedBytes(header, id, sequence);
    if (payloadBytes === undefined || offset + frameBytes(payloadBytes) > size) return undefined;
    const frame = readBytes(fd, headerBytes + payloadBytes, offset);
    if (frame === undefined || !isWhole(frame, payloadBytes)) return undefined;
    return {
      payload: frame.subarray(headerBytes),
      offset,
      next: { sequence: sequence + 1, offset: offset + frameBytes(payloadBytes) },
    };
  }
  return {
    frameAt: ({ sequence, offset }: JournalPlace): JournalFrame | undefined =>
      at(offset, sequence) ?? (offset === 0 ? undefined : at(0, sequence)),
    /** The number of the whole frame at an offset, whichever it is. */
    numberAt(offset: number): number | undefined {
      const header = readBytes(fd, headerBytes, offset);
      const sequence = header === undefined ? undefined : statedSequence(header, id);
      return sequence === undefined || at(offset, sequence) === undefined ? undefined : sequence;
    },
  };
}

/**
 * Refuses a journal in which a frame is missing that others follow. One write is under way at a time: behind a frame
 * that a crash has torn there is none, so what lies there shows that something durable was damaged, or that the
 * database is older than its journal.
 */
function refuseGap(
  { numberAt }: ReturnType<typeof createReader>,
  path: string,
  size: number,
  next: number,
): void {
  for (let offset = 0; offset < size; offset += frameUnit) {
    const sequence = numberAt(offset);
    if (sequence === undefined || sequence <= next) continue;
    throw new AppError(
      'storage_unavailable',
      `\`${path}\` holds frame ${sequence}, but frame ${next} before it cannot be read: restore the data folder with ` +
        'the database and the journal of one moment, or put the journal away to start without what it holds',
    );
  }
}

/** Where a frame of this size fits; undefined if it does not. INVARIANT: no byte of a frame that is kept is written. */
function roomFor(bytes: number, size: number, kept: JournalPlace, written: JournalPlace): number | undefined {
  if (kept.sequence === written.sequence) return bytes <= size ? 0 : undefined;
  if (written.offset <= kept.offset)
    return written.offset + bytes <= kept.offset ? written.offset : undefined;
  if (written.offset + bytes <= size) return written.offset;
  return bytes <= kept.offset ? 0 : undefined;
}

/** Copies the parts behind the place of a header. */
function fill(frame: Buffer, parts: readonly Uint8Array[]): void {
  let at = headerBytes;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
}

/**
 * Opens the journal, or makes it. Finds the frames after `place` that a former process has left. One owner at a time.
 * Throws `storage_unavailable` if the file cannot be opened, or lacks a frame that others follow.
 */
export function openJournal({ path, id, place, size = defaultSize }: JournalOptions): Journal {
  const fd = openFile(path, size);
  const reader = createReader(fd, id, size);
  const { frameAt } = reader;
  // INVARIANT: what is kept begins where its first frame lies, so that no later one is written over it.
  let kept = { sequence: place.sequence, offset: frameAt(place)?.offset ?? place.offset };
  let written = place;
  // INVARIANT: a number names one frame. One that failed may still be on the disk, so its number is not used again.
  let isInDoubt = false;
  let isClosed = false;
  for (let left = frameAt(written); left !== undefined; left = frameAt(written)) written = left.next;
  refuseGap(reader, path, size, written.sequence);

  return {
    id,
    append(parts) {
      // INVARIANT: a descriptor that was closed may be another file's by now.
      if (isClosed) throw failed(path, undefined);
      const payloadBytes = parts.reduce((sum, { length }) => sum + length, 0);
      const bytes = frameBytes(payloadBytes);
      const offset = isInDoubt ? undefined : roomFor(bytes, size, kept, written);
      if (offset === undefined) return false;
      const frame = Buffer.alloc(bytes);
      fill(frame, parts);
      sealFrame(frame, payloadBytes, id, written.sequence);
      try {
        writeAll(fd, frame, offset);
        fdatasyncSync(fd);
      } catch (error) {
        isInDoubt = true;
        throw failed(path, error);
      }
      if (kept.sequence === written.sequence) kept = { sequence: kept.sequence, offset };
      written = { sequence: written.sequence + 1, offset: offset + bytes };
      return true;
    },
    read: (from = kept) => (from.sequence < written.sequence ? frameAt(from) : undefined),
    release(to) {
      kept = to;
      if (to.sequence <= written.sequence) return;
      written = to;
      isInDoubt = false;
    },
    span: () => ({ first: kept.sequence, next: written.sequence }),
    skip: () => ({ sequence: written.sequence + 1, offset: 0 }),
    doubt() {
      isInDoubt = true;
    },
    share() {
      if (kept.sequence === written.sequence) return 0;
      const taken = written.offset - kept.offset;
      return (taken > 0 ? taken : taken + size) / size;
    },
    close() {
      if (!isClosed) closeSync(fd);
      isClosed = true;
    },
  };
}
