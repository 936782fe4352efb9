// Owns the journal: a file of fixed size in which frames are durable before anything else has taken them in.

import { closeSync, fdatasync } from 'node:fs';
import { promisify } from 'node:util';
import { copyInto } from '../memory/copy.ts';
import {
  createReader,
  type DroppedFrame,
  failed,
  type JournalFrame,
  type JournalReader,
  openFile,
  refuseGap,
  writeAll,
} from './file.ts';
import { frameBytes, frameUnit, headerBytes, seal } from './frame.ts';
import { type JournalImage, type JournalMemory, openImage } from './image.ts';
import { type JournalMarks, type JournalPlace, makeMarks, openMarks } from './marks.ts';

/** One thread may append while another reads and releases: each opens the file, with the same `memory`. */
export type Journal = {
  readonly id: Uint8Array;
  /** Where the journal stands and what it holds, for the other thread. */
  readonly memory: JournalMemory;
  /**
   * Makes the parts, one after another, the next frame; one at a time. Resolves to false, and writes nothing, when
   * there is no room before older frames are released, or the number of the next frame is in doubt. Rejects with
   * `storage_unavailable` when the frame may not be durable: its number is then in doubt until a skipped place is
   * released.
   */
  readonly append: (parts: readonly Uint8Array[]) => Promise<boolean>;
  /**
   * The frame at `from` (where nothing is told: the oldest that was not released); undefined after the last, and for one
   * that was released. Its payload may lie in memory that the next frames are written to once it is released.
   */
  readonly read: (from?: JournalPlace) => JournalFrame | undefined;
  /** Gives the room of every frame before `place` free: what was read of them is not to be looked at any more. */
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
  /**
   * Hears of the last frame if it is not whole: a write that a power cut has torn, which nobody was answered for, and
   * damage to one that somebody was answered for look alike.
   */
  readonly onDropped?: (frame: DroppedFrame) => void;
};

/** What another thread joins an open journal with. */
export type JournalSeat = Pick<JournalOptions, 'path' | 'id'> & { readonly memory: JournalMemory };

const defaultSize = 4 * 1024 * 1024;

/** Where a frame of this size fits; undefined if it does not. INVARIANT: no byte of a frame that is kept is written. */
function roomFor(bytes: number, size: number, kept: JournalPlace, written: JournalPlace): number | undefined {
  if (kept.sequence === written.sequence) return bytes <= size ? 0 : undefined;
  if (written.offset <= kept.offset)
    return written.offset + bytes <= kept.offset ? written.offset : undefined;
  if (written.offset + bytes <= size) return written.offset;
  return bytes <= kept.offset ? 0 : undefined;
}

const zeros = Buffer.alloc(frameUnit);

/** Copies the parts behind the place of a header, and zeros behind them, which are fewer than a unit. */
function fill(frame: Buffer, parts: readonly Uint8Array[]): void {
  let at = headerBytes;
  for (const part of parts) {
    copyInto(frame, at, part);
    at += part.length;
  }
  copyInto(frame, at, zeros.subarray(0, frame.length - at));
}

/** The sync waits for the disk beside this thread, which goes on meanwhile. */
const syncData = promisify(fdatasync);

/** The place behind the last whole frame that a former process has left. Throws if there is a gap. */
function findEnd(
  reader: JournalReader,
  { path, place, onDropped }: JournalOptions,
  size: number,
): JournalPlace {
  let end = place;
  for (let left = reader.frameAt(end); left !== undefined; left = reader.frameAt(end)) end = left.next;
  refuseGap(reader, path, size, end.sequence);
  const remains = reader.remainsOf(end);
  if (remains !== undefined) onDropped?.(remains);
  return end;
}

/** The memory of a journal as it lies on the disk. */
function recall(reader: JournalReader, options: JournalOptions, size: number): JournalMemory {
  const { place } = options;
  const memory = makeMarks(place);
  const marks = openMarks(memory);
  // INVARIANT: what is kept begins where its first frame lies, so that no later one is written over it.
  marks.setKept({ sequence: place.sequence, offset: reader.frameAt(place)?.offset ?? place.offset });
  const end = findEnd(reader, options, size);
  marks.setWritten(end);
  return { marks: memory, image: new SharedArrayBuffer(size), own: end.sequence };
}

/** The appending half: one frame at a time. */
function createAppender(
  fd: number,
  marks: JournalMarks,
  image: JournalImage,
  { path, id, memory }: JournalSeat,
) {
  const size = memory.image.byteLength;
  return async (parts: readonly Uint8Array[]): Promise<boolean> => {
    const payloadBytes = parts.reduce((sum, { length }) => sum + length, 0);
    const bytes = frameBytes(payloadBytes);
    const kept = marks.kept();
    const written = marks.written();
    const offset = marks.isInDoubt() ? undefined : roomFor(bytes, size, kept, written);
    if (offset === undefined) return false;
    const frame = image.memoryAt(offset, bytes);
    fill(frame, parts);
    seal(frame, payloadBytes, id, written.sequence);
    try {
      writeAll(fd, frame, offset);
      await syncData(fd);
    } catch (error) {
      // INVARIANT: a number names one frame. One that failed may still be on the disk, so its number is not used again.
      marks.setInDoubt(true);
      throw failed(path, error);
    }
    // Nobody releases while nothing is kept.
    if (kept.sequence === written.sequence) marks.setKept({ sequence: kept.sequence, offset });
    marks.setWritten({ sequence: written.sequence + 1, offset: offset + bytes });
    return true;
  };
}

/** The journal over an open file. */
function journalOver(fd: number, reader: JournalReader, seat: JournalSeat): Journal {
  const { path, id, memory } = seat;
  const size = memory.image.byteLength;
  const marks = openMarks(memory.marks);
  const image = openImage(memory.image, id);
  const append = createAppender(fd, marks, image, seat);
  let isClosed = false;

  return {
    id,
    memory,
    async append(parts) {
      // INVARIANT: a descriptor that was closed may be another file's by now.
      if (isClosed) throw failed(path, undefined);
      return append(parts);
    },
    read(from = marks.kept()) {
      const { sequence } = from;
      if (sequence < marks.kept().sequence || sequence >= marks.written().sequence) return undefined;
      return sequence < memory.own ? reader.frameAt(from) : image.frameAt(from);
    },
    release(to) {
      marks.setKept(to);
      if (to.sequence <= marks.written().sequence) return;
      marks.setWritten(to);
      marks.setInDoubt(false);
    },
    span: () => ({ first: marks.kept().sequence, next: marks.written().sequence }),
    skip: () => ({ sequence: marks.written().sequence + 1, offset: 0 }),
    doubt: () => marks.setInDoubt(true),
    share() {
      const kept = marks.kept();
      const written = marks.written();
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

/**
 * Opens the journal, or makes it. Finds the frames after `place` that a former process has left. One owner at a time.
 * Throws `storage_unavailable` if the file cannot be opened, or lacks a frame that others follow.
 */
export function openJournal(options: JournalOptions): Journal {
  const { path, id, size = defaultSize } = options;
  const fd = openFile(path, size);
  const reader = createReader(fd, id, size);
  return journalOver(fd, reader, { path, id, memory: recall(reader, options, size) });
}

/** Opens a journal that another thread has opened, with what stands in its memory. Throws as `openJournal`. */
export function joinJournal(seat: JournalSeat): Journal {
  const size = seat.memory.image.byteLength;
  const fd = openFile(seat.path, size);
  return journalOver(fd, createReader(fd, seat.id, size), seat);
}
