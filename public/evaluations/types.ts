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

export interface Scorecard {
  id: string;
  version: number;
  name: string;
  sections: Section[];
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

type Named = { id: string; name: string };

export interface Evaluation {
  id: string;
  recording: CallFacts;
  agent: Named;
  evaluator: Named;
  scorecard: Named & { version: number };
  state: 'draft' | 'submitted' | 'acknowledged' | 'responded';
  version: number;
  /** Percent. */
  score: number | null;
  createdAt: string;
  submittedAt: string | null;
}

export interface Submitted extends Content {
  version: number;
  score: number | null;
  submittedAt: string;
  acknowledgedAt: string | null;
  response: string | null;
}

export interface OpenEvaluation extends Evaluation {
  sections: Section[];
  draft: (Content & { revision: number; savedAt: string }) | null;
  /** Newest first. */
  versions: Submitted[];
}

export interface FurtherUse {
  use: string;
  on: boolean;
  act: {
    consent: { date: string; reference: string } | null;
    switchedOnBy: Named;
    switchedOnAt: string;
  } | null;
}
