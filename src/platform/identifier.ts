import { v7 } from 'uuid';
import { z } from 'zod';
import type { Clock } from './clock.js';

/** A new UUIDv7 (RFC 9562 §5.7): sorts by the time it was made, and cannot be guessed. */
export function newId(clock: Clock): string {
  return v7({ msecs: clock.now().getTime() });
}

/** An id as it comes in. Anything else names nothing, hence 404. */
export const idSchema = z.uuid().meta({ description: 'UUIDv7' });
