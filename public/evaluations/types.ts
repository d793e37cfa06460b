import type { CallFacts } from '../collections/types.js';

export type AnswerValue = boolean | number | 'not_applicable' | null;

export interface Question {
  id: string;
  text: string;
  kind: 'yes_no' | 'scale';
  max: number;
  weight: number;
  notApplicable: boolean;
}

export interface Section {
  id: string;
  title: string;
  weight: number;
  questions: Question[];
}

type Named = { id: string; name: string };

export interface Scorecard {
  id: string;
  version: number;
  name: string;
  sections: Section[];
  changedBy: Named;
  changedAt: string;
  archivedAt: string | null;
}

export interface Answer {
  questionId: string;
  value: AnswerValue;
  note: string | null;
  atMs: number | null;
}

export interface Content {
  answers: Answer[];
  notes: { atMs: number; text: string }[];
  summary: string | null;
}

export interface Evaluation {
  id: string;
  recording: CallFacts;
  agent: Named;
  evaluator: Named;
  scorecard: Named & { version: number };
  state: 'draft' | 'submitted' | 'acknowledged' | 'responded';
  /** The reader has a draft of it. */
  open: boolean;
  version: number;
  /** Percent. */
  score: number | null;
  createdAt: string;
  submittedAt: string | null;
}

type SectionScores = { id: string; title: string; score: number | null }[];

export interface Submitted extends Content {
  version: number;
  score: number | null;
  sectionScores: SectionScores;
  /** Of a version after the first. */
  reason: string | null;
  submittedAt: string;
  acknowledgedAt: string | null;
  response: string | null;
  respondedAt: string | null;
  earlierResponses: { response: string; respondedAt: string }[];
}

export interface Draft extends Content {
  revision: number;
  savedAt: string;
}

export interface OpenEvaluation extends Evaluation {
  /** Whether the reader can hear the call. */
  audible: boolean;
  sections: Section[];
  draft: Draft | null;
  /** Newest first. */
  versions: Submitted[];
}

/** What outlives the recording. */
export interface Outcome {
  evaluationId: string;
  agent: Named;
  scorecard: Named & { version: number };
  score: number | null;
  sections: SectionScores;
  evaluatedAt: string;
  retainUntil: string;
  open: boolean;
}

export interface Sample {
  id: string;
  agent: Named;
  extensions: string[];
  from: string;
  until: string;
  size: number;
  seed: string;
  population: number;
  populationSha256: string;
  drawnBy: Named;
  drawnAt: string;
}

export interface SampledCall {
  place: number;
  recording: CallFacts;
  evaluated: boolean;
  begun: boolean;
}

export interface OpenSample extends Sample {
  calls: SampledCall[];
  redrawn: { outcome: 'same' | 'different' | 'other_calls'; population: number };
}

export interface Coverage {
  agent: Named;
  extensions: string[];
  calls: number;
  listened: number;
  lastListenedAt: string | null;
  shared: number;
  evaluated: number;
}
