import { answerWords } from './nl-answer.js';
import { decideWords } from './nl-decide.js';
import { intakeWords } from './nl-intake.js';
import { queueWords } from './nl-queue.js';

/** Every word of privacy requests, screen by screen. */
export const privacy = {
  ...queueWords,
  ...intakeWords,
  ...decideWords,
  ...answerWords,
} as const;
