export const grounds = ['legal_claim', 'restriction', 'open_request', 'authority_order'] as const;
export type Ground = (typeof grounds)[number];

/** What keeps an item past its date, as the service tells it. */
export interface Hold {
  id: string;
  recordingId: string | null;
  ticketId: string | null;
  state: 'unconfirmed' | 'confirmed' | 'released' | 'ended';
  ground: Ground;
  reason: string;
  ownerId: string;
  requestId: string | null;
  actId: string | null;
  placedBy: string;
  placedAt: string;
  /** The end of the third working day. */
  confirmBy: string;
  confirmationLate: boolean;
  confirmedBy: string | null;
  confirmedAt: string | null;
  /** Why one person stood behind it alone. */
  confirmReason: string | null;
  reviewAt: string;
  reviewDue: boolean;
  releasedBy: string | null;
  releasedAt: string | null;
  releaseReason: string | null;
  /** When it stops to hold: at the end set for it, or a day after its release. */
  endsAt: string | null;
  /** Of an order that may not be told: shown to its owner and the auditor alone. */
  secret: boolean;
}

/** Holds that stand and fall together, as one line. */
export interface HoldGroup {
  /** Of the request, of the act, or of the hold where it stands by itself. */
  id: string;
  requestId: string | null;
  reference: string | null;
  recordings: number;
  tickets: number;
  packages: number;
  holds: number;
  grounds: Ground[];
  reasons: string[];
  owners: string[];
  placedBy: string[];
  placedAt: string;
  unconfirmed: number;
  unconfirmedUntil: string | null;
  confirmBy: string | null;
  confirmationLate: boolean;
  reviewAt: string;
  reviewDue: boolean;
  released: boolean;
  endsAt: string | null;
  secret: boolean;
  /** The hold, where it stands by itself. */
  hold: Hold | null;
}

/** What a hold is on: one of the two. */
export type HoldSubject = { recordingId: string } | { ticketId: string };
