type Named = { id: string; name: string };

export const useGrounds = ['legitimate_interest', 'contract', 'legal_obligation', 'consent'] as const;
export const usePurposes = ['training', 'evidence', 'access_request'] as const;

/** An act that allows a use beyond training and evidence. */
export interface UseAct {
  id: string;
  ground: (typeof useGrounds)[number];
  explanation: string;
  /** Of the works council. */
  consent: { date: string; reference: string } | null;
  purposes: (typeof usePurposes)[number][];
  processor: { name: string; region: string } | null;
  switchedOnBy: Named;
  switchedOnAt: string;
  endedBy: Named | null;
  endedAt: string | null;
  endReason: string | null;
}

export interface FurtherUse {
  use: 'evaluation' | 'transcription' | 'speech_search';
  on: boolean;
  act: UseAct | null;
  /** Acts that ended, newest first. */
  history: UseAct[];
}
