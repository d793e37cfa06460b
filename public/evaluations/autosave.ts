import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { asProblem, problemText } from '../parts/state.js';
import type { Content, Draft, OpenEvaluation } from './types.js';

const saveAfterMs = 800;
const retryMs = [2000, 4000, 8000, 15_000];

/** How the text stands with the service. */
export type Standing =
  | { state: 'saved'; at: string }
  | { state: 'saving' }
  /** Not reached: kept in this tab, and sent as soon as the service answers. */
  | { state: 'waiting' }
  | { state: 'refused'; why: string }
  /** Saved elsewhere meanwhile, as revision `revision`: the person chooses. */
  | { state: 'clash'; revision: number };

interface Stash {
  userId: string;
  revision: number;
  content: Content;
  /** What was on its way: the service may have it, though its answer never came. */
  sent?: Content | undefined;
}

const stashKey = (evaluationId: string) => `opname.evaluation.${evaluationId}`;

/** What this tab could not save before it was loaded anew, if it was the same person's. */
function readStash(evaluationId: string, userId: string): Stash | undefined {
  try {
    const stash = JSON.parse(sessionStorage.getItem(stashKey(evaluationId)) ?? 'null') as Stash | null;
    return stash?.userId === userId ? stash : undefined;
  } catch {
    return undefined;
  }
}

const contentOf = ({ answers, notes, summary }: Content): Content => ({ answers, notes, summary });
/** What is sent: a note without words is still being thought of. */
const sendable = (content: Content): Content => ({
  ...content,
  notes: content.notes.filter(({ text }) => text.trim() !== ''),
});
/** As the service keeps it, whatever order it names things in and whatever blanks stand around words. */
const comparable = ({ answers, notes, summary }: Content) =>
  JSON.stringify([
    answers.map(({ questionId, value, note, atMs }) => [questionId, value, note?.trim() || null, atMs]),
    notes.filter(({ text }) => text.trim() !== '').map(({ atMs, text }) => [atMs, text.trim()]),
    summary?.trim() || null,
  ]);
const isSame = (one: Content, other: Content) => comparable(one) === comparable(other);

export interface Autosaved {
  content: Content;
  change: (content: Content) => void;
  standing: Standing;
  /** Saves now. @returns the revision that holds everything; undefined where it could not be saved */
  flush: () => Promise<number | undefined>;
  /** After a clash: keep what stands here. */
  keepMine: () => void;
}

/**
 * A draft that saves itself a moment after each change. What cannot be sent stays in this tab, through a reload too,
 * and is tried again by itself; what was saved elsewhere meanwhile is never overwritten unasked.
 */
export function useAutosave(evaluationId: string, draft: Draft, userId: string): Autosaved {
  const [begun] = useState(() => {
    const stash = readStash(evaluationId, userId);
    return stash && !isSame(stash.content, contentOf(draft)) ? stash : undefined;
  });
  // What the service has is what this tab sent it before the answer got lost: nobody else's.
  const [own] = useState(() => begun?.revision === draft.revision || (begun?.sent && isSame(begun.sent, contentOf(draft))));
  const [content, setContent] = useState<Content>(begun?.content ?? contentOf(draft));
  const [standing, setStanding] = useState<Standing>(
    begun && !own ? { state: 'clash', revision: draft.revision } : { state: 'saved', at: draft.savedAt },
  );
  const revision = useRef(begun && !own ? begun.revision : draft.revision);
  const onWay = useRef<Content | undefined>(undefined);
  const newest = useRef(content);
  const saved = useRef(contentOf(draft));
  const clashed = useRef(standing.state === 'clash');
  const attempt = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const saving = useRef<Promise<void>>(Promise.resolve());
  const gone = useRef(false);
  const tell = (next: Standing) => {
    if (!gone.current) setStanding(next);
  };
  const later = (ms: number) => {
    clearTimeout(timer.current);
    if (!gone.current) timer.current = setTimeout(() => void flush(), ms);
  };

  const keep = () => {
    if (gone.current) return;
    const stash: Stash = { userId, revision: revision.current, content: newest.current, sent: onWay.current };
    sessionStorage.setItem(stashKey(evaluationId), JSON.stringify(stash));
  };

  async function send(): Promise<void> {
    if (clashed.current || (onWay.current === undefined && isSame(newest.current, saved.current))) return;
    // Of what was on its way nobody knows whether it came: it goes once more, for the same again is no other's text.
    const again = onWay.current;
    const sent = again ?? newest.current;
    onWay.current = sent;
    keep();
    tell({ state: 'saving' });
    try {
      const body = { ...sendable(sent), revision: revision.current };
      const next = await ask<OpenEvaluation>(`/evaluations/${evaluationId}/draft`, { method: 'PUT', body });
      saved.current = sent;
      onWay.current = undefined;
      attempt.current = 0;
      if (next.draft) {
        revision.current = next.draft.revision;
        tell({ state: 'saved', at: next.draft.savedAt });
      }
      if (isSame(newest.current, sent)) sessionStorage.removeItem(stashKey(evaluationId));
      else if (again) await send();
      else {
        keep();
        later(saveAfterMs);
      }
    } catch (error) {
      const problem = asProblem(error);
      const unsure = problem.status === 0 || problem.status >= 500;
      if (!unsure) onWay.current = undefined;
      const { revision: theirs } = problem.document;
      if (problem.code === 'conflict' && typeof theirs === 'number') {
        clashed.current = true;
        tell({ state: 'clash', revision: theirs });
      } else if (problem.status === 0 || problem.status === 401 || problem.status === 429 || problem.status >= 500) {
        tell({ state: 'waiting' });
        later(retryMs[Math.min(attempt.current, retryMs.length - 1)] ?? 15_000);
        attempt.current += 1;
      } else tell({ state: 'refused', why: problemText(problem) });
    }
  }
  // One after the other: each save says on which one before it rests.
  async function flush(): Promise<number | undefined> {
    clearTimeout(timer.current);
    saving.current = saving.current.then(send);
    await saving.current;
    return isSame(newest.current, saved.current) ? revision.current : undefined;
  }
  function change(next: Content): void {
    newest.current = next;
    setContent(next);
    keep();
    later(saveAfterMs);
  }

  useEffect(() => {
    if (begun && !clashed.current) later(0);
    const online = () => void flush();
    const leaving = (event: BeforeUnloadEvent) => {
      if (!isSame(newest.current, saved.current)) event.preventDefault();
    };
    addEventListener('online', online);
    addEventListener('beforeunload', leaving);
    return () => {
      removeEventListener('online', online);
      removeEventListener('beforeunload', leaving);
      void flush();
      gone.current = true;
    };
  }, []);

  return {
    content,
    change,
    standing,
    flush,
    keepMine() {
      if (standing.state !== 'clash') return;
      revision.current = standing.revision;
      clashed.current = false;
      void flush();
    },
  };
}

/** Forgets what this tab held back: it was thrown away, or the other text was chosen. */
export function dropStash(evaluationId: string): void {
  sessionStorage.removeItem(stashKey(evaluationId));
}
