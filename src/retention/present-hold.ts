import { z } from 'zod';
import type { HoldGroup } from './list-holds.js';
import { holdGrounds, type Hold } from './place-hold.js';

/** Holds as the API shows them. */

const instant = z.iso.datetime();

export const holdSchema = z
  .object({
    id: z.string(),
    recordingId: z.string().nullable(),
    ticketId: z.string().nullable(),
    state: z.enum(['unconfirmed', 'confirmed', 'released', 'ended']),
    ground: z.enum(holdGrounds),
    reason: z.string(),
    ownerId: z.string(),
    requestId: z.string().nullable().meta({ description: 'The privacy request that placed it' }),
    actId: z.string().nullable().meta({ description: 'What was placed in one act has this in common' }),
    placedBy: z.string(),
    placedAt: instant,
    confirmBy: instant.meta({ description: 'The end of the third working day' }),
    confirmationLate: z.boolean(),
    confirmedBy: z.string().nullable(),
    confirmedAt: instant.nullable(),
    confirmReason: z.string().nullable(),
    reviewAt: instant,
    reviewDue: z.boolean(),
    releasedBy: z.string().nullable(),
    releasedAt: instant.nullable(),
    releaseReason: z.string().nullable(),
    endsAt: instant.nullable().meta({ description: 'When it stops to hold: at the end set for it, or a day after its release' }),
    secret: z.boolean().meta({ description: 'Of an order that may not be told: shown to its owner and the auditor alone' }),
  })
  .meta({ id: 'Hold' });

/** Several holds as one line. */
export const groupSchema = z
  .object({
    id: z.string().meta({ description: 'Of the request, of the act, or of the hold where it stands by itself' }),
    requestId: z.string().nullable(),
    reference: z.string().nullable().meta({ description: 'As people call the request' }),
    recordings: z.int(),
    tickets: z.int(),
    packages: z.int(),
    holds: z.int(),
    grounds: z.array(z.enum(holdGrounds)),
    reasons: z.array(z.string()),
    owners: z.array(z.string()),
    placedBy: z.array(z.string()),
    placedAt: instant.meta({ description: 'Of the latest one' }),
    unconfirmed: z.int(),
    unconfirmedUntil: instant.nullable().meta({ description: 'What a confirmation names as `asOf`' }),
    confirmBy: instant.nullable(),
    confirmationLate: z.boolean(),
    reviewAt: instant,
    reviewDue: z.boolean(),
    released: z.boolean(),
    endsAt: instant.nullable(),
    secret: z.boolean(),
    hold: holdSchema.nullable().meta({ description: 'The hold, where it stands by itself' }),
  })
  .meta({ id: 'HoldGroup' });

const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A hold as the API shows it at `now`. */
export function presentHold(hold: Hold, now: Date): z.input<typeof holdSchema> {
  const ended = hold.endsAt !== null && hold.endsAt <= now;
  const open = hold.releasedAt === null && !ended;
  return {
    id: hold.id,
    recordingId: hold.kind === 'recording' ? hold.itemId : null,
    ticketId: hold.kind === 'ticket' ? hold.itemId : null,
    state: ended ? 'ended' : hold.releasedAt !== null ? 'released' : hold.confirmedAt !== null ? 'confirmed' : 'unconfirmed',
    ground: hold.ground,
    reason: hold.reason,
    ownerId: hold.ownerId,
    requestId: hold.requestId,
    actId: hold.actId,
    placedBy: hold.placedBy,
    placedAt: hold.placedAt.toISOString(),
    confirmBy: hold.confirmBy.toISOString(),
    confirmationLate: open && hold.confirmedAt === null && hold.confirmBy <= now,
    confirmedBy: hold.confirmedBy,
    confirmedAt: isoOrNull(hold.confirmedAt),
    confirmReason: hold.confirmReason,
    reviewAt: hold.reviewAt.toISOString(),
    reviewDue: open && hold.reviewAt <= now,
    releasedBy: hold.releasedBy,
    releasedAt: isoOrNull(hold.releasedAt),
    releaseReason: hold.releaseReason,
    endsAt: isoOrNull(hold.endsAt),
    secret: hold.secret,
  };
}

/** A group as the API shows it at `now`; `hold` where it is one by itself. */
export function presentGroup(group: HoldGroup, hold: Hold | undefined, now: Date): z.input<typeof groupSchema> {
  return {
    ...group,
    placedAt: group.placedAt.toISOString(),
    unconfirmedUntil: isoOrNull(group.unconfirmedUntil),
    confirmBy: isoOrNull(group.confirmBy),
    confirmationLate: group.confirmBy !== null && group.confirmBy <= now,
    reviewAt: group.reviewAt.toISOString(),
    endsAt: isoOrNull(group.endsAt),
    hold: hold === undefined ? null : presentHold(hold, now),
  };
}
