import { answerWords } from './en-answer.js';
import { decideWords } from './en-decide.js';
import { intakeWords } from './en-intake.js';
import { queueWords } from './en-queue.js';
import type { privacy as source } from './nl.js';

/** Every word of privacy requests, screen by screen. */
export const privacy: Record<keyof typeof source, string> = {
  ...queueWords,
  ...intakeWords,
  ...decideWords,
  ...answerWords,
};
