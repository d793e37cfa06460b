import { pino, type DestinationStream } from 'pino';

/**
 * Structured logs on standard output, one JSON object a line. Callers pass ids, codes and counts; never names,
 * numbers, e-mail addresses, keys, bodies or query strings. Error messages of drivers can quote data, so errors are
 * logged by type, code and stack frames alone.
 */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Log;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** An error as it may be logged: what it is and where it arose, without the message that may quote data. */
function errorFacts(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const original = (error as { original?: unknown }).original ?? cause;
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at ')).slice(0, 12),
    ...(original === undefined || original === error ? {} : { cause: errorFacts(original) }),
  };
}

/** A logger of `level`, writing to standard output unless given another destination. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: errorFacts } },
    destination ?? pino.destination({ dest: 1, sync: false }),
  );
}
