/** What was agreed in a passage of a call, as the service tells it. Times are those of the player. */
export interface MarkedAgreement {
  id: string;
  recordingId: string;
  revision: number;
  startMs: number;
  endMs: number;
  summary: string;
  /** Null where names are not shown. */
  parties: string[] | null;
  ticket: string | null;
  markedBy: { id: string; name: string };
  markedAt: string;
  withdrawnAt: string | null;
  withdrawnReason: string | null;
}

export interface FoundAgreement extends MarkedAgreement {
  startedAt: string;
  caller: string | null;
  callee: string | null;
  agent: string | null;
  channels: number;
  retainUntil: string;
  held: boolean;
}

export interface AgreementHistory extends MarkedAgreement {
  history: {
    revision: number;
    startMs: number;
    endMs: number;
    summary: string;
    parties: string[] | null;
    ticket: string | null;
    changedBy: { id: string; name: string };
    changedAt: string;
    reason: string | null;
  }[];
}

export const restrictionGrounds = ['consent', 'legal_claim', 'protect_another'] as const;

export interface EvidencePackage {
  id: string;
  /** As people call it: "EV-2026-0007". */
  reference: string;
  state: 'sealing' | 'sealed' | 'incomplete';
  scope: 'clips' | 'full';
  recordingIds: string[];
  reason: string;
  recipient: string;
  requestedBy: { id: string; name: string };
  requestedAt: string;
  sealedAt: string | null;
  bytes: number | null;
  sha256: string | null;
  keyId: string | null;
  fingerprint: string | null;
  missing: string[];
  retainUntil: string;
  /** Restricted since it was ordered: it is not handed out. */
  keptBack: boolean;
  attempts: number;
  lastFault: string | null;
}
