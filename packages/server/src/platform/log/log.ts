// Owns the process's log: one JSON object a line on standard output, with every secret removed on its way.

import { type DestinationStream, type Logger, pino } from 'pino';
import { scrubText } from './scrub-text.ts';
import { scrubFields } from './scrub-value.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
type LineLevel = Exclude<LogLevel, 'silent'>;

/** Beyond this many bytes that standard output does not take, lines are dropped rather than memory filled. */
const mostBuffered = 16 * 1024 * 1024;

/** `(message)`, or `(fields, message)`: facts beside the message. An Error given as the fields stands under `error`. */
export type Write = (first: string | object, message?: string) => void;

/** A fixed sentence as message, everything that varies as fields: then lines can be counted. */
export type Log = Readonly<Record<LineLevel, Write>> & {
  /** A log whose lines all carry these fields too. */
  readonly child: (fields: object) => Log;
  /** False when a line of this level would be dropped: ask before costly fields are made. */
  readonly isOn: (level: LineLevel) => boolean;
};

function wrap(logger: Logger): Log {
  const write =
    (level: LineLevel): Write =>
    (first, message) => {
      if (!logger.isLevelEnabled(level)) return;
      // INVARIANT: nothing reaches the logger but through the scrubber, and no message is a format string.
      if (typeof first === 'string') logger[level]({}, '%s', scrubText(first));
      else logger[level](scrubFields(first), '%s', scrubText(message ?? ''));
    };
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: (fields) => wrap(logger.child(scrubFields(fields))),
    isOn: (level) => logger.isLevelEnabled(level),
  };
}

/**
 * Opens the log. Lines carry `level` as a word, `time` in ISO 8601, the `base` fields, those of the call, and
 * `msg`. `destination` takes each line with its line end; absent: standard output, written in the background
 * and flushed when the process exits.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
  readonly base?: object;
}): Log {
  const stream = options.destination ?? pino.destination({ dest: 1, sync: false, maxLength: mostBuffered });
  const logger = pino(
    {
      level: options.level,
      base: scrubFields(options.base ?? {}),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Values are plain already; a serializer of the library's would open them again.
      serializers: {},
    },
    stream,
  );
  return wrap(logger);
}

/** The log of one request: its lines carry the id that the caller was told in `x-request-id`. */
export function requestLog(log: Log, requestId: string): Log {
  return log.child({ requestId });
}
